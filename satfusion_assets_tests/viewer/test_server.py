"""The server: what it answers."""

from __future__ import annotations

import io
import json
import os
import struct
from pathlib import Path

import httpx
import numpy as np
import pytest
import rasterio

from satfusion_assets.store.pack_reader import open_pack
from satfusion_assets.viewer.catalog import Catalog
from satfusion_assets.viewer.files import Fence
from satfusion_assets.vocabulary.links import OLD_PAGES
from satfusion_assets_tests.viewer.conftest import SEASON, serve

SCENARIO = "aggressive_sigma20"
FUSED = f"{SEASON}/processed_{SCENARIO}/fusion/20240501_0.geotiff"


def decode(body: bytes) -> tuple[dict, np.ndarray]:
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    values = np.frombuffer(body, np.dtype(header["dtype"]), offset=4 + length)
    values = values.reshape(len(header["bands"]), header["height"], header["width"])
    return header, np.cumsum(values, axis=-1, dtype=values.dtype) if values.itemsize == 2 else values


def test_the_catalogue_says_how_far_each_scenario_has_come(client):
    sites = {site["name"]: site for site in client.get("/_api/catalog").json()["sites"]}
    seasons = {season["season"]: season["scenarios"] for season in sites["innsbruck"]["seasons"]}
    assert seasons[2024][SCENARIO]["status"] == "scored"
    assert seasons[2024][SCENARIO]["scores"]["nse_pc"] == 0.844
    assert seasons[2024][SCENARIO]["scores"]["nse_calibrated"] == 0.926
    assert seasons[2024][SCENARIO]["intervals"]["nse_calibrated"] == [0.856, 0.961]
    assert seasons[2024]["nonaggressive_sigma20"]["status"] == "raw"
    assert seasons[2024]["nonaggressive_sigma20"]["scores"] is None
    assert seasons[2020][SCENARIO]["status"] == "none"
    assert sites["pitsalu"]["seasons"][0]["raw"] is False


def test_a_season_lists_every_day_with_its_file(client):
    season = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()
    fused = season["stages"]["processed"]["fused"]
    assert len(fused["days"]) == len(fused["names"]) == 120
    assert (fused["days"][0], fused["names"][0]) == ("2024-03-01", "20240301_0.geotiff")
    assert client.get(f"/_files/{fused['folder']}/{fused['names'][0]}").status_code == 200
    assert season["stages"]["raw"].keys() == {"s2", "scl", "s3"}
    assert season["pack"] is True
    assert season["coarse_quantity"] == "top-of-atmosphere reflectance"
    assert "synthetic" in season["sources"], "what the archives say of their data is shown with them"


def test_a_season_has_the_ground_that_its_camera_shows(client):
    season = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()
    border = np.array(season["footprint"]) - season["marker"]
    assert (border[0] == border[-1]).all()
    assert 0 < border[:, 0].min() < border[:, 0].max() <= 120, "it looks east over grass"
    assert np.abs(border[:, 1]).max() == pytest.approx(60, abs=1)


def test_a_broken_record_of_the_camera_costs_its_ground_and_no_more(damaged, damaged_client):
    record = damaged / SEASON / "raw/phenocam/rois.json"
    assert damaged_client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()["footprint"] is None
    record.parent.mkdir(parents=True)
    record.write_text("{")
    assert damaged_client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()["footprint"] is None


def test_excluded_scenes_come_with_their_rule_and_in_reflectance(client):
    scenes = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()["excluded"]["s2"]
    assert {scene["rules"]["aggressive"] for scene in scenes} == {None, "low_ndvi", "dark"}
    assert {scene["rules"]["nonaggressive"] for scene in scenes} == {None, "dark"}
    dark = [scene for scene in scenes if scene["rules"]["nonaggressive"]]
    assert dark
    assert all(scene["b02"] < 0.01 for scene in dark)


def test_the_default_scenario_is_the_best_scored(client):
    assert client.get(f"/_api/season/{SEASON}/default").json()["scenario"] == SCENARIO


def test_a_frame_is_the_file_in_plain_numbers(client, store):
    header, values = decode(client.get(f"/_frame/{FUSED}").content)
    with rasterio.open(store / FUSED) as dataset:
        physical = np.where(values == header["nodata"], np.nan, values * header["scale"])
        np.testing.assert_allclose(physical, dataset.read(), rtol=0, atol=0.51e-4, equal_nan=True)
        assert header["transform"] == list(dataset.transform)[:6]
        assert header["epsg"] == dataset.crs.to_epsg()
    assert header["bands"] == ["blue", "green", "red", "nir"]


def test_raw_digital_numbers_come_with_the_scale_to_reflectance(client, store):
    name = f"{SEASON}/raw/s2/20240301_0.geotiff"
    header, values = decode(client.get(f"/_frame/{name}").content)
    with rasterio.open(store / name) as dataset:
        np.testing.assert_array_equal(values, dataset.read())
    assert header["dtype"] == "uint16"
    assert header["scale"] == 1e-4
    assert header["nodata"] == 0
    assert 0.02 < float(values.max()) * header["scale"] < 1


