"""What a stage wrote is at hand for the next one, and is never taken for another version's."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox

from satfusion_assets.store import Product, ProductStore, small_rasters
from satfusion_assets.store.recent import WRITTEN, RecentStacks
from satfusion_assets.vocabulary.errors import ProductCorrupt
from satfusion_assets.vocabulary.sites import SiteSeason

FUSED = Product("fused", SiteSeason("innsbruck", 2024), "aggressive_sigma20")
NAMES = ("a.tif", "b.tif", "c.tif")
GRID = GeoBox.from_bbox((600_000, 5_200_000, 600_300, 5_200_200), crs="EPSG:32632", resolution=10)


def images(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.2, 0.1, (3, 2, *GRID.shape)).astype(np.float32)


def publish(store: ProductStore, stack: np.ndarray) -> None:
    with store.publish(FUSED) as draft:
        draft.write_stack(NAMES, stack, GRID, band_names=("red", "nir"))


def test_the_stage_that_follows_decodes_nothing(tmp_path: Path) -> None:
    store, stack = ProductStore(tmp_path), images(1)
    publish(store, stack)
    with store.read(FUSED) as view, mock.patch.object(small_rasters, "read_rasters", side_effect=AssertionError):
        found = view.read_stack(NAMES)
    np.testing.assert_array_equal(found, stack)


def test_whoever_changes_what_it_read_changes_nobody_elses(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    publish(store, images(1))
    with store.read(FUSED) as view:
        view.read_stack(NAMES)[...] = 0
        np.testing.assert_array_equal(view.read_stack(NAMES), images(1))
        seen = view.see_stack(NAMES)
        assert isinstance(seen, np.ndarray)
        with pytest.raises(ValueError, match="read-only"):
            seen[...] = 0


def test_kernels_get_the_one_array_that_is_held_marked_as_they_are_compiled_for(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    publish(store, images(1))
    with store.read(FUSED) as view:
        stack = view.kernel_stack(NAMES)
        assert stack.flags.writeable
        assert np.shares_memory(stack, view.see_stack(NAMES[1:]))
        assert not np.shares_memory(stack, view.read_stack(NAMES))
    np.testing.assert_array_equal(stack, images(1))


def test_what_was_seen_once_and_part_of_it_is_not_decoded_again(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    publish(store, images(1))
    WRITTEN.keep(())
    with store.read(FUSED) as view:
        view.see_stack(NAMES)
        with mock.patch.object(small_rasters, "read_rasters", side_effect=AssertionError):
            np.testing.assert_array_equal(view.see_stack(NAMES[1:]), images(1)[1:])


def test_each_version_and_each_order_has_its_own_pixels(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    publish(store, images(1))
    with store.read(FUSED) as old:
        publish(store, images(2))
        with store.read(FUSED) as new:
            np.testing.assert_array_equal(old.read_stack(NAMES), images(1))
            np.testing.assert_array_equal(new.read_stack(NAMES), images(2))
            np.testing.assert_array_equal(new.read_stack(NAMES[1:]), images(2)[1:])


def test_no_more_is_held_than_allowed() -> None:
    recent, stack = RecentStacks(most=2 * images(1).nbytes), images(1)
    for name in "abc":
        recent.hold([name], stack)
    recent.hold(["large"], np.concatenate([stack] * 3))
    assert [recent.find([name]) is not None for name in ("a", "b", "c", "large")] == [False, True, True, False]


def test_stacks_of_files_that_nobody_reads_any_more_are_let_go() -> None:
    recent = RecentStacks(most=9 * images(1).nbytes)
    recent.hold(["a", "b", "c"], images(1))
    recent.hold(["d", "e", "f"], images(2))
    recent.keep(["f", "a", "e", "d"])
    assert recent.find(["a"]) is None
    assert recent.find(["e", "f"]) is not None


def test_rasters_read_together_are_those_read_one_by_one(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    publish(store, images(1))
    with store.read(FUSED) as view:
        together = view.read_rasters(NAMES)
        for name, raster in zip(NAMES, together, strict=True):
            alone = view.read_raster(name)
            np.testing.assert_array_equal(raster.values, alone.values)
            assert (raster.geobox, raster.descriptions) == (alone.geobox, alone.descriptions)
            assert (raster.scale, np.isnan(raster.nodata or 0)) == (alone.scale, np.isnan(alone.nodata or 0))


@pytest.mark.parametrize("what", ["grid", "bands"])
def test_one_raster_unlike_the_others_is_named(tmp_path: Path, what: str) -> None:
    store = ProductStore(tmp_path)
    publish(store, images(1))
    with store.read(FUSED) as view:
        with rasterio.open(view.path(NAMES[1]), "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
            if what == "grid":
                dataset.transform = rasterio.Affine(10, 0, 0, 0, -10, 0)
            else:
                dataset.descriptions = ("nir", "red")
        with pytest.raises(ProductCorrupt, match=NAMES[1]):
            view.read_rasters(NAMES)


def test_rasters_of_the_same_images_are_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(folder: str, made_of: str | None, **other: Any) -> list[bytes]:
        paths = [tmp_path / folder / name for name in NAMES]
        paths[0].parent.mkdir()
        said: dict[str, Any] = {"band_names": ("red", "nir"), "tags": [{"DAY": name} for name in NAMES]}
        small_rasters.write_rasters(paths, images(1), GRID, made_of=made_of, **(said | other))
        return [path.read_bytes() for path in paths]

    def encoding(*_: Any, **__: Any) -> None:
        raise AssertionError("encoded")

    first = written("first", "one")
    monkeypatch.setattr("tifffile.imwrite", encoding)
    assert written("again", "one") == first
    for folder, made_of, other in (
        ("other images", "two", {}),
        ("not known", None, {}),
        ("other tags", "one", {"tags": [{"DAY": "x"}] * 3}),
        ("other bands", "one", {"band_names": ("nir", "red")}),
        ("other scale", "one", {"scale": 0.5}),
        ("other level", "one", {"level": 1}),
    ):
        with pytest.raises(AssertionError, match="encoded"):
            written(folder, made_of, **other)
