"""Stacks that are held in less memory show the images that they are of, and are written as those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from satfusion_assets.store.layers import FUSED_STEP, layer_type
from satfusion_assets.store.pack_reader import read_layers
from satfusion_assets.store.packs import EncodedLayer, PackLayer, rows_encoder, write_pack
from satfusion_assets.store.small_rasters import read_rasters, write_rasters
from satfusion_assets.store.stacks import ImageStack, SpreadImages, SteppedImages, known_share

SHAPE = (40, 2, 66, 35)
GRID = GeoBox.from_bbox((600_000, 5_200_000, 600_350, 5_200_660), crs="EPSG:32632", resolution=10)
DAYS = np.datetime64("2024-03-01") + np.arange(SHAPE[0])
PLACE: tuple[tuple[float, ...], int] = ((10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 32632)


def season() -> np.ndarray:
    """Whole numbers of the step, a tenth missing."""
    rng = np.random.default_rng(1)
    values = (rng.integers(-16_000, 48_000, SHAPE) * FUSED_STEP).astype(np.float32)
    values[rng.random(SHAPE) < 0.1] = np.nan
    return values


def stepped() -> ImageStack:
    layer = layer_type("fused")
    return SteppedImages(layer.encode("fused", season()), layer)


def coarse() -> np.ndarray:
    return np.random.default_rng(2).random((40, 2, 3, 2)).astype(np.float32)


ROWS, COLUMNS = np.arange(66) // 30, np.arange(35) // 30
SEEN: dict[str, Any] = {
    "stepped": (stepped, season),
    "spread": (lambda: SpreadImages(coarse(), ROWS, COLUMNS), lambda: coarse()[..., ROWS[:, None], COLUMNS]),
}


@pytest.mark.parametrize("kind", list(SEEN))
def test_a_stack_shows_its_images(kind: str) -> None:
    make, expected = SEEN[kind]
    stack, whole = make(), expected()
    assert (stack.shape, len(stack), stack.dtype) == (SHAPE, 40, np.float32)
    assert stack.nbytes <= whole.nbytes / 2
    for seen, wanted in (
        (stack, whole),
        (stack[7], whole[7]),
        (stack[-1], whole[-1]),
        (stack[3:9], whole[3:9]),
        (stack[..., 2:60, 5:8], whole[..., 2:60, 5:8]),
        (stack[4:6][..., 2:60, 5:8][1], whole[5][:, 2:60, 5:8]),
    ):
        np.testing.assert_array_equal(np.asarray(seen), wanted)
    for seen, wanted in zip(stack, whole, strict=True):
        np.testing.assert_array_equal(seen, wanted)
    assert known_share(stack) == pytest.approx(np.isfinite(whole).mean())


def test_an_image_that_was_asked_for_may_be_changed() -> None:
    stack = stepped()
    stack[0][...] = 7
    np.testing.assert_array_equal(stack[0], season()[0])


@pytest.mark.parametrize("kind", list(SEEN))
def test_rasters_and_packs_of_a_stack_are_those_of_its_images(kind: str, tmp_path: Path) -> None:
    make, expected = SEEN[kind]
    written: dict[str, list[bytes]] = {}
    for name, stack in (("stack", make()), ("whole", expected())):
        paths = [tmp_path / f"{name}{number}.tif" for number in range(SHAPE[0])]
        write_rasters(paths, stack, GRID, band_names=("red", "nir"))
        write_pack(tmp_path / name, [PackLayer("fused", DAYS, stack, ("red", "nir"))], *PLACE)
        packed = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written[name] = [path.read_bytes() for path in (*paths, *packed)]
    assert written["stack"] == written["whole"]
    np.testing.assert_array_equal(read_rasters(paths), expected())


@pytest.mark.parametrize("portion", [6, 7, 30, 66])
def test_a_layer_encoded_row_by_row_is_the_file_of_the_whole_one(portion: int, tmp_path: Path) -> None:
    """From the bottom up, some portions across two rows of chunks."""
    stored = layer_type("fused").encode("fused", season())
    encoder = rows_encoder("fused", SHAPE)
    for first in reversed(range(0, SHAPE[2], portion)):
        encoder.take(first, stored[..., first : first + portion, :])
    write_pack(tmp_path / "rows", [EncodedLayer("fused", DAYS, ("red", "nir"), encoder.encoded())], *PLACE)
    write_pack(tmp_path / "whole", [PackLayer("fused", DAYS, stored, ("red", "nir"))], *PLACE)
    files = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file())
    assert len(files) > 5
    for file in files:
        assert (tmp_path / "rows" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file


def test_packs_whose_numbers_differ_in_one_pixel_have_other_editions(tmp_path: Path) -> None:
    told = []
    for number, pixel in enumerate((0.25, 0.25 + FUSED_STEP)):
        values = season()
        values[-1, -1, -1, -1] = pixel
        write_pack(tmp_path / str(number), [PackLayer("fused", DAYS, values, ("red", "nir"))], *PLACE)
        told.append((tmp_path / str(number) / "zarr.json").read_text())
        (found,) = read_layers(tmp_path / str(number), "p")
        assert layer_type("fused").decode(found.values)[-1, -1, -1, -1] == np.float32(pixel)
    assert told[0] != told[1]


def test_a_layer_encoded_without_some_days_of_the_pack_is_refused(tmp_path: Path) -> None:
    encoder = rows_encoder("fused", SHAPE)
    encoder.take(0, layer_type("fused").encode("fused", season()))
    layers: list[EncodedLayer | PackLayer] = [
        EncodedLayer("fused", DAYS, ("red", "nir"), encoder.encoded()),
        PackLayer("s2", DAYS[-1:] + 1, season()[:1], ("red", "nir")),
    ]
    with pytest.raises(ValueError, match="fused was encoded without"):
        write_pack(tmp_path / "p", layers, *PLACE)


@pytest.mark.parametrize("rows", [slice(0, 30), slice(30, 66), slice(0, 40)])
def test_an_array_that_was_not_given_all_of_its_rows_is_refused(rows: slice) -> None:
    encoder = rows_encoder("fused", SHAPE)
    encoder.take(rows.start, layer_type("fused").encode("fused", season()[..., rows, :]))
    with pytest.raises(ValueError, match="not given all of its rows"):
        encoder.encoded()


@pytest.mark.parametrize("key", [(slice(1, 3), slice(0, 1)), (slice(1, 3), ...), (...,), (..., slice(1, 4), 2)])
def test_spread_images_are_cut_by_image_or_by_rows_and_columns_alone(key: tuple[Any, ...]) -> None:
    with pytest.raises(IndexError, match="neither"):
        SpreadImages(coarse(), ROWS, COLUMNS)[key]


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFF0000])
def test_every_nan_is_stored_as_missing(bits: int) -> None:
    """Rounding a float's bits carries into the sign where all of them are set."""
    layer = layer_type("standard_deviation")
    values = np.array([[[0.01]], [[0]]], np.float32)
    values.view(np.uint32)[1] = bits
    assert layer.encode("standard_deviation", values).ravel().tolist()[1] == layer.missing
