"""What belongs to a granule beside its pixels: product names, view angles, statistics, and the MTD_TL.xml."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from satfusion_assets.sandbox.catalogue import SentinelProduct
from satfusion_assets.sandbox.geometry import generator
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.orbits import relative_orbits, sun

BAND_IDS: Final = (0, 4, 5, 11, 1, 2, 3, 7, 6, 8, 9, 10, 12)
"""bandId in the order in which the real files list them; 8 is B8A."""
_GRID: Final = 23
"""Nodes of the angle grids a side: every 5 km of a full tile."""
_DETECTORS: Final = (5, 6)


@dataclass(frozen=True)
class Names:
    """Identifiers of the SAFE product that a granule comes from."""

    product: str
    datatake: str
    datastrip: str
    tile: str
    tile_l1c: str

    @classmethod
    def of(cls, product: SentinelProduct) -> Names:
        flight, tile = product.flight, product.tile
        baseline, station = f"N{product.baseline}", "2" + flight.platform[-1] + "PS"
        taken, made = f"{product.datatake:%Y%m%dT%H%M%S}", f"{product.generated:%Y%m%dT%H%M%S}"
        granule = f"{made}_A{flight.absolute:06d}_T{tile.name}_{baseline}"
        return cls(
            product=f"{flight.platform}_MSIL2A_{taken}_{baseline.replace('.', '')}_R{flight.orbit:03d}"
            f"_T{tile.name}_{made}.SAFE",
            datatake=f"G{flight.platform}_{taken}_{flight.absolute:06d}_{baseline}",
            datastrip=f"{flight.platform}_OPER_MSI_L2A_DS_{station}_{made}_S{product.datastrip:%Y%m%dT%H%M%S}_{baseline}",
            tile=f"{flight.platform}_OPER_MSI_L2A_TL_{station}_{granule}",
            tile_l1c=f"{flight.platform}_OPER_MSI_L1C_TL_{station}_{granule}",
        )


@dataclass(frozen=True)
class Angle:
    """Direction from the ground to the sensor in degrees."""

    zenith: float
    azimuth: float


def mean_angles(product: SentinelProduct, landscape: Landscape) -> dict[int, Angle]:
    """Mean view angle of the tile by bandId: the bands look in slightly different directions."""
    site, flight = landscape.site, product.flight
    primary = flight.orbit == relative_orbits(site.longitude)[0]
    rng = generator(landscape.seed, site.name, "angles", flight.orbit)
    zenith = rng.uniform(3.0, 6.0) if primary else rng.uniform(7.5, 10.5)
    azimuth = rng.uniform(101, 108) if primary else rng.uniform(284, 291)
    return {
        band: Angle(
            float(zenith + 0.026 * rank + 0.004 * math.sin(7 * band)),
            float(azimuth + (0.10 if primary else -0.10) * rank),
        )
        for rank, band in enumerate((1, 7, 2, 3, 4, 10, 5, 11, 6, 8, 12, 0, 9))
    }


def reflectance_factor(moment: datetime) -> float:
    """Squared ratio of mean to actual distance from the sun."""
    day = moment.timetuple().tm_yday
    return 1 / (1 - 0.01673 * math.cos(0.0172 * (day - 4))) ** 2


def nodata_percentage(product: SentinelProduct, landscape: Landscape) -> float:
    """Share of the tile that was not sensed."""
    plan = landscape.plan
    seen = np.ones(plan.cover.shape, bool)
    for edge in product.edges:
        seen &= edge.a * plan.east + edge.b * plan.north <= edge.c
    weight = np.where(np.arange(seen.size) < landscape.cells.core_size**2, 1.0, 36.0)
    return round(100 * float(weight[~seen].sum() / weight.sum()), 6) if product.edges else 0.0


def percentages(product: SentinelProduct, landscape: Landscape, new: bool) -> dict[str, Any]:
    """Scene statistics from the day's weather; like the real ones they are about the whole tile, not the site."""
    day = product.sensing.date()
    sky = landscape.weather.sky(day)
    rng = generator(landscape.seed, product.entropy, "statistics")
    cloud = 100 * min(1.0, sky.cover * float(rng.uniform(0.95, 1.03)))
    split = sorted(rng.uniform(0, 1, 2).tolist())
    clear = 100 - cloud
    snow = clear * float(landscape.weather.snow_water(day, np.zeros(1, np.float32))[0] > 8) * 0.9
    shadow = min(clear - snow, 0.12 * cloud)
    land = clear - snow - shadow
    values: dict[str, Any] = {
        "eo:cloud_cover": round(cloud, 6),
        "s2:degraded_msi_data_percentage": 0,
        "s2:nodata_pixel_percentage": nodata_percentage(product, landscape),
        "s2:saturated_defective_pixel_percentage": 0,
        "s2:dark_features_percentage": round(0.02 * land, 6),
        "s2:cloud_shadow_percentage": round(shadow, 6),
        "s2:vegetation_percentage": round(0.60 * land, 6),
        "s2:not_vegetated_percentage": round(0.35 * land, 6),
        "s2:water_percentage": round(0.02 * land, 6),
        "s2:unclassified_percentage": round(0.01 * land, 6),
        "s2:medium_proba_clouds_percentage": round(cloud * split[0], 6),
        "s2:high_proba_clouds_percentage": round(cloud * (split[1] - split[0]), 6),
        "s2:thin_cirrus_percentage": round(cloud * (1 - split[1]), 6),
        "s2:snow_ice_percentage": round(snow, 6),
    }
    if new:
        del values["s2:dark_features_percentage"]
    return values