def test_one_day_of_a_quality_layer_is_one_band(client):
    season = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()
    layer = next(layer for layer in season["quality"] if layer["key"] == "standard_deviation_red")
    band = layer["bands"][layer["days"].index("2024-05-01")]
    header, values = decode(client.get(f"/_frame/{layer['path']}?bands={band}").content)
    assert header["bands"] == ["2024-05-01 red"]
    assert values.shape[0] == 1


def test_all_days_of_a_quality_layer_are_a_geotiff_that_reads_as_the_pack_does(client, store):
    """GDAL, the viewer and xarray read one and the same deviation."""
    season = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()
    layer = next(layer for layer in season["quality"] if layer["key"] == "standard_deviation_red")
    number = layer["bands"][layer["days"].index("2024-05-01")]
    answer = client.get(f"/_layer/{layer['path']}")
    header, frame = decode(client.get(f"/_frame/{layer['path']}?bands={number}").content)
    packed = open_pack(store / SEASON / f"packs/{SCENARIO}.zarr").standard_deviation
    expected = packed.sel(time="2024-05-01", band="red").values
    assert "aggressive_standard_deviation.tif" in answer.headers["content-disposition"]
    with rasterio.open(io.BytesIO(answer.content)) as raster:
        assert raster.descriptions[number - 1] == "2024-05-01 red"
        assert raster.crs.to_epsg() == season["epsg"]
        np.testing.assert_array_equal(raster.read(number) * np.float32(raster.scales[0]), expected)
    np.testing.assert_array_equal(frame[0] * np.float32(header["scale"]), expected)
    assert client.get(f"/_layer/{FUSED}").status_code == 404


def test_an_unchanged_answer_costs_nothing(client):
    for path in ("/_api/catalog", f"/_frame/{FUSED}"):
        tag = client.get(path).headers["etag"]
        assert client.get(path, headers={"if-none-match": tag}).status_code == 304


def test_files_answer_ranges(client, store):
    part = client.get(f"/_files/{FUSED}", headers={"range": "bytes=4-7"})
    assert part.status_code == 206
    assert part.content == (store / FUSED).read_bytes()[4:8]


def test_an_index_is_made_to_a_geotiff(client, store):
    answer = client.get(f"/_index/gcc/{FUSED}")
    assert answer.headers["content-disposition"] == 'attachment; filename="innsbruck_2024_20240501_0_gcc.tif"'
    with rasterio.open(io.BytesIO(answer.content)) as made, rasterio.open(store / FUSED) as source:
        blue, green, red, _ = source.read().astype(float)
        np.testing.assert_allclose(made.read(1), green / (blue + green + red), rtol=1e-6)
        assert made.crs == source.crs
        assert made.transform == source.transform


def test_the_site_series_is_the_published_one(client, store):
    series = client.get(f"/_api/series/{SEASON}/{SCENARIO}/processed").json()
    published = json.loads((store / SEASON / f"processed_{SCENARIO}/gcc/fusion/timeseries.json").read_text())
    assert series["sources"]["fused"]["gcc"] == [row["greenness_index"] for row in published]
    assert series["camera"]["date"][0] == "2024-03-01"
    assert series["transitions"]["green_up_50pct_date"] == "2024-05-02"


def test_a_pixel_reads_the_same_from_the_pack_and_from_the_rasters(client):
    season = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()
    left, bottom, _, _ = season["extent"]
    place = f"x={left + 615}&y={bottom + 975}"
    packed = client.get(f"/_api/pixel/{SEASON}/{SCENARIO}/processed?{place}").json()
    rasters = client.get(f"/_api/pixel/{SEASON}/{SCENARIO}/prepared?{place}").json()
    assert (packed["origin"], rasters["origin"]) == ("pack", "GeoTIFFs")
    for name in ("gcc", "ndvi", "b8a"):
        np.testing.assert_allclose(packed["sources"]["s2"][name], rasters["sources"]["s2"][name], atol=2e-4)
    assert packed["sources"]["s2"]["date"] == rasters["sources"]["s2"]["date"]


def test_the_site_series_carries_the_interval_of_gcc(client):
    fused = client.get(f"/_api/series/{SEASON}/{SCENARIO}/processed").json()["sources"]["fused"]
    assert len(fused["gcc_sd"]) == len(fused["date"])
    assert all(0 < value < 0.05 for value in fused["gcc_sd"])


def test_the_interval_of_gcc_is_that_of_gcc_fused_itself(client):
    """Errors of brightness cancel in an index, so the bands' deviations do not make one of it."""
    season = client.get(f"/_api/season/{SEASON}/{SCENARIO}").json()
    place = f"x={season['marker'][0]}&y={season['marker'][1]}"
    fused = client.get(f"/_api/pixel/{SEASON}/{SCENARIO}/processed?{place}").json()["sources"]["fused"]
    itself = client.get(f"/_api/pixel/{SEASON}/aggressive_itb_sigma20/processed?{place}").json()["sources"]["fused"]
    assert fused["gcc_sd"] == itself["standard_deviation"]
    assert fused["gcc_sd"][60] > 0
    assert "ndvi_sd" not in fused
    assert fused["b04_sd"][60] > 0


