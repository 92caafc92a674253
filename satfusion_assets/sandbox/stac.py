"""STAC items and collections in the shape that Earth Search v1 gives them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

from satfusion_assets.sandbox import granule
from satfusion_assets.sandbox.catalogue import COLLECTION_1, LEGACY, Edge, SentinelProduct
from satfusion_assets.sandbox.geometry import Tile
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.orbits import sun
from satfusion_assets.sandbox.scene import RESOLUTION
from satfusion_assets.sandbox.signatures import BANDS
from satfusion_assets.sandbox.synthetic import LICENCE, NOTICE, PROVIDERS

BAND_FILES: Final = dict(
    zip(BANDS, ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12"), strict=True)
)
"""File stem of each band's COG."""
_FACTS: Final = {
    # asset: title in old items, title in new items, common name, wavelength (um), width (um)
    "coastal": ("Coastal aerosol (band 1) - 60m", "Coastal - 60m", "coastal", 0.443, 0.027),
    "blue": ("Blue (band 2) - 10m", "Blue - 10m", "blue", 0.49, 0.098),
    "green": ("Green (band 3) - 10m", "Green - 10m", "green", 0.56, 0.045),
    "red": ("Red (band 4) - 10m", "Red - 10m", "red", 0.665, 0.038),
    "rededge1": ("Red edge 1 (band 5) - 20m", "Red Edge 1 - 20m", "rededge", 0.704, 0.019),
    "rededge2": ("Red edge 2 (band 6) - 20m", "Red Edge 2 - 20m", "rededge", 0.74, 0.018),
    "rededge3": ("Red edge 3 (band 7) - 20m", "Red Edge 3 - 20m", "rededge", 0.783, 0.028),
    "nir": ("NIR 1 (band 8) - 10m", "NIR 1 - 10m", "nir", 0.842, 0.145),
    "nir08": ("NIR 2 (band 8A) - 20m", "NIR 2 - 20m", "nir08", 0.865, 0.033),
    "nir09": ("NIR 3 (band 9) - 60m", "NIR 3 - 60m", "nir09", 0.945, 0.026),
    "swir16": ("SWIR 1 (band 11) - 20m", "SWIR 1.6μm - 20m", "swir16", 1.61, 0.143),
    "swir22": ("SWIR 2 (band 12) - 20m", "SWIR 2.2μm - 20m", "swir22", 2.19, 0.242),
}
_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
_NEW_SINCE: Final = datetime(2024, 7, 1)
"""Items made since then state the view angles and the tile's id."""
PLATFORMS: Final = {"S2A": "sentinel-2a", "S2B": "sentinel-2b", "S2C": "sentinel-2c"}


def item(product: SentinelProduct, landscape: Landscape) -> dict[str, Any]:
    """The STAC item of a product, with root-relative links and asset addresses."""
    ring = _outline(product.tile, product.footprint, landscape)
    longitudes, latitudes = [p[0] for p in ring], [p[1] for p in ring]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": product.id,
        "properties": _properties(product, landscape, ring),
        "geometry": {"type": "Polygon", "coordinates": [[list(p) for p in ring]]},
        "links": _links(product),
        "assets": _assets(product),
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "stac_extensions": [f"https://stac-extensions.github.io/{name}/schema.json" for name in _extensions(product)],
        "collection": product.collection,
    }


def is_new(product: SentinelProduct) -> bool:
    """Whether the item is of the later style, which all of collection 1 is."""
    return product.collection == COLLECTION_1 or product.created.replace(tzinfo=None) >= _NEW_SINCE


