"""Files that are not what they should be: damaged, cut off, another one, or changed on the way."""

from __future__ import annotations

import struct
from contextlib import suppress

import httpx
import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.archives.earth_search import Damaged, read_scene
from satfusion_assets.archives.earth_search.cog import Layer, read_around
from satfusion_assets.archives.earth_search.ranges import HEADER
from satfusion_assets.archives.http import NotFound
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets_tests.archives.conftest import archive
from satfusion_assets_tests.archives.tiles import (
    GRID,
    HERE,
    TEN_M,
    Bucket,
    cog,
    georeferenced,
    scene,
)


def test_a_file_that_ends_before_its_pixels_is_damaged_and_another_when_it_is_whole(cog_10m: bytes) -> None:
    href = "https://a.example/B02.tif"
    cut = archive(Bucket({"B02.tif": cog_10m[: HEADER + 1]}))
    with pytest.raises(Damaged) as caught:
        read_around(cut, href, GRID.fine, TEN_M)
    assert caught.value.stable
    fetched = caught.value.fetched
    assert fetched is not None
    assert fetched.come_again(cut, href)
    assert not fetched.come_again(archive(Bucket({"B02.tif": cog_10m})), href)
    assert not fetched.come_again(archive(Bucket({"B02.tif": b""})), href), "shorter still is another file"


def test_a_file_that_is_not_there_is_named(plain: dict[str, bytes]) -> None:
    without = {name: body for name, body in plain.items() if name != "B04.tif"}
    with pytest.raises(NotFound, match="B04.tif"):
        read_scene(archive(Bucket(without)), scene(), GRID)


def test_a_damaged_file_is_fetched_anew_until_it_is_proven(plain: dict[str, bytes]) -> None:
    body = plain["B02.tif"]
    damaged = plain | {"B02.tif": body[:4000] + bytes(len(body) - 4000)}
    with pytest.raises(Damaged, match=r"B02\.tif is not a readable GeoTIFF") as caught:
        read_scene(archive(Bucket(damaged)), scene(), GRID)
    assert caught.value.stable


def test_damage_on_the_way_heals(plain: dict[str, bytes]) -> None:
    bucket = Bucket(plain)

    def flaky(request: httpx.Request) -> httpx.Response:
        answer = bucket(request)
        first = len(bucket.asked) == 1
        return httpx.Response(206, content=bytes(len(answer.content)), headers=answer.headers) if first else answer

    assert not read_scene(archive(flaky), scene(), GRID).empty


def test_a_range_shorter_than_asked_is_never_used(plain: dict[str, bytes]) -> None:
    bucket = Bucket(plain)

    def short(request: httpx.Request) -> httpx.Response:
        answer = bucket(request)
        return httpx.Response(
            206, content=answer.content[:-1], headers={"Content-Range": answer.headers["Content-Range"]}
        )

    with pytest.raises(ArchiveAnswerInvalid, match="another part"):
        read_scene(archive(short), scene(), GRID)


SMALL = cog(np.full((600, 600), 700, np.uint16), 10, (672_000, 5_222_000))


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=16))
@settings(max_examples=80, deadline=None)
def test_a_fuzzed_file_is_pixels_or_one_typed_error(position: int, junk: bytes) -> None:
    body = SMALL[:position] + junk + SMALL[position + len(junk) :]
    with suppress(ArchiveAnswerInvalid, ArchiveUnavailable):
        read_around(archive(Bucket({"x.tif": body})), "https://a.example/x.tif", GRID.fine, TEN_M)


