"""Windows of remote COGs on the site's grid: which bytes are asked for, where pixels land, what is told apart."""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.io import MemoryFile

from satfusion_assets.archives.earth_search import Damaged, Quarantined, Scene, ViewZenith, read_scene, scene_from_item
from satfusion_assets.archives.earth_search.cog import HEADER, Layer, read_around
from satfusion_assets.archives.http import NotFound
from satfusion_assets.archives.resampling import Patch, interpolate, take_nearest
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES, archive, item

METADATA = gzip.decompress((FIXTURES / "S2A_12RWT_20240106_0_L2A.granule_metadata.xml.gz").read_bytes())
SITE = Site(name="innsbruck", latitude=47.116171, longitude=11.320308)
GRID: SiteGrid = site_grid(SITE)
TEN_M = Layer("uint16", 10)
TILE_CORNER = (660_000, 5_240_040)
"""Upper left corner of the part of tile 32TPT that the tests have."""


def cog(values: np.ndarray, pixel: int, corner: tuple[int, int] = TILE_CORNER, crs: str = "EPSG:32632") -> bytes:
    """A COG like the archive's: tiled, compressed, header first."""
    with MemoryFile() as memory:
        with memory.open(
            driver="COG", count=1, height=values.shape[0], width=values.shape[1], dtype=values.dtype, crs=crs,
            transform=Affine(pixel, 0, corner[0], 0, -pixel, corner[1]), nodata=0, blocksize=512, compress="deflate",
        ) as dataset:  # fmt: skip
            dataset.write(values, 1)
        return bytes(memory.read())


class Bucket:
    """Files by name with Range, as object stores answer; remembers what was asked."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        if name not in self.files:
            return httpx.Response(404)
        body = self.files[name]
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if span is None:
            return httpx.Response(200, content=body, headers={"ETag": '"v1"'})
        if int(span[1]) >= len(body):
            return httpx.Response(416, headers={"Content-Range": f"bytes */{len(body)}"})
        first, last = int(span[1]), min(int(span[2]), len(body) - 1)
        headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}", "ETag": '"v1"'}
        return httpx.Response(206, content=body[first : last + 1], headers=headers)


def tile(pixel: int, size: int = 40_000) -> np.ndarray:
    """A tile whose every pixel says where it is: 1 + (column + 7 * row) modulo 5000, in units of ``pixel``."""
    row, column = np.indices((size // pixel, size // pixel))
    return ((column + 7 * row) % 5000 + 1).astype(np.uint16)


@pytest.fixture(scope="module")
def tile_10m() -> np.ndarray:
    return tile(10)


@pytest.fixture(scope="module")
def cog_10m(tile_10m: np.ndarray) -> bytes:
    return cog(tile_10m, 10)


def test_pixels_of_the_same_zone_are_plain_reads(tile_10m: np.ndarray, cog_10m: bytes) -> None:
    bucket = Bucket({"B02.tif": cog_10m})
    remote = read_around(archive(bucket), "https://a.example/B02.tif", GRID.fine, TEN_M)
    assert remote.patch is not None
    values = interpolate(remote.patch, GRID.fine)
    box = GRID.fine.boundingbox
    row, column = int(TILE_CORNER[1] - box.top) // 10, int(box.left - TILE_CORNER[0]) // 10
    assert np.array_equal(values, tile_10m[row : row + 150, column : column + 150])


def test_a_window_costs_two_requests_and_no_more_than_its_blocks(cog_10m: bytes) -> None:
    bucket = Bucket({"B02.tif": cog_10m})
    small = GeoBox.from_bbox((661_000, 5_239_000, 661_500, 5_239_500), "EPSG:32632", resolution=10)
    http = archive(bucket)
    facts = read_around(http, "https://a.example/B02.tif?signature=secret", small, TEN_M).facts
    assert len(bucket.asked) == 2
    assert http.bytes_read < len(cog_10m) / 15
    assert (facts.href, facts.etag, facts.length) == ("https://a.example/B02.tif", '"v1"', len(cog_10m))


def test_blocks_beside_each_other_are_asked_for_together() -> None:
    """A row of ten blocks is one request after the header, and not ten."""
    noise = np.random.default_rng(2).integers(300, 4000, (64, 1200)).astype(np.uint16)
    body = georeferenced(noise, HERE, blockxsize=128, blockysize=64)
    bucket = Bucket({"x.tif": body})
    row = GeoBox.from_bbox((670_000, 5_224_400, 682_000, 5_225_000), "EPSG:32632", resolution=10)
    remote = read_around(archive(bucket), "https://a.example/x.tif", row, TEN_M)
    assert remote.patch is not None
    assert np.array_equal(remote.patch.values[:, :1200], noise[: remote.patch.values.shape[0]])
    assert len(bucket.asked) == 2


def test_a_tile_of_the_neighbouring_zone_lands_where_it_belongs() -> None:
    """A smooth field defined on the ground reads the same through either zone's tile."""
    corner = (210_000, 5_300_040)  # in tile 33TTN
    row, column = np.mgrid[0:2000, 0:2000]
    east, north = corner[0] + 10 * column + 5, corner[1] - 70_000 - 10 * row - 5
    field = (2000 + (np.sin(east / 900) + np.cos(north / 700)) * 500).astype(np.uint16)
    blob = cog(field, 10, (corner[0], corner[1] - 70_000), "EPSG:32633")
    remote = read_around(archive(Bucket({"x.tif": blob})), "https://a.example/x.tif", GRID.fine, TEN_M)
    assert remote.patch is not None
    values = interpolate(remote.patch, GRID.fine)
    x, y = np.meshgrid(GRID.fine.coords["x"].values, GRID.fine.coords["y"].values)
    east, north = Transformer.from_crs(32632, 32633, always_xy=True).transform(x, y)
    expected = 2000 + (np.sin(east / 900) + np.cos(north / 700)) * 500
    assert np.nanmax(np.abs(values - expected)) < 3
    assert np.isfinite(values).all()