def _extensions(product: SentinelProduct) -> list[str]:
    if not is_new(product):
        names = ["grid/v1.0.0", "raster/v1.1.0", "view/v1.0.0", "processing/v1.1.0", "eo/v1.0.0"]
        return [*names, "projection/v1.0.0", "mgrs/v1.0.0"]
    names = ["grid/v1.1.0", "mgrs/v1.0.0", "processing/v1.1.0", "projection/v1.1.0", "sentinel-2/v1.0.0"]
    storage = ["storage/v1.0.0"] if product.collection == COLLECTION_1 else []
    return [*names, "raster/v1.1.0", "view/v1.0.0", "eo/v1.1.0", *storage]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _properties(product: SentinelProduct, landscape: Landscape, ring: list[tuple[float, float]]) -> dict[str, Any]:
    tile, site = product.tile, landscape.site
    elevation, azimuth = sun(product.sensing, site.longitude, site.latitude)
    names = granule.Names.of(product)
    properties: dict[str, Any] = {
        "created": _time(product.created),
        "platform": PLATFORMS[product.flight.platform],
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "proj:epsg": tile.epsg,
        "mgrs:utm_zone": tile.zone,
        "mgrs:latitude_band": tile.latitude_band,
        "mgrs:grid_square": tile.square,
        "grid:code": f"MGRS-{tile.name}",
        "view:sun_azimuth": azimuth,
        "view:sun_elevation": elevation,
        **granule.percentages(product, landscape, new=is_new(product)),
        "s2:product_type": "S2MSI2A",
        "s2:processing_baseline": product.baseline,
        "s2:product_uri": names.product,
        "s2:generation_time": f"{product.generated:%Y-%m-%dT%H:%M:%S}.000000Z",
        "s2:datatake_id": names.datatake,
        "s2:datatake_type": "INS-NOBS",
        "s2:datastrip_id": names.datastrip,
        "s2:reflectance_conversion_factor": granule.reflectance_factor(product.sensing),
        "datetime": f"{product.sensing:%Y-%m-%dT%H:%M:%S.%f}Z",
        "earthsearch:payload_id": f"{_WORKFLOWS[product.collection]}/{_digest(product.id + product.baseline)}",
        "processing:software": {_SOFTWARE[product.collection]: "2025.03.06" if is_new(product) else "0.1.0"},
        "updated": _time(product.created),
        "license": LICENCE,
        "providers": PROVIDERS,
    }
    if is_new(product):
        angles = granule.mean_angles(product, landscape)
        zeniths, azimuths = [a.zenith for a in angles.values()], [a.azimuth for a in angles.values()]
        properties |= {
            "proj:centroid": {
                "lat": round(sum(p[1] for p in ring[:-1]) / (len(ring) - 1), 5),
                "lon": round(sum(p[0] for p in ring[:-1]) / (len(ring) - 1), 5),
            },
            "view:azimuth": sum(azimuths) / len(azimuths),
            "view:incidence_angle": sum(zeniths) / len(zeniths),
            "s2:tile_id": names.tile,
        }
    else:
        properties |= {"s2:granule_id": names.tile}
    if product.collection == LEGACY:
        properties |= {
            "s2:sequence": str(product.sequence),
            "earthsearch:s3_path": f"s3://sentinel-cogs/{product.folder}",
            "earthsearch:boa_offset_applied": product.boa_flag,
        }
    else:
        properties |= {"storage:platform": "AWS", "storage:region": "us-west-2", "storage:requester_pays": False}
    return properties


