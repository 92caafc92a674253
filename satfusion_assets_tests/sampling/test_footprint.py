"""A camera's footprint: where it lies, how it weighs, and what images say in it."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.sampling.footprint import (
    STANDS,
    WINDS,
    CameraView,
    Stand,
    azimuth_of,
    places,
    read_footprints,
    stand_of,
)
from satfusion_assets.vocabulary.errors import InvalidInput

GRID = Affine(10, 0, 0, 0, -10, 1500)
SHAPE = (150, 150)
MIDDLE = 750.0


def view(azimuth: float = 0.0, stand: Stand = STANDS["DB"], east: float = MIDDLE, north: float = MIDDLE) -> CameraView:
    return CameraView(east, north, azimuth, stand)


def spread(camera: CameraView) -> np.ndarray:
    return np.asarray(camera.weights(GRID, SHAPE).toarray()).reshape(SHAPE)


def centre(weights: np.ndarray) -> tuple[float, float]:
    """Metres east and north of the mast."""
    rows, columns = np.indices(SHAPE)
    return float((weights * (10 * columns + 5 - MIDDLE)).sum()), float(
        (weights * (1500 - 10 * rows - 5 - MIDDLE)).sum()
    )


@given(azimuth=st.floats(0, 360), code=st.sampled_from(sorted(STANDS)))
def test_every_footprint_is_the_whole_picture_and_lies_where_the_camera_looks(azimuth: float, code: str) -> None:
    weights = spread(view(azimuth, STANDS[code]))
    assert weights.sum() == pytest.approx(1)
    east, north = centre(weights)
    off = (np.degrees(np.arctan2(east, north)) - azimuth + 180) % 360 - 180
    assert abs(off) < 5


def test_the_picture_is_mostly_near_ground() -> None:
    stand = STANDS["DB"]
    weights = spread(view(0))
    distance = np.hypot(*(np.indices(SHAPE)[axis] * 10.0 + 5 - 750 for axis in (0, 1)))
    assert weights[distance < 3 * stand.height + 5].sum() > 0.5
    assert weights[distance > stand.farthest + 10].sum() == 0
    assert weights[distance < stand.nearest - 8].sum() == 0


def test_a_higher_camera_sees_farther() -> None:
    low, high = (spread(view(0, Stand(height, 200.0))) for height in (3.0, 20.0))
    assert centre(high)[1] > 2 * centre(low)[1]


def test_the_outline_holds_the_footprint() -> None:
    camera = view(90)
    border = np.array(camera.outline())
    assert (border[0] == border[-1]).all()
    assert border[:, 0].min() > MIDDLE, "it looks east, and the ground under the mast is not in the picture"
    assert np.hypot(*(border - MIDDLE).T).max() == pytest.approx(camera.stand.farthest)


def test_a_footprint_beyond_the_grid_is_refused() -> None:
    with pytest.raises(InvalidInput, match="larger extent"):
        view(0, north=1400.0).weights(GRID, SHAPE)


@pytest.mark.parametrize("number", range(16))
def test_winds_are_degrees_clockwise_from_north(number: int) -> None:
    assert azimuth_of(WINDS[number], 47) == pytest.approx(22.5 * number)
    assert azimuth_of(f" {WINDS[number].lower()} ", 47) == azimuth_of(WINDS[number], -47)


@pytest.mark.parametrize("word", ["", None, "UP", "somewhere"])
def test_a_camera_of_no_known_direction_looks_away_from_the_sun(word: str | None) -> None:
    assert (azimuth_of(word, 47), azimuth_of(word, -30)) == (0, 180)


def test_unknown_vegetation_is_looked_at_as_grass_is() -> None:
    assert stand_of(None) == stand_of("XX") == STANDS["GR"]
    assert stand_of("db") == STANDS["DB"]


def test_images_are_read_by_weight_and_what_they_do_not_show_is_left_out() -> None:
    columns = np.indices(SHAPE)[1]
    image = (columns * 10.0 + 5).astype(np.float32)
    weights = places([view(0), view(90)], GRID, SHAPE)
    north, east = read_footprints(image[None], weights)[0]
    assert north == pytest.approx(MIDDLE, abs=1)
    assert east == pytest.approx(MIDDLE + centre(spread(view(90)))[0], abs=0.01)
    half = np.where(columns < 75, np.nan, 1.0).astype(np.float32)
    seen = read_footprints(np.stack([half, np.full(SHAPE, np.nan, np.float32)]), weights)
    assert seen[0] == pytest.approx([1, 1])
    assert np.isnan(seen[1]).all()
    mostly = np.where(columns < 77, np.nan, 1.0).astype(np.float32)
    assert np.isnan(read_footprints(mostly[None], weights)[0, 0]), "less than half of it is there"