def test_interpolation_fills_no_gap() -> None:
    source = GeoBox.from_bbox((0, 0, 400, 400), "EPSG:32632", resolution=20)
    values = np.arange(400, dtype=np.float32).reshape(20, 20)
    values[5:9, 5:9] = np.nan
    fine = interpolate(Patch(values, source), GeoBox.from_bbox((0, 0, 400, 400), "EPSG:32632", resolution=10))
    assert np.array_equal(np.isnan(fine), np.kron(np.isnan(values), np.ones((2, 2))).astype(bool))


@pytest.mark.parametrize("band", range(4))
def test_what_one_band_lacks_the_others_keep(band: int) -> None:
    """Each band warped with the others is the band warped alone."""
    source = GeoBox.from_bbox((0, 0, 2400, 2400), "EPSG:32632", resolution=300)
    target = GeoBox((7, 7), Affine(300, 0, 110, 0, -300, 2270), "EPSG:32632")
    values = 0.1 + np.random.default_rng(band).random((4, 8, 8)).astype(np.float32)
    values[band, 3, 4] = np.nan
    together = interpolate(Patch(values, source), target)
    alone = np.stack([interpolate(Patch(layer, source), target) for layer in values])
    np.testing.assert_array_equal(together, alone)
    assert np.isnan(together).sum(axis=(1, 2)).tolist() == [int(number == band) for number in range(4)]


def test_bilinear_between_pixel_centres() -> None:
    """20 m to 10 m: a ramp stays the ramp, a quarter pixel on either side of each centre."""
    source = GeoBox.from_bbox((0, 0, 200, 200), "EPSG:32632", resolution=20)
    ramp = np.tile(np.arange(10, dtype=np.float32) * 100, (10, 1))
    fine = interpolate(Patch(ramp, source), GeoBox.from_bbox((0, 0, 200, 200), "EPSG:32632", resolution=10))
    assert fine[5, 4:8].tolist() == pytest.approx([175, 225, 275, 325])


def test_classes_outside_the_tile_are_unknown() -> None:
    source = GeoBox.from_bbox((0, 0, 200, 200), "EPSG:32632", resolution=20)
    wide = GeoBox.from_bbox((-40, 0, 200, 200), "EPSG:32632", resolution=20)
    classes = take_nearest(Patch(np.zeros((10, 10), np.uint8), source), wide, 255)
    assert np.unique(classes[:, :2]) == 255
    assert np.unique(classes[:, 2:]) == 0


