"""Folders of rasters that nobody made for this program: what is odd is understood, or named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.fusion.efast import Status
from satfusion_assets.own_images.folder_images import open_folder
from satfusion_assets.own_images.fuse_folder import FuseFolder, fuse_folder
from satfusion_assets.own_images.units import refuse_two_units
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Method
from satfusion_assets_tests.fusion.efast.scenes import RATIO, Stack, random
from satfusion_assets_tests.pipeline.folders import DAYS, read, write, write_folder

DEGREES = 1e-5
"""Degrees of a metre, roughly."""


@pytest.fixture
def stack() -> Stack:
    return random(5, shape=(3, 2))


@pytest.fixture
def folder(tmp_path: Path, stack: Stack) -> Path:
    return write_folder(tmp_path, stack)


def again(path: Path, change: Callable[[np.ndarray], np.ndarray] = lambda image: image, **profile: Any) -> None:
    """Write a raster again with other pixels or another profile."""
    with rasterio.open(path) as old:
        options, image, tags = old.profile | profile, old.read(), old.descriptions
    with rasterio.open(path, "w", **options) as raster:
        raster.write(change(image).astype(options["dtype"]))
        raster.descriptions = tags


def everywhere(folder: Path, which: str, **profile: Any) -> None:
    for path in folder.glob(which):
        again(path, **profile)


# -- grids -----------------------------------------------------------------------------------------------------


def test_a_folder_without_a_reference_system_is_fused_without_one(folder: Path) -> None:
    everywhere(folder, "s?/*.tif", crs=CRS())
    made = fuse_folder(FuseFolder(folder, DAYS))
    with rasterio.open(made.paths[0]) as image, rasterio.open(next(folder.glob("s2/*_REFL.tif"))) as scene:
        assert image.crs is None
        assert image.transform == scene.transform


@pytest.mark.parametrize("pixels", [0.5, 50.0])
def test_grids_in_degrees_are_held_together_as_closely_as_those_in_metres(folder: Path, pixels: float) -> None:
    in_degrees = rasterio.Affine.translation(11, 47) * rasterio.Affine.scale(DEGREES)
    for path in folder.glob("s?/*.tif"):
        with rasterio.open(path) as raster:
            pixel = raster.transform.a
        again(path, crs="EPSG:4326", transform=in_degrees * rasterio.Affine.scale(pixel, -pixel))
    open_folder(folder, "REFL")
    moved = in_degrees * rasterio.Affine.translation(10 * pixels, 0)
    everywhere(folder, "s3/*.tif", transform=moved * rasterio.Affine.scale(10 * RATIO, -10 * RATIO))
    with pytest.raises(InvalidInput, match="do not nest"):
        open_folder(folder, "REFL")


def test_a_cloud_distance_of_another_place_is_named(folder: Path) -> None:
    everywhere(folder, "s2/*_DIST_CLOUD.tif", transform=rasterio.Affine(300, 0, 700_000, 0, -300, 5_300_000))
    with pytest.raises(InvalidInput, match=r"DIST_CLOUD\.tif must have the .* pixels of .*composite.*, at their place"):
        open_folder(folder, "REFL")


# -- values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "times", "few"),
    [("s2/*_REFL.tif", 1e4, 100), ("s2/*_REFL.tif", 100.0, 1), ("s3/*.tif", 100.0, 100), ("s3/*.tif", 1e4, 1)],
)
def test_images_in_two_units_are_named(folder: Path, which: str, times: float, few: int) -> None:
    """Percent, or digital numbers without their scale, beside reflectance: also where one file alone lost its scale."""
    odd = sorted(folder.glob(which))[:few]
    for path in odd:
        again(path, lambda image: image * times)
    with pytest.raises(InvalidInput, match=rf"{odd[0].name} holds values about .* not in one unit"):
        fuse_folder(FuseFolder(folder, DAYS))
    assert not (folder / "fusion").exists()


@pytest.mark.parametrize("times", [1.0, 10_000.0])
def test_one_unit_is_taken_whatever_it_is_and_so_are_snow_and_dark_water(folder: Path, times: float) -> None:
    for path in sorted(folder.glob("s2/*_REFL.tif")) + sorted(folder.glob("s3/*.tif")):
        again(path, lambda image: image * times)
    again(sorted(folder.glob("s2/*_REFL.tif"))[0], lambda image: np.full_like(image, 1.1 * times))
    again(sorted(folder.glob("s2/*_REFL.tif"))[1], lambda image: np.full_like(image, 0.0001 * times))
    again(sorted(folder.glob("s3/*.tif"))[0], lambda image: np.full_like(image, np.nan))
    refuse_two_units(open_folder(folder, "REFL"), threads=2)


def test_a_pixel_that_is_infinite_is_missing_and_spoils_no_other(folder: Path, stack: Stack) -> None:
    for path in folder.glob("s2/*_REFL.tif"):
        with rasterio.open(path) as raster:
            image = raster.read()
        image[0, 0, 0] = np.inf
        write(path, image, 10)
    made = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING))
    image = read(made.paths[0])
    assert np.isnan(image[0, 0, 0])
    assert np.isfinite(image).sum() == image.size - 1


def test_bands_named_in_another_order_are_not_fused_with_one_another(folder: Path) -> None:
    for path in folder.glob("s?/*.tif"):
        if not path.name.endswith("DIST_CLOUD.tif"):
            with rasterio.open(path, "r+") as raster:
                names = [f"band{number}" for number in raster.indexes]
                raster.descriptions = names if path.parent.name == "s2" else names[::-1]
    with pytest.raises(InvalidInput, match="has them in another order"):
        open_folder(folder, "REFL")


# -- what is made ----------------------------------------------------------------------------------------------


def test_images_say_their_method_and_keep_nothing_of_those_before(folder: Path) -> None:
    """A deviation, and statistics that a program left, are of the images that were there before."""
    kriged = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING))
    with rasterio.open(kriged.paths[0]) as image:
        assert image.tags()["METHOD"] == "kriging"
    statistics = kriged.paths[0].with_name(f"{kriged.paths[0].name}.aux.xml")
    statistics.write_text("<PAMDataset/>")
    made = fuse_folder(FuseFolder(folder, DAYS[:1]))
    with rasterio.open(made.paths[0]) as image:
        assert image.tags()["METHOD"] == "efast"
    assert sorted(path.name for path in (folder / "fusion").iterdir()) == [
        "REFL_20240615.tif", "REFL_20240620.tif", "REFL_SD_20240620.tif",
    ]  # fmt: skip


def test_a_day_without_any_value_is_not_called_fused(folder: Path) -> None:
    """One composite says nothing of a change."""
    day = DAYS[0]
    kept = min(folder.glob("s3/*.tif"), key=lambda path: abs(datetime.strptime(path.stem[-8:], "%Y%m%d").date() - day))
    for path in set(folder.glob("s3/*.tif")) - {kept}:
        path.unlink()
    said = CliRunner().invoke(
        app, ["fuse", str(folder), "--start", str(day), "--end", str(day)], catch_exceptions=False
    )
    assert "0 of 1 days fused" in said.output.replace("\n", " ")
    assert "1 without the four coarse values" in said.output.replace("\n", " ")


def test_a_day_of_clouds_alone_is_not_called_fused(folder: Path) -> None:
    for path in folder.glob("s2/*_REFL.tif"):
        again(path, lambda image: np.full_like(image, np.nan))
    assert fuse_folder(FuseFolder(folder, DAYS[:1])).status == (Status.NO_FINE,)
