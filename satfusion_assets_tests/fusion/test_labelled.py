"""A season's images with labels: what kernels take is what was labelled, at the days and places that it lies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from odc.geo.geobox import GeoBox

from satfusion_assets.fusion.labelled import label_season
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.vocabulary.scenarios import BANDS

RATIO = 3
GRID = GeoBox.from_bbox((600_000, 5_200_000, 600_060, 5_200_090), crs="EPSG:32632", resolution=10, tight=True)
FINE_DAYS = np.array(["2024-05-01", "2024-05-04"], "datetime64[D]")
COARSE_DAYS = np.array(["2024-05-01", "2024-05-02", "2024-05-04"], "datetime64[D]")


def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    shapes = {"fine": (2, 4, 9, 6), "cloud_distance": (2, 3, 2), "coarse": (3, 4, 3, 2)}
    return {name: random.random(shape).astype(np.float32) for name, shape in shapes.items()}


def labelled(fine: np.ndarray, cloud_distance: np.ndarray, coarse: np.ndarray) -> xr.Dataset:
    images = (fine, FINE_DAYS, cloud_distance, coarse, COARSE_DAYS)
    return label_season(*images, bands=BANDS, grid=GRID, ratio=RATIO)


def test_kernels_take_the_arrays_that_were_labelled_without_a_copy() -> None:
    given = arrays()
    stack = SeasonStack.of(labelled(**given))
    for name, array in given.items():
        assert np.shares_memory(getattr(stack, name), array)
        assert np.array_equal(getattr(stack, name), array)
    assert np.array_equal(stack.fine_days, FINE_DAYS)
    assert np.array_equal(stack.coarse_days, COARSE_DAYS)
    assert stack.fine_days.dtype == FINE_DAYS.dtype
    assert stack.ratio == RATIO


def test_the_order_of_axes_is_the_labels_own() -> None:
    given = arrays()
    turned = labelled(**given).transpose("x", "band", "y", "time", "x_coarse", "y_coarse", "time_coarse")
    stack = SeasonStack.of(turned)
    assert all(np.array_equal(getattr(stack, name), array) for name, array in given.items())


def test_places_are_the_middles_of_pixels_on_the_grids_of_both_sensors() -> None:
    season = labelled(**arrays())
    assert season["x"].values[[0, -1]].tolist() == [600_005, 600_055]
    assert season["y"].values[[0, -1]].tolist() == [5_200_085, 5_200_005]
    assert season["x_coarse"].values.tolist() == [600_015, 600_045]
    assert season["y_coarse"].values.tolist() == [5_200_075, 5_200_045, 5_200_015]
    assert season["spatial_ref"].attrs["grid_mapping_name"] == "transverse_mercator"
    assert season["band"].values.tolist() == list(BANDS)


def test_an_array_of_another_size_than_its_labels_is_refused() -> None:
    given = arrays()
    with pytest.raises(ValueError, match="time"):
        labelled(given["fine"], given["cloud_distance"][:1], given["coarse"])