# -- whole scenes ----------------------------------------------------------------------------------------------


def scene(**properties: object) -> Scene:
    raw = item("S2A_32TMS_20221207_0_L2A")
    raw["properties"] |= properties
    return scene_from_item(raw)


def files(dn: int = 300, scl: int = 4) -> dict[str, bytes]:
    """A scene of even colour over the site's surroundings, B02 .. B8A = dn, 2 dn, 3 dn, 4 dn."""
    corner = (660_000, 5_235_000)
    bands = {"B02": dn, "B03": 2 * dn, "B04": 3 * dn}
    made = {f"{name}.tif": cog(np.full((3000, 3000), value, np.uint16), 10, corner) for name, value in bands.items()}
    made["B8A.tif"] = cog(np.full((1500, 1500), 4 * dn, np.uint16), 20, corner)
    made["SCL.tif"] = cog(np.full((1500, 1500), scl, np.uint8), 20, corner)
    made["granule_metadata.xml"] = b"<cut off"
    return made


@pytest.fixture(scope="module")
def plain() -> dict[str, bytes]:
    return files()


def test_a_scene_has_four_bands_on_the_fine_grid_and_classes_with_a_margin(plain: dict[str, bytes]) -> None:
    pixels = read_scene(archive(Bucket(plain)), scene(), GRID)
    assert [np.unique(band).tolist() for band in pixels.bands] == [[300], [600], [900], [1200]]
    assert pixels.scl.shape == tuple(GRID.scl.shape)
    assert not pixels.empty
    assert pixels.view_zenith == ViewZenith(None, "unknown: granule metadata malformed")


def test_the_offset_is_taken_out_when_it_is_in(plain: dict[str, bytes]) -> None:
    shifted = scene(**{"earthsearch:boa_offset_applied": False})
    pixels = read_scene(archive(Bucket(files(dn=1200))), shifted, GRID)
    assert pixels.offset.subtract == 1000
    assert np.unique(pixels.bands[0]).tolist() == [200]