def metadata_xml(product: SentinelProduct, landscape: Landscape) -> bytes:
    """The granule's metadata file; for a product with that defect it ends half-way."""
    names, tile, site = Names.of(product), product.tile, landscape.site
    height, azimuth = sun(product.sensing, site.longitude, site.latitude)
    angles = mean_angles(product, landscape)
    listed = "\n".join(
        f"""        <Mean_Viewing_Incidence_Angle bandId="{band}">
          <ZENITH_ANGLE unit="deg">{angles[band].zenith:.14g}</ZENITH_ANGLE>
          <AZIMUTH_ANGLE unit="deg">{angles[band].azimuth:.15g}</AZIMUTH_ANGLE>
        </Mean_Viewing_Incidence_Angle>"""
        for band in BAND_IDS
    )
    grids = "\n".join(_band_grids(band, angles[band]) for band in range(13))
    sizes = "\n".join(
        f"""      <Size resolution="{step}">
        <NROWS>{10 * tile.size // step}</NROWS>
        <NCOLS>{10 * tile.size // step}</NCOLS>
      </Size>"""
        for step in (10, 20, 60)
    )
    positions = "\n".join(
        f"""      <Geoposition resolution="{step}">
        <ULX>{tile.west}</ULX>
        <ULY>{tile.north}</ULY>
        <XDIM>{step}</XDIM>
        <YDIM>-{step}</YDIM>
      </Geoposition>"""
        for step in (10, 20, 60)
    )
    schema = "https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd"
    instance = "http://www.w3.org/2001/XMLSchema-instance"
    text = f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-2A_Tile_ID xmlns:n1="{schema}" xmlns:xsi="{instance}" xsi:schemaLocation="{schema} {schema}">
  <n1:General_Info>
    <L1C_TILE_ID metadataLevel="Brief">{names.tile_l1c}</L1C_TILE_ID>
    <TILE_ID metadataLevel="Brief">{names.tile}</TILE_ID>
    <DATASTRIP_ID metadataLevel="Standard">{names.datastrip}</DATASTRIP_ID>
    <DOWNLINK_PRIORITY metadataLevel="Standard">NOMINAL</DOWNLINK_PRIORITY>
    <SENSING_TIME metadataLevel="Standard">{product.sensing:%Y-%m-%dT%H:%M:%S.%f}Z</SENSING_TIME>
  </n1:General_Info>
  <n1:Geometric_Info>
    <Tile_Geocoding metadataLevel="Brief">
      <HORIZONTAL_CS_NAME>WGS84 / UTM zone {tile.zone}{"N" if tile.epsg < 32700 else "S"}</HORIZONTAL_CS_NAME>
      <HORIZONTAL_CS_CODE>EPSG:{tile.epsg}</HORIZONTAL_CS_CODE>
{sizes}
{positions}
    </Tile_Geocoding>
    <Tile_Angles metadataLevel="Standard">
      <Sun_Angles_Grid>
{_grid("Zenith", 90 - height, 0.018)}
{_grid("Azimuth", azimuth, 0.035)}
      </Sun_Angles_Grid>
      <Mean_Sun_Angle>
        <ZENITH_ANGLE unit="deg">{90 - height:.13f}</ZENITH_ANGLE>
        <AZIMUTH_ANGLE unit="deg">{azimuth:.12f}</AZIMUTH_ANGLE>
      </Mean_Sun_Angle>
{grids}
      <Mean_Viewing_Incidence_Angle_List>
{listed}
      </Mean_Viewing_Incidence_Angle_List>
    </Tile_Angles>
  </n1:Geometric_Info>
  <n1:Quality_Indicators_Info metadataLevel="Standard">
    <Image_Content_QI>
{_statistics(product, landscape)}
    </Image_Content_QI>
  </n1:Quality_Indicators_Info>
