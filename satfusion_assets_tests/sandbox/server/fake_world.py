"""A small world whose every pixel can be said from its place: what the servers' tests serve and check against.

Run as a module it serves itself, so that clients and server live in different processes, as outside.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import xarray as xr
from rasterio.transform import from_origin

from satfusion_assets.sandbox.server.run import serve
from satfusion_assets.sandbox.world import Bounds

SITE = "innsbruck"
LATITUDE, LONGITUDE = 47.2, 11.4
TODAY = date(2024, 6, 30)
FIRST_SCENE = date(2024, 5, 2)
SCENES = 25
"""Scenes at five days' distance; those after TODAY are not there yet."""

ASSETS = {"blue": "B02", "green": "B03", "red": "B04", "nir08": "B8A", "scl": "SCL"}
SIZE, PIXEL = 512, 20.0
WEST, NORTH = 675_000.0, 5_235_000.0
CRS = "EPSG:32632"

OLCI, SYN = "SENTINEL3_OLCI_L1B", "SENTINEL3_SYN_L2_SYN"
STEP = 0.003
BANDS = {OLCI: ["B04", "B06", "B08", "B17"], SYN: ["Syn_Oa04_reflectance", "CLOUD_flags"]}
OVERPASSES = {OLCI: [timedelta(0)], SYN: [timedelta(hours=9, minutes=17), timedelta(hours=10, minutes=2)]}
NODATA = {OLCI: 0.0, SYN: float("nan")}
GAP = date(2024, 6, 10)
"""A day without any Sentinel-3 overpass."""

MIDDAY_IMAGES = 250


def scene_day(number: int) -> date:
    return FIRST_SCENE + timedelta(days=5 * number)


def scene_id(number: int) -> str:
    return f"S2{'AB'[number % 2]}_32TPT_{scene_day(number):%Y%m%d}_0_L2A"


