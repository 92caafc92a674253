"""Windows of remote COGs on the site's grid: which bytes are asked for, where pixels land, what is told apart."""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from satfusion_assets.archives.earth_search import Damaged, Quarantined, ViewZenith, read_scene
from satfusion_assets.archives.earth_search.cog import read_around
from satfusion_assets.archives.resampling import Patch, interpolate, take_nearest
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import archive
from satfusion_assets_tests.archives.tiles import (
    GRID,
    HERE,
    METADATA,
    TEN_M,
    TILE_CORNER,
    Bucket,
    cog,
    files,
    georeferenced,
    scene,
)


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


def test_a_scene_without_any_pixel_of_the_site_is_empty() -> None:
    pixels = read_scene(archive(Bucket(files(dn=0, scl=0))), scene(), GRID)
    assert pixels.empty


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