</n1:Level-2A_Tile_ID>
"""
    encoded = text.encode()
    return encoded[: len(encoded) * 3 // 5] if product.quirk == "truncated_xml" else encoded


def _statistics(product: SentinelProduct, landscape: Landscape) -> str:
    values = percentages(product, landscape, new=False)
    rows = {
        "CLOUDY_PIXEL_PERCENTAGE" if key == "eo:cloud_cover" else key.removeprefix("s2:").upper(): value
        for key, value in values.items()
    }
    return "\n".join(f"      <{key}>{value:.6f}</{key}>" for key, value in rows.items())


def _band_grids(band: int, mean: Angle) -> str:
    """Angle grids of a band: each detector sees a part of the tile, the rest of its grid is NaN."""
    parts = []
    for detector in _DETECTORS:
        inner = detector == _DETECTORS[0]
        parts.append(
            f"""      <Viewing_Incidence_Angles_Grids bandId="{band}" detectorId="{detector}">
{_grid("Zenith", mean.zenith, 0.11, inner)}
{_grid("Azimuth", mean.azimuth, 0.25, inner)}
      </Viewing_Incidence_Angles_Grids>"""
        )
    return "\n".join(parts)


def _grid(name: str, centre: float, step: float, western: bool | None = None) -> str:
    """One grid of angles whose mean is ``centre``; a detector's grid ends along a slanted line."""
    middle = (_GRID - 1) / 2
    rows = []
    for row in range(_GRID):
        border = 13 - row / 8
        cells = (
            "NaN"
            if western is not None and western != (column < border)
            else f"{centre + step * (column - middle) - 0.2 * step * (row - middle):.6g}"
            for column in range(_GRID)
        )
        rows.append(f"            <VALUES>{' '.join(cells)}</VALUES>")
    values = "\n".join(rows)
    return f"""        <{name}>
          <COL_STEP unit="m">5000</COL_STEP>
          <ROW_STEP unit="m">5000</ROW_STEP>
          <Values_List>
{values}
          </Values_List>
        </{name}>"""


def tile_info(product: SentinelProduct, landscape: Landscape) -> dict[str, Any]:
    """The small JSON beside the granule's metadata."""
    tile = product.tile
    return {
        "path": f"tiles/{tile.zone}/{tile.latitude_band}/{tile.square}/{product.sensing:%Y/%-m/%-d}/{product.sequence}",
        "timestamp": f"{product.sensing:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "utmZone": tile.zone,
        "latitudeBand": tile.latitude_band,
        "gridSquare": tile.square,
        "dataCoveragePercentage": round(100 - nodata_percentage(product, landscape), 2),
        "cloudyPixelPercentage": percentages(product, landscape, new=True)["eo:cloud_cover"],
        "productName": Names.of(product).product.removesuffix(".SAFE"),
    }
