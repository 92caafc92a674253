"""A season of random images, written as the folder that ``satfusion fuse`` takes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from satfusion_assets_tests.fusion.efast.scenes import RATIO, Stack

DAYS = (date(2024, 6, 15), date(2024, 6, 20))


def write(path: Path, image: np.ndarray, pixel: float) -> None:
    path.parent.mkdir(exist_ok=True)
    bands, height, width = image.shape
    profile = {"driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": image.dtype}
    transform = from_origin(600_000, 5_200_020, pixel, pixel)
    with rasterio.open(path, "w", **profile, crs="EPSG:32632", transform=transform, nodata=np.nan) as raster:
        raster.write(image)


def name(day: np.datetime64) -> str:
    return str(day).replace("-", "")


def write_folder(folder: Path, stack: Stack) -> Path:
    for day, image, distance in zip(stack.fine_days, stack.fine, stack.cloud_distance, strict=True):
        write(folder / "s2" / f"S2A_MSIL2A_{name(day)}_REFL.tif", image, 10)
        write(folder / "s2" / f"S2A_MSIL2A_{name(day)}_DIST_CLOUD.tif", distance[None], 10 * RATIO)
    for day, image in zip(stack.coarse_days, stack.coarse, strict=True):
        write(folder / "s3" / f"composite_{name(day)}.tif", image, 10 * RATIO)
    return folder


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as raster:
        return raster.read()