def scene_pixels(number: int, asset: str) -> np.ndarray:
    """uint16 (SIZE, SIZE): another plane for every scene and band."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return (1000 + 100 * number + 10 * list(ASSETS).index(asset) + rows + 2 * columns).astype("uint16")


class FakeWorld:
    """The World protocol on these numbers."""

    def __init__(self, root: Path, today: date = TODAY) -> None:
        self.today = today
        self._root = root

    def refresh(self) -> bool:
        return False

    def collections(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "Collection",
                "id": "sentinel-2-l2a",
                "stac_version": "1.0.0",
                "description": "Sentinel-2 L2A",
                "license": "proprietary",
                "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
                "links": [{"rel": "license", "href": "https://sentinels.copernicus.eu/terms"}],
            }
        ]

    def items(
        self, collection: str, bounds: Bounds | None, start: datetime | None, end: datetime | None
    ) -> list[dict[str, Any]]:
        if collection != "sentinel-2-l2a":
            return []
        return [self._item(number) for number in reversed(range(SCENES)) if scene_day(number) <= self.today]

    def _item(self, number: int) -> dict[str, Any]:
        name, day = scene_id(number), scene_day(number)
        folder = f"/data/sentinel-s2-l2a-cogs/32/T/PT/{day.year}/{day.month}/{name}"
        west, south, east, north = (11.31, 47.12, 11.45, 47.24)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "collection": "sentinel-2-l2a",
            "bbox": [west, south, east, north],
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "stac_extensions": ["https://stac-extensions.github.io/eo/v1.1.0/schema.json"],
            "properties": {
                "datetime": f"{day}T10:06:11.024000Z",
                "updated": f"{day}T20:00:00.500Z",
                "platform": f"sentinel-2{'ab'[number % 2]}",
                "eo:cloud_cover": 4.0 * number,
                "s2:processing_baseline": "05.10",
                "earthsearch:boa_offset_applied": True,
                "proj:epsg": 32632,
            },
            "links": [{"rel": "canonical", "href": f"s3://sentinel-cogs{folder}/{name}.json"}],
            "assets": {
                asset: {"href": f"{folder}/{band}.tif", "type": "image/tiff; application=geotiff"}
                for asset, band in ASSETS.items()
            },
        }

    def file(self, path: str) -> Path | None:
        if path == f"/data/archive/{SITE}/ROI/{SITE}_GR_1000_1day.csv":
            return self._text(path, "#\n# 1-day summary product\n#\ndate,year,doy\n2024-06-01,2024,153\n")
        if path.startswith(f"/data/archive/{SITE}/2024/") and path.endswith(".jpg"):
            return self._text(path, "not really a picture")
        for number in range(SCENES):
            for asset, band in ASSETS.items():
                if path.endswith(f"/{scene_id(number)}/{band}.tif") and scene_day(number) <= self.today:
                    return self._geotiff(path, number, asset)
        return None

    def _text(self, path: str, text: str) -> Path:
        target = self._root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def _geotiff(self, path: str, number: int, asset: str) -> Path:
        target = self._root / path.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            profile = {"driver": "GTiff", "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
            transform = from_origin(WEST, NORTH, PIXEL, PIXEL)
            shape = {"height": SIZE, "width": SIZE, "count": 1, "dtype": "uint16", "nodata": 0}
            with rasterio.open(target, "w", crs=CRS, transform=transform, **profile, **shape) as file:
                file.write(scene_pixels(number, asset), 1)
        return target

    def cube_collections(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "Collection",
                "id": name,
                "stac_version": "1.0.0",
                "description": name,
                "license": "free",
                "extent": {
                    "spatial": {"bbox": [[-180, -90, 180, 90]]},
                    "temporal": {"interval": [["2016-04-25", None]]},
                },
                "links": [],
                "cube:dimensions": {
                    "x": {"type": "spatial", "axis": "x", "reference_system": 4326},
                    "y": {"type": "spatial", "axis": "y", "reference_system": 4326},
                    "t": {"type": "temporal", "extent": ["2016-04-25", None]},
                    "bands": {"type": "bands", "values": bands},
                },
            }
            for name, bands in BANDS.items()
        ]

    def cube(self, collection: str, bounds: Bounds, start: datetime, end: datetime, bands: list[str]) -> xr.DataArray:
        """One plane a step and band on a global grid of STEP degrees: what is at a place does not depend on bounds."""
        west, south, east, north = bounds
        columns = np.arange(np.floor(west / STEP), np.ceil(east / STEP))
        rows = np.arange(np.ceil(north / STEP), np.floor(south / STEP), -1)
        first = datetime.combine(start.date(), datetime.min.time(), UTC)
        days = [first + timedelta(days=n) for n in range((end - first).days + 1)]
        times = [
            day + offset
            for day in days
            for offset in OVERPASSES[collection]
            if start <= day + offset <= end and day.date() <= self.today and day.date() != GAP
        ]
        values = np.empty((len(times), len(bands), rows.size, columns.size), "float32")
        for step, time in enumerate(times):
            for at, band in enumerate(bands):
                values[step, at] = cube_value(time.date(), band, columns[None, :], rows[:, None])
        return xr.DataArray(
            values,
            dims=("t", "bands", "y", "x"),
            coords={
                "t": np.array([time.replace(tzinfo=None) for time in times], "datetime64[ns]"),
                "bands": bands,
                "y": (rows - 0.5) * STEP,
                "x": (columns + 0.5) * STEP,
            },
            attrs={"nodata": NODATA[collection]},
        )

    def cameras(self) -> list[dict[str, Any]]:
        return [
            {"Sitename": SITE, "Lat": LATITUDE, "Lon": LONGITUDE, "utc_offset": 1, "active": True},
            {"Sitename": "laret", "Lat": 46.8, "Lon": 9.9, "utc_offset": 1, "active": False},
        ]

    def roi_lists(self) -> list[dict[str, Any]]:
        summary = f"/data/archive/{SITE}/ROI/{SITE}_GR_1000_1day.csv"
        return [
            {"site": SITE, "roitype": "GR", "sequence_number": 1000, "one_day_summary": summary},
            {"site": "laret", "roitype": "EN", "sequence_number": 1000, "one_day_summary": None},
        ]

    def midday_images(self, site: str) -> list[dict[str, Any]]:
        if site != SITE:
            return []
        days = [self.today - timedelta(days=back) for back in reversed(range(MIDDAY_IMAGES))]
        return [
            {
                "site": SITE,
                "imgdate": f"{day}",
                "imgpath": f"/data/archive/{SITE}/{day:%Y/%m}/{SITE}_{day:%Y_%m_%d}_120006.jpg",
            }
            for day in days
        ]


def cube_value(day: date, band: str, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The value of a cell of the global grid: a gentle pattern, different every day and band."""
    names = [name for known in BANDS.values() for name in known]
    return 0.1 + 0.001 * day.timetuple().tm_yday + 0.01 * names.index(band) + 0.0005 * ((7 * column + 3 * row) % 11)


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    serve(lambda: FakeWorld(Path(folder) / "world"), Path(folder) / "server", int(rest[0]) if rest else 0)