_WORKFLOWS: Final = {
    LEGACY: "roda-sentinel2/workflow-sentinel2-to-stac",
    COLLECTION_1: "roda-sentinel-2-c1-l2a/workflow-sentinel-2-c1-l2a-to-stac",
}
_SOFTWARE: Final = {LEGACY: "sentinel2-to-stac", COLLECTION_1: "sentinel-2-c1-l2a-to-stac"}


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _links(product: SentinelProduct) -> list[dict[str, str]]:
    collection = f"/v1/collections/{product.collection}"
    own = f"{collection}/items/{product.id}"
    bucket = "sentinel-cogs" if product.collection == LEGACY else "e84-earth-search-sentinel-data"
    links = [
        {"rel": "self", "type": "application/geo+json", "href": own},
        {
            "rel": "canonical",
            "href": f"s3://{bucket}/{product.folder}/{product.id}.json",
            "type": "application/json",
        },
    ]
    tile, day = product.tile, product.sensing
    if product.collection == LEGACY:
        notice = "https://sentinel.esa.int/documents/247904/690755/Sentinel_Data_Legal_Notice"
        l1c = f"/v1/collections/sentinel-2-l1c/items/{product.id.removesuffix('L2A')}L1C"
        links += [
            {"rel": "license", "href": notice},
            {"rel": "derived_from", "href": l1c, "type": "application/geo+json"},
        ]
    else:
        granule_home = f"tiles/{tile.zone}/{tile.latitude_band}/{tile.square}/{day.year}/{day.month}/{day.day}/0"
        links.append(
            {
                "rel": "via",
                "href": f"s3://sentinel-s2-l2a/{granule_home}/metadata.xml",
                "type": "application/xml",
                "title": "Granule Metadata in Sinergize RODA Archive",
            }
        )
    return [
        *links,
        {"rel": "parent", "type": "application/json", "href": collection},
        {"rel": "collection", "type": "application/json", "href": collection},
        {"rel": "root", "type": "application/json", "href": "/v1"},
        {"rel": "thumbnail", "href": f"{own}/thumbnail"},
    ]


def _assets(product: SentinelProduct) -> dict[str, Any]:
    """Bands, masks and metadata; legacy items also list the JPEG 2000 twins (requester pays, not served)."""
    home = f"/data/{product.folder}"
    legacy = product.collection == LEGACY
    bands = [band for band in BANDS if not (band == "nir08" and product.quirk == "missing_nir08")]
    assets = {band: _band_asset(product, band, f"{home}/{BAND_FILES[band]}.tif") for band in bands}
    assets["scl"] = _raster(product, "Scene classification map (SCL)", f"{home}/SCL.tif", 20, "uint8")
    metadata = "granule_metadata.xml" if legacy else "metadata.xml"
    info = "tileinfo_metadata.json" if legacy else "tileInfo.json"
    thumbnail = "thumbnail.jpg" if legacy else "L2A_PVI.jpg"
    assets["granule_metadata"] = {
        "href": f"{home}/{metadata}",
        "type": "application/xml",
        "roles": ["metadata"],
    }
    assets["tileinfo_metadata"] = {"href": f"{home}/{info}", "type": "application/json", "roles": ["metadata"]}
    title = "Thumbnail image" if not is_new(product) else "Thumbnail of preview image"
    assets["thumbnail"] = {
        "href": f"{home}/{thumbnail}",
        "type": "image/jpeg",
        "title": title,
        "roles": ["thumbnail"],
    }
    if not legacy:
        return assets
    tile, sensing = product.tile, product.sensing
    twin = f"s3://sentinel-s2-l2a/tiles/{tile.zone}/{tile.latitude_band}/{tile.square}"
    twin += f"/{sensing.year}/{sensing.month}/{sensing.day}/{product.sequence}"
    for band in bands:
        assets[f"{band}-jp2"] = assets[band] | {"href": f"{twin}/{BAND_FILES[band]}.jp2", "type": "image/jp2"}
    assets["scl-jp2"] = assets["scl"] | {"href": f"{twin}/SCL.jp2", "type": "image/jp2"}
    return assets


def _raster(product: SentinelProduct, title: str, href: str, resolution: int, kind: str, **band: Any) -> dict[str, Any]:
    side = 10 * product.tile.size // resolution
    return {
        "href": href,
        "type": _COG,
        "title": title,
        "proj:shape": [side, side],
        "proj:transform": list(product.tile.transform(resolution)),
        "raster:bands": [{"nodata": 0, "data_type": kind, "spatial_resolution": resolution, **band}],
        "roles": ["data"] if is_new(product) else ["data", "reflectance"],
        **({"gsd": resolution} if is_new(product) else {}),
    }


