"""Shards encoded here are those that Zarr writes, and a layer of another pack is taken as the same files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec, TransposeCodec
from zarr.codecs.numcodecs import Delta

from satfusion_assets.store import shards
from satfusion_assets.store.layers import Order
from satfusion_assets.store.pack_reader import held_layers, open_pack, read_layers
from satfusion_assets.store.packs import PackLayer, write_pack

SHAPE = (8, 2, 5, 6)
FILTERS: dict[Order, Any] = {
    "images": None,
    "seasons": [TransposeCodec(order=(1, 2, 3, 0))],
    "differences": [TransposeCodec(order=(1, 2, 3, 0)), Delta(dtype="<u2")],
}


@pytest.mark.parametrize("order", list(FILTERS))
@pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")
def test_a_shard_has_the_bytes_that_zarr_gives_it(tmp_path: Path, order: Order):
    values = np.random.default_rng(1).integers(0, 300, (19, 2, 11, 13)).astype(np.uint16)  # chunks end beyond it
    shard: Any = {"shape": (3 * 8 + 5 * 8, 2, 15, 18), "index_location": "start"}
    typesize = shards.shuffled_together(order, values.dtype, SHAPE)
    shuffle, level = BloscShuffle[shards.SHUFFLES[order]], shards.LEVELS[order]
    array = zarr.create_array(
        tmp_path / "zarr",
        shape=values.shape,
        dtype=values.dtype,
        chunks=SHAPE,
        shards=shard,
        filters=FILTERS[order],
        compressors=[BloscCodec(typesize=typesize, cname="zstd", clevel=level, shuffle=shuffle), Crc32cCodec()],
        fill_value=65535,
        config={"write_empty_chunks": True},
    )
    array[...] = values
    blocks = (values[at : at + SHAPE[0]] for at in range(0, len(values), SHAPE[0]))
    own = shards.encode(blocks, values.shape, values.dtype, SHAPE, order, missing=65535, content=0)
    own.write(tmp_path / "own" / "0", more=5)
    assert (tmp_path / "own" / "0").read_bytes() == (tmp_path / "zarr" / "c" / "0" / "0" / "0" / "0").read_bytes()


def fused(days: int = 40, seed: int = 1) -> PackLayer:
    values = np.random.default_rng(seed).uniform(0, 0.5, (days, 1, 33, 35)).astype(np.float32)
    return PackLayer("fused", np.datetime64("2024-03-01") + np.arange(days), values, ("gcc",))


def quality(seed: int = 2) -> PackLayer:
    return replace(fused(seed=seed), name="standard_deviation")


PLACE: tuple[tuple[float, ...], int] = ((10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 32632)


def editions(pack: Path) -> dict[str, str]:
    """Edition of each array, as the pack tells it."""
    told: Any = zarr.open_group(pack).attrs["editions"]
    return dict(told)


def shard(pack: Path) -> Path:
    return pack / "standard_deviation" / "c" / "0" / "0" / "0" / "0"


def test_a_layer_of_a_pack_of_the_same_days_and_grid_is_the_same_file(tmp_path: Path):
    beside = tmp_path / "quality.zarr"
    write_pack(beside, [quality()], *PLACE)
    for file in beside.rglob("*"):
        os.utime(file, ns=(0, 0))
    write_pack(tmp_path / "p.zarr", [fused(), *held_layers(beside, "quality")], *PLACE)
    assert {file.stat().st_mtime_ns for file in beside.rglob("*") if file.is_file()} == {0}, (
        "somebody may be reading it"
    )
    for file in (shard(beside), beside / "standard_deviation" / "zarr.json"):
        assert file.samefile(tmp_path / "p.zarr" / file.relative_to(beside))
    assert open_pack(beside).equals(
        open_pack(tmp_path / "p.zarr")[["standard_deviation", "standard_deviation_available"]]
    )
    write_pack(tmp_path / "alone.zarr", [fused(), quality()], *PLACE)
    assert open_pack(tmp_path / "p.zarr").equals(open_pack(tmp_path / "alone.zarr"))


@pytest.mark.parametrize("other", ["days", "grid"])
def test_a_layer_of_a_pack_of_other_days_or_grid_is_written_anew(tmp_path: Path, other: str):
    beside = tmp_path / "quality.zarr"
    write_pack(beside, [quality()], *PLACE)
    days = 44 if other == "days" else 40
    place = ((20.0, *PLACE[0][1:]), PLACE[1]) if other == "grid" else PLACE
    write_pack(tmp_path / "p.zarr", [fused(days), *held_layers(beside, "quality")], *place)
    assert not shard(tmp_path / "p.zarr").samefile(shard(beside))
    (found,) = read_layers(tmp_path / "p.zarr", "p", only=["standard_deviation"])
    (there,) = read_layers(beside, "quality")
    np.testing.assert_array_equal(found.values, there.values)


def test_a_taken_layer_has_another_edition_than_the_one_that_it_replaces(tmp_path: Path):
    """Two contents may fall on one number; readers of the replaced pack must notice all the same."""
    beside, before, after = (tmp_path / f"{name}.zarr" for name in ("quality", "before", "after"))
    write_pack(beside, [quality()], *PLACE)
    edition = editions(beside)["standard_deviation"]
    write_pack(before, [fused(), quality(seed=3)], *PLACE)
    told = editions(before)
    told["standard_deviation"] = f"{told['standard_deviation'].split()[0]} {edition.split()[1]}"
    zarr.open_group(before).attrs["editions"] = told
    write_pack(after, [fused(), *held_layers(beside, "quality")], *PLACE, replaces=before)
    assert editions(after)["standard_deviation"] != edition
    assert not shard(after).samefile(shard(beside))
    (found,) = read_layers(after, "p", only=["standard_deviation"])
    np.testing.assert_array_equal(found.values, quality().stored().values)


def test_a_layer_of_the_same_files_on_the_same_days_is_encoded_once(tmp_path: Path):
    scenes = replace(fused(days=9), name="s2", made_of=("hash of scene a", "hash of scene b"))
    with mock.patch.object(shards, "encode", wraps=shards.encode) as encode:

        def images_encoded(name: str, days: int) -> int:
            encode.reset_mock()
            write_pack(tmp_path / name, [fused(days), scenes], *PLACE)
            return sum(len(call.args[1]) == 4 for call in encode.call_args_list)

        assert [images_encoded("a", 40), images_encoded("b", 40), images_encoded("c", 41)] == [2, 1, 2]
    found, again = (open_pack(tmp_path / name)["s2"] for name in "ab")
    assert found.equals(again)


def test_a_layer_of_other_files_is_its_own_though_all_else_is_alike(tmp_path: Path):
    for seed in (1, 2):
        write_pack(tmp_path / f"{seed}", [replace(fused(seed=seed), name="s2", made_of=(f"scene {seed}",))], *PLACE)
        (found,) = read_layers(tmp_path / f"{seed}", "p", only=["s2"])
        np.testing.assert_array_equal(found.values, replace(fused(seed=seed), name="s2").stored().values)
