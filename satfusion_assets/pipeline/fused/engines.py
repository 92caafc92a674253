"""Which engine fuses: the platform's own, or the authors' package where it is installed.

The package (https://github.com/DHI-GRAS/efast, ``pip install git+...``) reads and writes folders of rasters, so its
engine lays the arrays out in a temporary folder and reads the answer back. It has the traps that
``docs/fusion.md`` lists and no quality layers.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import ArrayLike, NDArray
from rasterio.transform import from_origin

from satfusion_assets.fusion.efast import Fused, Parameters, Status, check_images, fuse
from satfusion_assets.fusion.efast.inputs import Images, day_numbers
from satfusion_assets.fusion.efast.windows import windows
from satfusion_assets.fusion.season import Engine
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.settings import EngineName

__all__ = ["Engine", "EngineName", "engine", "fuse_with_package", "package_installed"]


def package_installed() -> bool:
    return find_spec("efast") is not None


def engine(name: EngineName) -> Engine:
    """The engine of that name; InvalidInput when the package is asked for and not installed."""
    if name is EngineName.SATFUSION:
        return fuse
    if not package_installed():
        raise InvalidInput("The engine 'efast' needs the authors' package efast; install it or use 'satfusion'.")
    return fuse_with_package


def fuse_with_package(
    prediction_days: ArrayLike,
    coarse: ArrayLike,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    *,
    ratio: int,
    sigma: float = 20.0,
    max_days: float = 30,
    cloud_distance_limit: float = 15.0,
    minimum_acquisition_importance: float = 0.0,
) -> Fused:
    """``fuse`` by the authors' package; fine pixels without a first band are written as its nodata, 0."""
    parameters = Parameters(ratio, sigma, max_days, cloud_distance_limit, minimum_acquisition_importance)
    images = check_images(coarse, coarse_days, fine, fine_days, cloud_distance, ratio)
    days = day_numbers(prediction_days, "prediction_days")
    values = np.full((len(days), images.bands, *images.fine.shape[2:]), np.nan, images.dtype)
    near = windows(days, images.coarse_days, parameters.coarse_reach).sizes
    scenes = windows(days, images.fine_days, parameters.max_days).sizes
    status = tuple(
        Status.NO_COARSE if not c else Status.NO_FINE if not f else Status.OK for c, f in zip(near, scenes, strict=True)
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _lay_out(folder, images, ratio)
        for p, day in enumerate(days):
            if status[p] is Status.OK:
                values[p] = _fuse_day(folder, int(day), parameters)
    return Fused(values, status)


def _fuse_day(folder: Path, day: int, parameters: Parameters) -> NDArray[Any]:
    when = np.datetime64(day, "D").astype(datetime)
    import_module("efast.efast").fusion(
        datetime(when.year, when.month, when.day),
        folder / "s3",
        folder / "s2",
        folder,
        "REFL",
        max_days=parameters.max_days,
        sigma=parameters.sigma,
        ratio=parameters.ratio,
        D=parameters.cloud_distance_limit,
        minimum_acquisition_importance=parameters.minimum_acquisition_importance,
    )
    with rasterio.open(folder / f"REFL_{when:%Y%m%d}.tif") as raster:
        image: NDArray[Any] = raster.read()
    return image


def _lay_out(folder: Path, images: Images, ratio: int) -> None:
    for name in ("s2", "s3"):
        (folder / name).mkdir()
    for place, (scene, day) in enumerate(zip(images.order, images.fine_days, strict=True)):
        stem = f"{place:04d}_MSIL2A_{_stamp(day)}"
        fine = np.where(np.isnan(images.fine[scene][:1]), 0, images.fine[scene])
        _write(folder / "s2" / f"{stem}_REFL.tif", fine, 10)
        _write(folder / "s2" / f"{stem}_DIST_CLOUD.tif", images.cloud_distance[scene][None], 10 * ratio)
    for day, image in zip(images.coarse_days, images.coarse, strict=True):
        _write(folder / "s3" / f"composite_{_stamp(day)}.tif", image, 10 * ratio)


def _stamp(day: np.int64) -> str:
    return str(np.datetime64(int(day), "D")).replace("-", "")


def _write(path: Path, image: NDArray[Any], pixel: float) -> None:
    bands, height, width = image.shape
    profile = {"driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": image.dtype}
    with rasterio.open(path, "w", **profile, crs="EPSG:32632", transform=from_origin(0, 0, pixel, pixel)) as raster:
        raster.write(image)