def _band_asset(product: SentinelProduct, band: str, href: str) -> dict[str, Any]:
    old_title, new_title, common, wavelength, width = _FACTS[band]
    new = is_new(product)
    description = {"name": BAND_FILES[band] if new else band, "common_name": common}
    if not new:
        description["description"] = old_title.rsplit(" - ", 1)[0]
    # The offset is stated wherever the producer had one, whether or not it is still in the pixels.
    scale: dict[str, Any] = {"scale": 0.0001, "offset": -0.1 if product.has_offset else 0}
    bits: dict[str, Any] = {} if new else {"bits_per_sample": 15}
    resolution = RESOLUTION[band]
    asset = _raster(product, new_title if new else old_title, href, resolution, "uint16", **bits, **scale)
    return asset | {
        "eo:bands": [description | {"center_wavelength": wavelength, "full_width_half_max": width}],
        "gsd": resolution,
        "roles": ["data", "reflectance"],
    }


def _outline(tile: Tile, edges: tuple[Edge, ...], landscape: Landscape) -> list[tuple[float, float]]:
    """Closed ring in degrees: the tile, cut where the data (are said to) end."""
    own = landscape.cells.tile
    centre_east, centre_north = (own.west + own.east) / 2, (own.north + own.south) / 2
    corners = tile.corners()
    if tile == own:
        for edge in edges:
            corners = _clip(corners, Edge(edge.a, edge.b, edge.c + edge.a * centre_east + edge.b * centre_north))
    ring = [(round(x, 9), round(y, 9)) for x, y in tile.lonlat(corners)]
    return [*ring, ring[0]]


def _clip(corners: list[tuple[float, float]], edge: Edge) -> list[tuple[float, float]]:
    """The part of a polygon with a x + b y <= c (one step of Sutherland and Hodgman's clipping)."""
    kept: list[tuple[float, float]] = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        d0, d1 = edge.a * x0 + edge.b * y0 - edge.c, edge.a * x1 + edge.b * y1 - edge.c
        if d0 <= 0:
            kept.append((x0, y0))
        if d0 * d1 < 0:
            share = d0 / (d0 - d1)
            kept.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return kept


def collections() -> list[dict[str, Any]]:
    """Both collections, as the catalogue lists them."""
    titles = {LEGACY: "Sentinel-2 Level-2A", COLLECTION_1: "Sentinel-2 Collection 1 Level-2A"}
    return [_collection(identifier, title) for identifier, title in titles.items()]


def _collection(identifier: str, title: str) -> dict[str, Any]:
    home = f"/v1/collections/{identifier}"
    bands = [
        {"name": band, "common_name": facts[2], "center_wavelength": facts[3], "full_width_half_max": facts[4]}
        for band, facts in _FACTS.items()
    ]
    return {
        "type": "Collection",
        "id": identifier,
        "stac_version": "1.0.0",
        "title": title,
        "description": f"{title} of the sandbox, in the real archive's shape; {NOTICE}.",
        "links": [
            {"rel": "self", "type": "application/json", "href": home},
            {"rel": "parent", "type": "application/json", "href": "/v1"},
            {"rel": "root", "type": "application/json", "href": "/v1"},
            {"rel": "items", "type": "application/geo+json", "href": f"{home}/items"},
        ],
        "stac_extensions": [
            "https://stac-extensions.github.io/item-assets/v1.0.0/schema.json",
            "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
            "https://stac-extensions.github.io/eo/v1.0.0/schema.json",
        ],
        "item_assets": {
            band: {"type": _COG, "title": facts[0], "gsd": RESOLUTION[band], "roles": ["data", "reflectance"]}
            for band, facts in _FACTS.items()
        },
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2015-06-27T10:25:31.456000Z", None]]},
        },
        "license": LICENCE,
        "providers": PROVIDERS,
        "keywords": ["sentinel", "earth observation", "esa"],
        "summaries": {
            "platform": list(PLATFORMS.values()),
            "constellation": ["sentinel-2"],
            "instruments": ["msi"],
            "gsd": [10, 20, 60],
            "eo:bands": bands,
        },
    }