@pytest.mark.parametrize("band", ["B02", "B03", "B04", "B8A"])
def test_a_saturated_pixel_is_missing_in_its_band_and_spoils_no_neighbour(plain: dict[str, bytes], band: str) -> None:
    """65535 is the product's word for saturation; at 20 m it lies in the sums of the pixels around it."""
    pixel, corner = (20, 1500) if band == "B8A" else (10, 3000), (660_000, 5_235_000)
    dn = {"B02": 300, "B03": 600, "B04": 900, "B8A": 1200}[band]
    values = np.full((pixel[1], pixel[1]), dn, np.uint16)
    box = GRID.fine.boundingbox
    row, column = int(corner[1] - box.top) // pixel[0] + 30, int(box.left - corner[0]) // pixel[0] + 30
    values[row, column] = 65535
    saturated = plain | {f"{band}.tif": cog(values, pixel[0], corner)}
    bands = read_scene(archive(Bucket(saturated)), scene(), GRID).bands
    number = ("B02", "B03", "B04", "B8A").index(band)
    assert np.unique(bands[number]).tolist() == [0, dn]
    assert (bands[number] == 0).sum() == (pixel[0] // 10) ** 2
    assert all((other > 0).all() for at, other in enumerate(bands) if at != number)


@pytest.mark.parametrize(("flag", "dn"), [(False, 300), (True, 1200)])
def test_a_lying_flag_sets_the_scene_aside(flag: bool, dn: int) -> None:
    lying = scene(**{"earthsearch:boa_offset_applied": flag})
    with pytest.raises(Quarantined, match="dark pixels") as caught:
        read_scene(archive(Bucket(files(dn=dn))), lying, GRID)
    assert caught.value.kind == "offset conflict"


def halves(land: dict[str, int], other: dict[str, int], classes: tuple[int, int]) -> dict[str, bytes]:
    """A scene whose west half of the site is ``other`` and whose east half is ``land``, in DN by band."""
    middle = GRID.fine.boundingbox.left + 750

    def band(pixel: int, east: int, west: int, dtype: type) -> bytes:
        side = 30_000 // pixel
        values: np.ndarray = np.full((side, side), east, dtype)
        values[:, : int(middle - 660_000) // pixel] = west
        return cog(values, pixel, (660_000, 5_235_000))

    pixel = {"B02": 10, "B03": 10, "B04": 10, "B8A": 20}
    made = {f"{name}.tif": band(pixel[name], land[name], other[name], np.uint16) for name in pixel}
    return made | {"SCL.tif": band(20, *classes, np.uint8), "granule_metadata.xml": b"<cut off"}


MEADOW = {"B02": 1400, "B03": 1700, "B04": 1500, "B8A": 4000}
LAKE = {"B02": 1250, "B03": 1300, "B04": 995, "B8A": 995}
BLACK = {"B02": 995, "B03": 995, "B04": 995, "B8A": 995}
WATER, SHADOW, VEGETATION, BARE = 6, 3, 4, 5


@pytest.mark.parametrize(
    ("other", "scl"),
    [(LAKE, WATER), (BLACK, WATER), (BLACK, SHADOW), (BLACK, 2), (BLACK, 9)],
    ids=["lake", "black lake", "cloud shadow", "cast shadow", "shadow under cloud"],
)
def test_dark_ground_is_no_mistaken_offset(other: dict[str, int], scl: int) -> None:
    shifted = scene(**{"earthsearch:boa_offset_applied": False})
    pixels = read_scene(archive(Bucket(halves(MEADOW, other, (VEGETATION, scl)))), shifted, GRID)
    assert pixels.offset.subtract == 1000
    assert pixels.dark > 0
    assert np.unique(pixels.bands[0]).tolist() == sorted({400, max(other["B02"] - 1000, 1)})


@pytest.mark.parametrize("scl", [SHADOW, WATER])
def test_a_scene_all_in_shadow_or_water_is_kept(scl: int) -> None:
    shifted = scene(**{"earthsearch:boa_offset_applied": False})
    pixels = read_scene(archive(Bucket(halves(BLACK, BLACK, (scl, scl)))), shifted, GRID)
    assert np.unique(pixels.bands).tolist() == [1]


@pytest.mark.parametrize("land", [VEGETATION, BARE])
def test_clear_land_without_blue_light_speaks_against_the_offset(land: int) -> None:
    """Blue between 600 and 1000 proves nothing by itself; taken off, nothing of it would be left."""
    shifted = scene(**{"earthsearch:boa_offset_applied": False})
    hazy = {"B02": 800, "B03": 1100, "B04": 900, "B8A": 3000}
    with pytest.raises(Quarantined, match="no blue light") as caught:
        read_scene(archive(Bucket(halves(hazy, hazy, (land, land)))), shifted, GRID)
    assert caught.value.kind == "offset conflict"


def test_a_scene_that_is_no_reflectance_is_set_aside() -> None:
    with pytest.raises(Quarantined, match="above a reflectance of 2") as caught:
        read_scene(archive(Bucket(files(dn=11_000, scl=11))), scene(), GRID)
    assert caught.value.kind == "implausible values"


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.Response(200, content=b"<html><body>Maintenance</body></html>")],
        [httpx.Response(200, content=b"")],
        [httpx.Response(304)],
        [httpx.Response(403)],
        [httpx.Response(500)],
    ],
    ids=["HTML", "empty", "unchanged", "forbidden", "failing"],
)
@pytest.mark.parametrize("passing", [True, False])
def test_optional_metadata_never_end_a_scene(
    plain: dict[str, bytes], answers: list[httpx.Response], passing: bool
) -> None:
    bucket, asked = Bucket(plain | {"granule_metadata.xml": METADATA}), []

    def damaged(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("granule_metadata.xml"):
            return bucket(request)
        asked.append(request)
        return bucket(request) if passing and len(asked) > 1 else answers[0]

    angle = read_scene(archive(damaged), scene(), GRID).view_zenith
    assert angle.degrees == (pytest.approx(8.69676406075635) if passing else None)
    assert angle.source.startswith("granule metadata" if passing else "unknown: granule metadata")


def test_metadata_where_nobody_can_fetch_them_are_not_asked_for(plain: dict[str, bytes]) -> None:
    hrefs = scene().hrefs | {"granule_metadata": "s3://bucket/metadata.xml"}
    angle = read_scene(archive(Bucket(plain)), scene().model_copy(update={"hrefs": hrefs}), GRID).view_zenith
    assert angle.degrees is None


def test_an_item_whose_files_cannot_be_fetched_is_set_aside_before_anything_is_asked(plain: dict[str, bytes]) -> None:
    bucket = Bucket(plain)
    hrefs = scene().hrefs | {"green": "s3://bucket/B03.tif"}
    with pytest.raises(Quarantined, match="s3://bucket/B03.tif, which cannot be fetched") as caught:
        read_scene(archive(bucket), scene().model_copy(update={"hrefs": hrefs}), GRID)
    assert caught.value.kind == "unreachable"
    assert bucket.asked == []


def test_an_item_without_nir08_is_set_aside_before_anything_is_asked(plain: dict[str, bytes]) -> None:
    bucket = Bucket(plain)
    lacking = scene().model_copy(update={"hrefs": {k: v for k, v in scene().hrefs.items() if k != "nir08"}})
    with pytest.raises(Quarantined, match="'nir08'"):
        read_scene(archive(bucket), lacking, GRID)
    assert bucket.asked == []


def test_a_blank_band_is_no_empty_scene(plain: dict[str, bytes]) -> None:
    blank = plain | {"B03.tif": cog(np.zeros((3000, 3000), np.uint16), 10, (660_000, 5_235_000))}
    once, twice = Bucket(blank), Bucket(blank)
    read_around(archive(once), "https://a.example/B03.tif", GRID.fine, TEN_M)
    with pytest.raises(Damaged, match="'green' came back blank twice"):
        read_scene(archive(twice), scene(), GRID)
    assert twice.asked.count("B03.tif") == 2 * once.asked.count("B03.tif")


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


def test_a_scene_without_any_pixel_of_the_site_is_empty() -> None:
    pixels = read_scene(archive(Bucket(files(dn=0, scl=0))), scene(), GRID)
    assert pixels.empty


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


def georeferenced(values: np.ndarray, transform: Affine, crs: str = "EPSG:32632", **options: object) -> bytes:
    """A tiled GeoTIFF that may be what no COG of the archive is."""
    with MemoryFile() as memory:
        profile = {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate"}
        count, (height, width) = (1, values.shape) if values.ndim == 2 else (len(values), values.shape[1:])
        with memory.open(
            **profile | options,
            count=count,
            height=height,
            width=width,
            dtype=values.dtype,
            crs=crs,
            transform=transform,
        ) as dataset:
            dataset.write(values, None if values.ndim == 3 else 1)
        return bytes(memory.read())


PLAIN = np.full((1200, 1200), 700, np.uint16)
HERE = Affine(10, 0, 670_000, 0, -10, 5_225_000)
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


def test_nothing_is_left_behind_in_the_temporary_folder(
    plain: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_scene(archive(Bucket(plain)), scene(), GRID)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("longitude", "other"), [(179.9995, 32701), (-179.9995, 32760)])
def test_a_tile_on_the_other_side_of_180_degrees_lands_where_it_belongs(longitude: float, other: int) -> None:
    fine = site_grid(Site(name="taveuni", latitude=-16.8, longitude=longitude)).fine
    centre = fine.extent.centroid
    there = Transformer.from_crs(fine.crs.to_wkt(), other, always_xy=True).transform(
        centre.points[0][0], centre.points[0][1]
    )
    corner = (round(there[0], -2) - 5000, round(there[1], -2) + 5000)
    row, column = np.mgrid[0:1000, 0:1000]
    body = cog((1000 + column + row).astype(np.uint16), 10, corner, f"EPSG:{other}")
    remote = read_around(archive(Bucket({"x.tif": body})), "https://a.example/x.tif", fine, TEN_M)
    assert remote.patch is not None
    values = interpolate(remote.patch, fine)
    x, y = np.meshgrid(fine.coords["x"].values, fine.coords["y"].values)
    east, north = Transformer.from_crs(fine.crs.to_wkt(), other, always_xy=True).transform(x, y)
    expected = 1000 + (east - corner[0] - 5) / 10 + (corner[1] - north - 5) / 10
    assert np.nanmax(np.abs(values - expected)) < 1
    assert np.isfinite(values).all()
