"""Windows read from a shard are those that Zarr reads, and a shard that is damaged is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from satfusion_assets.store.layers import Order
from satfusion_assets.store.pack_reader import read_pixel
from satfusion_assets.store.packs import write_pack
from satfusion_assets.store.shard_reader import Shard, shard_of
from satfusion_assets.vocabulary.errors import ProductCorrupt
from satfusion_assets_tests.store.test_shards import FILTERS, PLACE, SHAPE, fused

pytestmark = pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")
SIZES = (19, 2, 11, 13)
"""Chunks end beyond them."""
NAME = "innsbruck/2024/packs/x.zarr"


def written(folder: Path, order: Order, index: Literal["start", "end"], compressors: Any = None) -> zarr.Array[Any]:
    """An array, some of whose chunks hold nothing and are left out."""
    values = np.random.default_rng(1).integers(0, 65535, SIZES).astype(np.uint16)
    values[8:, :, :5, 6:] = 65535
    shard: Any = {"shape": (3 * 8 + 5 * 8, 2, 15, 18), "index_location": index}
    array = zarr.create_array(
        folder,
        shape=SIZES,
        dtype=values.dtype,
        chunks=SHAPE,
        shards=shard,
        filters=FILTERS[order],
        compressors=compressors or [BloscCodec(cname="zstd"), Crc32cCodec()],
        fill_value=65535,
    )
    array[...] = values
    return array


@pytest.fixture(scope="module", params=[(order, index) for order in FILTERS for index in ("start", "end")])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[zarr.Array[Any], Shard]:
    """An array as zarr reads it, and its shard."""
    folder = tmp_path_factory.mktemp("array")
    array = written(folder, *request.param)
    shard = shard_of(folder, array)
    assert shard is not None
    return array, shard


@settings(max_examples=30)
@given(bounds=st.tuples(*(st.tuples(st.integers(0, size), st.integers(0, size + 3)) for size in SIZES)))
def test_a_window_holds_what_zarr_reads(both: tuple[zarr.Array[Any], Shard], bounds: tuple[tuple[int, int], ...]):
    array, shard = both
    window = tuple(slice(min(pair), max(pair)) for pair in bounds)
    np.testing.assert_array_equal(shard.read(window), array[window])


@pytest.mark.parametrize("compressors", [[BloscCodec(cname="zstd")], [ZstdCodec(), Crc32cCodec()]])
def test_an_array_of_other_codecs_is_left_to_zarr(tmp_path: Path, compressors: list[Any]):
    assert shard_of(tmp_path, written(tmp_path, "images", "start", compressors)) is None


def test_an_array_of_several_shards_is_left_to_zarr(tmp_path: Path):
    codecs = [BloscCodec(cname="zstd"), Crc32cCodec()]
    array = zarr.create_array(tmp_path, shape=(8,), dtype="u1", chunks=(2,), shards=(4,), compressors=codecs)
    assert shard_of(tmp_path, array) is None


@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
def test_a_shard_with_a_byte_of_another_is_named(tmp_path: Path, place: float):
    path = tmp_path / "p.zarr"
    write_pack(path, [fused(days=20)], *PLACE)
    shard = path / "fused" / "c" / "0" / "0" / "0" / "0"
    content = bytearray(shard.read_bytes())
    content[int(place * len(content))] ^= 1
    shard.write_bytes(content)
    with pytest.raises(ProductCorrupt, match=NAME):
        for column in (5, 345):
            for row in (5, 325):
                read_pixel(path, NAME, column, -row)
