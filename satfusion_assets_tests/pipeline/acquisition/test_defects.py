"""Pixels that no detector measured are missing, band by band, from the archive's files to the prepared image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.pipeline.acquisition.cache import FetchCache
from satfusion_assets.pipeline.raw_s2 import acquire
from satfusion_assets.pipeline.raw_s2.files import raw_scl
from satfusion_assets.screening.clouds import scl_mask, site_mask
from satfusion_assets.screening.preparation import reflectance
from satfusion_assets.store import ProductStore
from satfusion_assets.store.rasters import encode_raster, read_raster
from satfusion_assets_tests.pipeline.acquisition.conftest import Sandbox, product

GREEN, NIR = 1, 3
NO_GROUND = 20_000
"""DN that no ground reaches; a saturated neighbour drags an interpolated pixel beyond it."""


def scenes(store: ProductStore) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Bands and classes of every scene by name."""
    with store.read(product("raw_s2")) as view:
        names = sorted(Path(name).stem for name in view.names("raw/s2/*.geotiff"))
        return {
            name: (view.read_raster(f"raw/s2/{name}.geotiff").values, view.read_raster(raw_scl(name)).values)
            for name in names
        }


def test_defective_pixels_are_missing_band_by_band(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.acquire("raw_s2", store)
    defective = ProductStore(store.root.parent / "defective")
    with sandbox.turned(defective_pixels=True):
        sandbox.acquire("raw_s2", defective)
    found = {GREEN: 0, NIR: 0, "class": 0}
    for (bands, _), (spoilt, classes) in zip(scenes(store).values(), scenes(defective).values(), strict=True):
        assert spoilt.max() < NO_GROUND, "no saturated value, nor anything that it was averaged into"
        saturated = (spoilt[NIR] == 0) & (bands[NIR] > 0)
        floor = (spoilt[GREEN] != bands[GREEN]) & (bands[GREEN] > 0)
        mask = site_mask(scl_mask(classes[0]))
        prepared = reflectance(spoilt, mask)
        assert np.isnan(prepared[NIR][saturated]).all()
        assert np.isnan(prepared[GREEN][floor]).all()
        assert np.isnan(prepared[:, np.broadcast_to(mask.defective, spoilt.shape[1:])]).all()
        others = [band for band in range(4) if band not in (GREEN, NIR)]
        assert np.array_equal(spoilt[others], bands[others]), "a band's defect is that band's"
        found[NIR] += int(saturated.sum())
        found[GREEN] += int(floor.sum())
        found["class"] += int(mask.defective.sum())
    assert all(found.values()), found


def test_scenes_that_an_earlier_version_spoilt_are_read_again_and_no_others(
    sandbox: Sandbox, store: ProductStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(acquire, "_key_of_cache", lambda _, scene, grid: acquire._key(scene, grid, acquire.EARLIER_READER))
        kept = sandbox.acquire("raw_s2", store)
    cache = FetchCache(store.kept(product("raw_s2").site_season, "s2"))
    stems = sorted(path.name.partition("+")[0] for path in cache.folder.glob("*+.tif"))
    spoil(cache, stems[0], ".tif", 36_863)
    spoil(cache, stems[1], ".scl.tif", 1)
    again = sandbox.acquire("raw_s2", store)
    assert again.numbers["read_in_this_run"] == 2
    assert again.manifest.files == kept.manifest.files
    assert sandbox.acquire("raw_s2", store).numbers["read_in_this_run"] == 0


def spoil(cache: FetchCache, key: str, suffix: str, value: int) -> None:
    """One pixel of what is cached, as an earlier version left it beside a saturated one."""
    entry = cache.kept(key)
    assert entry is not None
    raster = read_raster(entry.paths[suffix])
    values = raster.values.copy()
    values[-1, 3, 3] = value
    files = {one: path.read_bytes() for one, path in entry.paths.items()}
    files[suffix] = encode_raster(values, raster.geobox, nodata=raster.nodata)
    cache.put(key, files, entry.facts)
