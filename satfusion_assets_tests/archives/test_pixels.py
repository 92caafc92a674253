"""Windows of remote COGs on the site's grid: which bytes are asked for, where pixels land, what is told apart."""

from __future__ import annotations

import re
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

from satfusion_assets.archives.earth_search import Damaged, Quarantined, Scene, read_scene, scene_from_item
from satfusion_assets.archives.earth_search.cog import HEADER, read_around
from satfusion_assets.archives.http import NotFound
from satfusion_assets.archives.resampling import Patch, interpolate, take_nearest
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.grid import SiteGrid, site_grid
from satfusion_assets.sites import Site
from satfusion_assets_tests.archives.conftest import archive, item

SITE = Site(name="innsbruck", latitude=47.116171, longitude=11.320308)
GRID: SiteGrid = site_grid(SITE)
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
    remote = read_around(archive(bucket), "https://a.example/B02.tif", GRID.fine)
    assert remote.patch is not None
    values = interpolate(remote.patch, GRID.fine)
    box = GRID.fine.boundingbox
    row, column = int(TILE_CORNER[1] - box.top) // 10, int(box.left - TILE_CORNER[0]) // 10
    assert np.array_equal(values, tile_10m[row : row + 150, column : column + 150])


def test_a_window_costs_two_requests_and_no_more_than_its_blocks(cog_10m: bytes) -> None:
    bucket = Bucket({"B02.tif": cog_10m})
    small = GeoBox.from_bbox((661_000, 5_239_000, 661_500, 5_239_500), "EPSG:32632", resolution=10)
    http = archive(bucket)
    facts = read_around(http, "https://a.example/B02.tif?signature=secret", small).facts
    assert len(bucket.asked) == 2
    assert http.bytes_read < len(cog_10m) / 15
    assert (facts.href, facts.etag, facts.length) == ("https://a.example/B02.tif", '"v1"', len(cog_10m))


def test_a_tile_of_the_neighbouring_zone_lands_where_it_belongs() -> None:
    """A smooth field defined on the ground reads the same through either zone's tile."""
    corner = (210_000, 5_300_040)  # in tile 33TTN
    row, column = np.mgrid[0:2000, 0:2000]
    east, north = corner[0] + 10 * column + 5, corner[1] - 70_000 - 10 * row - 5
    field = (2000 + (np.sin(east / 900) + np.cos(north / 700)) * 500).astype(np.uint16)
    blob = cog(field, 10, (corner[0], corner[1] - 70_000), "EPSG:32633")
    remote = read_around(archive(Bucket({"x.tif": blob})), "https://a.example/x.tif", GRID.fine)
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
    assert (np.unique(classes[:, :2]), np.unique(classes[:, 2:])) == ([255], [0])


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
    assert (pixels.view_zenith, pixels.view_zenith_source) == (None, "unknown: granule metadata malformed")


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


def test_an_item_without_nir08_is_set_aside_before_anything_is_asked(plain: dict[str, bytes]) -> None:
    bucket = Bucket(plain)
    lacking = scene().model_copy(update={"hrefs": {k: v for k, v in scene().hrefs.items() if k != "nir08"}})
    with pytest.raises(Quarantined, match="'nir08'"):
        read_scene(archive(bucket), lacking, GRID)
    assert bucket.asked == []


def test_a_blank_band_is_no_empty_scene(plain: dict[str, bytes]) -> None:
    blank = plain | {"B03.tif": cog(np.zeros((3000, 3000), np.uint16), 10, (660_000, 5_235_000))}
    bucket = Bucket(blank)
    with pytest.raises(Damaged, match="'green' came back blank twice"):
        read_scene(archive(bucket), scene(), GRID)
    assert bucket.asked.count("B03.tif") > bucket.asked.count("B04.tif")


def test_a_file_that_ends_before_its_pixels_is_damaged_and_another_when_it_is_whole(cog_10m: bytes) -> None:
    href = "https://a.example/B02.tif"
    cut = archive(Bucket({"B02.tif": cog_10m[: HEADER + 1]}))
    with pytest.raises(Damaged) as caught:
        read_around(cut, href, GRID.fine)
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
        read_around(archive(Bucket({"x.tif": body})), "https://a.example/x.tif", GRID.fine)


def test_nothing_is_left_behind_in_the_temporary_folder(
    plain: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_scene(archive(Bucket(plain)), scene(), GRID)
    assert list(tmp_path.iterdir()) == []