PLAIN = np.full((1200, 1200), 700, np.uint16)
OTHERS = {
    "a class file": georeferenced(PLAIN.astype(np.uint8), HERE),
    "floats": georeferenced(PLAIN.astype(np.float32), HERE),
    "three bands": georeferenced(np.stack([PLAIN] * 3), HERE),
    "half a pixel": georeferenced(PLAIN, Affine(5, 0, 670_000, 0, -5, 5_225_000)),
    "two pixels": georeferenced(PLAIN, Affine(20, 0, 670_000, 0, -20, 5_225_000)),
    "a million pixels": georeferenced(PLAIN, Affine(1e9, 0, 670_000, 0, -1e9, 5_225_000)),
    "a rotation": georeferenced(PLAIN, HERE @ Affine.rotation(30)),
    "upside down": georeferenced(PLAIN, Affine(10, 0, 670_000, 0, 10, 5_213_000)),
    "between pixels": georeferenced(PLAIN, Affine(10, 0, 670_003, 0, -10, 5_225_000)),
    "degrees": georeferenced(PLAIN, HERE, "EPSG:4326"),
    "another zone": georeferenced(PLAIN, HERE, "EPSG:32633"),
    "the other hemisphere": georeferenced(PLAIN, HERE, "EPSG:32732"),
    "more than a tile": georeferenced(np.zeros((16, 12_000), np.uint16), HERE),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_file_is_held_against_its_asset(what: str) -> None:
    served = archive(Bucket({"x.tif": OTHERS[what]}))
    with pytest.raises(Damaged, match="damaged, or another one") as caught:
        read_around(served, "https://a.example/x.tif", GRID.fine, Layer("uint16", 10, 32632))
    assert caught.value.stable


def test_packed_pixels_are_read() -> None:
    packed = georeferenced(PLAIN, HERE, NBITS=15)
    remote = read_around(archive(Bucket({"x.tif": packed})), "https://a.example/x.tif", GRID.fine, TEN_M)
    assert remote.patch is not None
    assert np.unique(remote.patch.values).tolist() == [700]


@pytest.mark.parametrize(("asset", "given"), [("SCL", "B8A"), ("B03", "SCL"), ("B02", "B8A")])
def test_one_asset_is_not_another(plain: dict[str, bytes], asset: str, given: str) -> None:
    swapped = plain | {f"{asset}.tif": plain[f"{given}.tif"]}
    with pytest.raises(Damaged, match=rf"{asset}\.tif has .* not"):
        read_scene(archive(Bucket(swapped)), scene(), GRID)


def test_a_picture_is_no_classification(plain: dict[str, bytes]) -> None:
    picture = plain | {"SCL.tif": cog(np.full((1500, 1500), 140, np.uint8), 20, (660_000, 5_235_000))}
    with pytest.raises(Damaged, match="140, which is no class"):
        read_scene(archive(Bucket(picture)), scene(), GRID)


def test_a_raster_of_millions_of_pixels_a_side_is_refused_before_its_blocks_are_counted() -> None:
    body = bytearray(georeferenced(PLAIN, HERE, tiled=False, blockysize=1))
    tags = struct.unpack_from("<H", body, 8)[0]
    for place in range(10, 10 + 12 * tags, 12):
        if struct.unpack_from("<H", body, place)[0] in (256, 257):
            struct.pack_into("<HI", body, place + 2, 4, 1)
            struct.pack_into("<I", body, place + 8, 2_000_000_000)
    with pytest.raises(Damaged):
        read_around(archive(Bucket({"x.tif": bytes(body)})), "https://a.example/x.tif", GRID.fine, TEN_M)


@pytest.mark.parametrize("length", [10**18, 2**31 + 1, 10**30])
def test_a_length_that_no_file_has_is_damage(length: int) -> None:
    def lying(request: httpx.Request) -> httpx.Response:
        return httpx.Response(206, content=bytes(HEADER), headers={"Content-Range": f"bytes 0-{HEADER - 1}/{length}"})

    with pytest.raises(Damaged):
        read_around(archive(lying), "https://a.example/x.tif", GRID.fine, TEN_M)


NOISE = np.random.default_rng(3).integers(300, 4000, (600, 600)).astype(np.uint16)
NOISY = cog(NOISE, 10, (672_000, 5_222_000))


@given(st.floats(0.1, 1, exclude_max=True), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_of_a_block_never_changes_a_pixel(place: float, flip: int) -> None:
    """The checksum of a block lies behind its pixels, where GDAL does not look."""
    at = int(place * len(NOISY))
    body = NOISY[:at] + bytes([NOISY[at] ^ flip]) + NOISY[at + 1 :]
    href = "https://a.example/x.tif"
    untouched = read_around(archive(Bucket({"x.tif": NOISY})), href, GRID.fine, TEN_M).patch
    with suppress(Damaged):
        patch = read_around(archive(Bucket({"x.tif": body})), href, GRID.fine, TEN_M).patch
        assert patch is not None
        assert untouched is not None
        assert np.array_equal(patch.values, untouched.values)