def test_without_that_scenario_gcc_has_no_interval(client):
    season = client.get(f"/_api/season/southern/2024/{SCENARIO}").json()
    place = f"x={season['marker'][0]}&y={season['marker'][1]}"
    fused = client.get(f"/_api/pixel/southern/2024/{SCENARIO}/processed?{place}").json()["sources"]["fused"]
    assert "gcc_sd" not in fused


def test_index_then_blend_has_gcc_alone(client):
    sources = client.get(f"/_api/series/{SEASON}/aggressive_itb_sigma20/processed").json()["sources"]
    assert all(value is not None for value in sources["fused"]["gcc"])
    assert not any(sources["fused"]["ndvi"])


def test_a_southern_site_keeps_its_zone(client):
    season = client.get(f"/_api/season/southern/2024/{SCENARIO}").json()
    header, _ = decode(client.get(f"/_frame/southern/2024/processed_{SCENARIO}/fusion/20240301_0.geotiff").content)
    assert season["epsg"] == header["epsg"] == 32755


# -- errors, in words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/_api/season/insbruck/2024/{SCENARIO}", 404, "did you mean innsbruck"),
        (f"/_api/season/innsbruck/2019/{SCENARIO}", 404, "satfusion sites add innsbruck --season 2019"),
        ("/_api/season/innsbruck/2024/eager", 400, "is not a scenario"),
        (f"/_api/series/{SEASON}/{SCENARIO}/cooked", 400, "is not a stage"),
        (f"/_api/pixel/{SEASON}/{SCENARIO}/processed?x=here&y=0", 400, "not a number"),
        (f"/_api/pixel/{SEASON}/{SCENARIO}/processed?x=0&y=0", 400, "No raster of this stage holds"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=1,2,3", 400, "is no outline"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=0,0,9,9", 400, "3 to 64 corners, this one 2"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=0,0,9,9,9,0,0,9", 400, "crosses itself"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=0,0,90,90,190,190.3", 400, "holds no pixel"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=0,0,190,190,50,50.1,120,119.9", 400, "has no area"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=0,0,50,50,90,90", 400, "has no area"),
        (f"/_api/area/{SEASON}/{SCENARIO}?ring=0,0,9,9,9,0", 400, "holds no pixel"),
        (f"/_api/area/pitsalu/2024/{SCENARIO}?ring=0,0,9,9,9,0", 404, "is not there"),
        (f"/_frame/{FUSED}?bands=1,9", 400, "has 4 bands"),
        (f"/_frame/{FUSED}?bands=-1", 400, "not a list of band numbers"),
        (f"/_index/evi/{FUSED}", 400, "ask for ndvi or gcc"),
        (f"/_frame/{SEASON}/raw/s2/20990101_0.geotiff", 404, "materialise it"),
        (f"/_frame/{SEASON}/metrics.json", 400, f"{SEASON}/metrics.json is no raster"),
        (f"/_index/ndvi/{SEASON}/metrics.json", 400, f"{SEASON}/metrics.json is no raster"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_sentence(client, path, status, words):
    answer = client.get(path)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_an_unreadable_raster_is_named(damaged_client):
    answer = damaged_client.get(f"/_frame/{SEASON}/raw/s2/20240501_0.geotiff")
    assert answer.status_code == 500
    assert f"{SEASON}/raw/s2/20240501_0.geotiff is not a readable raster" in answer.json()["error"]


def test_json_that_python_wrote_with_nan_is_read(damaged_client):
    assert damaged_client.get(f"/_api/json/{SEASON}/metrics.json").json()["temporal"][SCENARIO]["nse_pc"] is None


def test_broken_json_is_said_and_spoils_nothing_else(damaged, damaged_client):
    assert "broken.json is not valid JSON" in damaged_client.get(f"/_api/json/{SEASON}/broken.json").json()["error"]
    (damaged / SEASON / "metrics.json").write_text("{")
    season = damaged_client.get("/_api/catalog").json()["sites"][0]["seasons"][-1]
    assert "metrics.json is not valid JSON" in season["problem"]


@pytest.mark.parametrize("page", OLD_PAGES)
def test_old_addresses_redirect_within_the_viewer(client, page):
    answer = client.get(f"/{page}?site=innsbruck&season=2024", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("/innsbruck/2024")


def test_a_viewer_that_is_not_built_says_how(store, tmp_path):
    with serve(store, dist=tmp_path / "none") as url:
        answer = httpx.get(f"{url}/innsbruck/2024")
    assert answer.status_code == 503
    assert "make webapp" in answer.text


def test_the_catalogue_opens_no_folder_of_days(store, monkeypatch):
    """Its cost grows with the number of seasons, not of days: a few listings each."""
    calls = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: calls.append(path) or scandir(path))  # type: ignore[func-returns-value]
    catalog = Catalog(Fence(store), store / "sites.geojson").overview()
    seasons = sum(len(site["seasons"]) for site in catalog["sites"])
    assert len(calls) <= len(catalog["sites"]) + 2 * seasons
    assert not [path for path in calls if Path(path).name in {"fusion", "s3"}]
