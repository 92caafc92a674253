"""STAC items of a fused season: one for the season, and one for each of its days.

STAC 1.1 with the extensions projection 2.0, file 2.1, processing 1.2, eo 1.1 and raster 2.0 (bands carry data type,
nodata and unit by themselves since 1.1). Every address is relative, so that the data root can be moved or served as is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from posixpath import basename
from typing import Any, Final

import pystac
from odc.geo.geobox import GeoBox
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension

from satfusion_assets.pipeline.coarse_source import columns
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.stac_catalogue import files
from satfusion_assets.store import View
from satfusion_assets.store.manifest import FileRecord
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.scenarios import BANDS, Mode, Scenario
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets.vocabulary.sites import SiteSeason

PROCESSING: Final = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"
EO: Final = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
"""Bands as they were named before STAC 1.1, beside the present ones: odc-stac 0.5 takes names from nowhere else."""
RASTER: Final = "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
ZARR: Final = "application/vnd.zarr; version=3"
UP: Final = "../../.."
"""From a site-season's folder of the catalogue to the data root."""
COMMON_NAMES: Final = {"blue": "blue", "green": "green", "red": "red", "nir": "nir08"}
"""STAC's names of our bands; B8A is its nir08."""
SHA256: Final = "1220"
"""Multihash: SHA2-256, 32 bytes."""


@dataclass(frozen=True)
class FusedSeason:
    """What the catalogue says of a season under one scenario. pack: its Zarr store, where there is one."""

    processed: View
    pack: View | None
    scenario: Scenario

    @property
    def season(self) -> SiteSeason:
        return self.processed.product.site_season

    @property
    def images(self) -> list[str]:
        """The fused images, in order of their days."""
        return self.processed.names(f"{ProcessedLayout(self.scenario).folder}/fusion/*.geotiff")

    @property
    def sources(self) -> Sequence[str]:
        """What the archives say of their data."""
        return list(self.processed.manifest.parameters.get("sources", []))


def season_item(fused: FusedSeason) -> pystac.Item:
    """The season as one item, whose assets are its days, its pack and its QGIS layers."""
    images, season, scenario = fused.images, fused.season, fused.scenario
    first, last = (_noon(name) for name in (images[0], images[-1]))
    grid = fused.processed.read_geobox(images[0])
    item = pystac.Item(
        id=f"{season.key}_{scenario.key}",
        geometry=_footprint(grid),
        bbox=list(grid.extent.to_crs("EPSG:4326").boundingbox),
        datetime=None,
        start_datetime=first,
        end_datetime=last,
        properties={
            "title": f"{season.site} {season.season}, fused by {scenario.key}",
            "description": " ".join([_made_of(fused.processed), *fused.sources]),
            "satfusion:site": season.site,
            "satfusion:season": season.season,
            "satfusion:scenario": scenario.key,
        }
        | _processing(fused.processed),
        stac_extensions=[PROCESSING],
    )
    _add_projection(item, grid)
    days = basename(files.days(season, scenario))
    item.add_asset(
        "days", pystac.Asset(days, "An item for each day", media_type="application/geo+json", roles=["index"])
    )
    if fused.pack is not None:
        pack = pystac.Asset(_below(season, pack_folder(scenario)), "Season as xarray opens it", None, ZARR, ["data"])
        item.add_asset("pack", pack)
    style = f"{ProcessedLayout(scenario).folder}/fusion/season.qlr"
    if style in fused.processed.manifest.files:
        layers = pystac.Asset(_below(season, style), "QGIS layer definition", None, "application/xml", ["metadata"])
        item.add_asset("qgis", layers)
        _add_file(layers, fused.processed.manifest.files[style])
    return item


def day_items(fused: FusedSeason) -> list[pystac.Item]:
    """An item for each fused day; its one asset is the image with its bands."""
    grid = fused.processed.read_geobox(fused.images[0])
    geometry, box = _footprint(grid), list(grid.extent.to_crs("EPSG:4326").boundingbox)
    found = []
    for name in fused.images:
        item = pystac.Item(
            id=f"{fused.season.key}_{fused.scenario.key}_{day_of(name):%Y%m%d}",
            geometry=geometry,
            bbox=box,
            datetime=_noon(name),
            properties=_processing(fused.processed),
            stac_extensions=[PROCESSING, RASTER, EO],
        )
        _add_projection(item, grid)
        image = pystac.Asset(
            _below(fused.season, name), media_type=pystac.MediaType.COG, roles=["data"],
            extra_fields=_bands(fused.scenario) | {"raster:spatial_resolution": abs(grid.resolution.x)},
        )  # fmt: skip
        item.add_asset("image", image)
        _add_file(image, fused.processed.manifest.files[name])
        found.append(item)
    return found


def _bands(scenario: Scenario) -> dict[str, list[dict[str, str]]]:
    plain = {"data_type": "float32", "nodata": "nan", "unit": "1"}
    names = ("gcc",) if scenario.mode is Mode.ITB else BANDS
    common = [{"common_name": COMMON_NAMES[name]} if name in COMMON_NAMES else {} for name in names]
    return {
        "bands": [
            {"name": name} | plain | {f"eo:{key}": word for key, word in said.items()}
            for name, said in zip(names, common, strict=True)
        ],
        "eo:bands": [{"name": name} | said for name, said in zip(names, common, strict=True)],
    }


def _processing(view: View) -> dict[str, Any]:
    """What made it: versions of data and code, never the software's own, by which equal data would differ."""
    made_from = ", ".join(f"{reference}@{version}" for reference, version in sorted(view.manifest.inputs.items()))
    return {
        "processing:lineage": f"{view.product.slug}@{view.version}, made from {made_from}",
        "processing:version": f"{view.product.name} {view.manifest.code_version}",
    }


def _add_projection(item: pystac.Item, grid: GeoBox) -> None:
    assert grid.crs is not None, "products are georeferenced"
    projection = ProjectionExtension.ext(item, add_if_missing=True)
    projection.apply(
        code=f"EPSG:{grid.crs.epsg}",
        bbox=list(grid.boundingbox),
        shape=list(grid.shape),
        transform=list(grid.affine)[:6],
    )


def _made_of(processed: View) -> str:
    if columns(processed)["s3_product"] == S3Product.NONE:
        return "Daily images made of Sentinel-2 alone."
    return "Daily images fused of Sentinel-2 and Sentinel-3."


def _add_file(asset: pystac.Asset, record: FileRecord) -> None:
    FileExtension.ext(asset, add_if_missing=True).apply(size=record.size, checksum=SHA256 + record.sha256)


def _footprint(grid: GeoBox) -> dict[str, Any]:
    geometry: dict[str, Any] = grid.extent.to_crs("EPSG:4326").json
    return geometry


def _noon(name: str) -> datetime:
    """A fused image is of a whole day; STAC wants a moment."""
    day = day_of(name)
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _below(season: SiteSeason, name: str) -> str:
    """The address of a file below a season's folder, from the catalogue's own."""
    return f"{UP}/{season.site}/{season.season}/{name}"
