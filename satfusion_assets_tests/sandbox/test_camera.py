"""The camera: the truth of its field in its own colours, in files of the network's provisional format."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets_tests.sandbox.conftest import SITES, SOUTHERN, TODAY

PROVISIONAL = (
    "date,year,doy,image_count,midday_filename,midday_r,midday_g,midday_b,midday_gcc,midday_rcc,r_mean,r_std,g_mean,"
    "g_std,b_mean,b_std,gcc_mean,gcc_std,gcc_50,gcc_75,gcc_90,rcc_mean,rcc_std,rcc_50,rcc_75,rcc_90,max_solar_elev,"
    "snow_flag,outlierflag_gcc_mean,outlierflag_gcc_50,outlierflag_gcc_75,outlierflag_gcc_90"
)
"""Header of a provisional one-day summary, as the network's server writes it."""


def rois(world: SandboxWorld, site: str) -> list[dict[str, Any]]:
    return [roi for roi in world.roi_lists() if roi["site"] == site]


def summary(world: SandboxWorld, roi: dict[str, Any]) -> pd.DataFrame:
    path = world.file(roi["one_day_summary"])
    assert path is not None
    return pd.read_csv(path, comment="#", na_values=["None"], parse_dates=["date"])


@pytest.fixture(scope="module")
def innsbruck(world: SandboxWorld) -> pd.DataFrame:
    return summary(world, rois(world, "innsbruck")[0])


def test_every_site_has_a_camera_with_two_regions_of_different_vegetation(world: SandboxWorld) -> None:
    cameras = {record["Sitename"]: record for record in world.cameras()}
    assert set(cameras) == {*SITES, SOUTHERN.name}
    for name, site in SITES.items():
        assert (cameras[name]["Lat"], cameras[name]["Lon"]) == (site.latitude, site.longitude)
        first, second = rois(world, name)
        assert first["roitype"] != second["roitype"]
        assert (first["sequence_number"], second["sequence_number"]) == (1000, 2000)
        assert first["first_date"] == f"{min(site.seasons) - 1}-01-01" < second["first_date"]
        assert first["last_date"] == str(min(TODAY, date(max(site.seasons) + 1, 12, 31)))
    assert cameras["innsbruck"]["utc_offset"] == 1
    assert cameras[SOUTHERN.name]["utc_offset"] == 10
    assert [roi["roitype"] for roi in rois(world, "innsbruck")] == ["GR", "EN"]
    assert rois(world, "vindeln2")[0]["roitype"] == "DB"
    assert rois(world, "pitsalu")[0]["roitype"] == "WL"
    assert rois(world, "forthgr")[0]["roitype"] == "AG"


def test_the_summary_is_a_provisional_file(world: SandboxWorld, innsbruck: pd.DataFrame) -> None:
    path = world.file("/data/archive/innsbruck/ROI/innsbruck_GR_1000_1day.csv")
    assert path is not None
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert 20 <= len(comments) <= 25
    assert "# Veg Type: GR" in comments
    assert lines[len(comments)] == PROVISIONAL
    assert {line.count(",") for line in lines[len(comments) :]} == {31}
    assert innsbruck.filter(like="flag").isna().all(axis=None)
    days = innsbruck.date.dt.date.tolist()
    assert days == [date(2019, 1, 1) + timedelta(i) for i in range(len(days))]
    assert days[-1] == TODAY


def test_gcc_is_the_truth_of_the_field_in_the_cameras_bias_and_gain(
    world: SandboxWorld, innsbruck: pd.DataFrame
) -> None:
    camera, field = world.camera("innsbruck"), world.landscape("innsbruck").field(world.landscape("innsbruck").main)
    rows = innsbruck[innsbruck.date.dt.year == 2024].dropna(subset=["gcc_90"])
    means = [field.reflectance(day, ("blue", "green", "red")).mean(axis=1) for day in rows.date.dt.date]
    truth = np.array([green / (blue + green + red) for blue, green, red in means])
    error = rows.gcc_90.to_numpy() - (camera.bias + camera.gain * truth)
    outliers = np.abs(error) > 0.012
    assert 0 < outliers.mean() < 0.06
    assert abs(error[~outliers].mean()) < 0.0006
    assert 0.0015 < error[~outliers].std() < 0.004
    gain, bias = np.polyfit(truth[~outliers], rows.gcc_90.to_numpy()[~outliers], 1)
    assert gain == pytest.approx(camera.gain, abs=0.02)
    assert bias == pytest.approx(camera.bias, abs=0.008)
    assert camera.gain != 1


def test_statistics_of_a_row_are_in_order_and_consistent(innsbruck: pd.DataFrame) -> None:
    rows = innsbruck.dropna(subset=["gcc_90"])
    assert (rows.gcc_50 < rows.gcc_75).all()
    assert (rows.gcc_75 < rows.gcc_90).all()
    total = rows.midday_r + rows.midday_g + rows.midday_b
    np.testing.assert_allclose(rows.midday_g / total, rows.midday_gcc, atol=2e-5)
    assert total.between(100, 665).all()
    assert rows.gcc_90.between(0.28, 0.55).all()
    assert (rows.doy == rows.date.dt.dayofyear).all()


def test_weeks_are_missing_in_every_year(innsbruck: pd.DataFrame) -> None:
    for year in (2019, 2020, 2021, 2022, 2023, 2024):
        missing = innsbruck[innsbruck.date.dt.year == year].gcc_90.isna().to_numpy()
        runs = np.diff(np.flatnonzero(np.diff(np.pad(missing, 1).astype(int))))[::2]
        assert runs.max() >= 4
        assert missing.mean() < 0.25


def test_a_northern_mid_winter_is_too_dark(world: SandboxWorld) -> None:
    rows = summary(world, rois(world, "vindeln2")[0])
    assert rows[(rows.date >= "2023-12-05") & (rows.date <= "2024-01-05")].gcc_90.isna().all()


def test_midday_pictures_are_listed_with_infrared_frames_among_them(world: SandboxWorld) -> None:
    listed = world.midday_images("innsbruck")
    days = [record["imgdate"] for record in listed]
    assert days == sorted(days)
    assert days[-1] <= str(TODAY)
    pattern = re.compile(r"/data/archive/innsbruck/(\d{4})/(\d{2})/innsbruck(_IR)?_\1_\2_\d{2}_1[23]\d{4}\.jpg")
    assert all(pattern.fullmatch(record["imgpath"]) for record in listed)
    infrared = [record for record in listed if "_IR_" in record["imgpath"]]
    assert 0.02 < len(infrared) / len(listed) < 0.15
    plain = {record["imgdate"] for record in listed if "_IR_" not in record["imgpath"]}
    assert any(record["imgdate"] not in plain for record in infrared)
    assert world.midday_images("nowhere") == []


def test_the_picture_of_a_day_has_the_colour_of_its_row(world: SandboxWorld, innsbruck: pd.DataFrame) -> None:
    rows = innsbruck[innsbruck.date.dt.year == 2024].dropna(subset=["midday_filename"]).iloc[::40]
    for row in rows.itertuples():
        path = world.file(f"/data/archive/innsbruck/2024/{row.date:%m}/{row.midday_filename}")
        assert path is not None
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            assert picture.size == (480, 360)
            colour = np.asarray(picture, float)[200:].mean(axis=(0, 1))
        assert colour[1] / colour.sum() == pytest.approx(row.midday_gcc, abs=0.004)
        assert colour.sum() == pytest.approx(row.midday_r + row.midday_g + row.midday_b, rel=0.03)


def test_infrared_pictures_are_grey_and_unknown_pictures_are_not_found(world: SandboxWorld) -> None:
    frame = next(r["imgpath"] for r in world.midday_images("innsbruck") if "_IR_" in r["imgpath"])
    path = world.file(frame)
    assert path is not None
    with Image.open(path) as picture:
        field = np.asarray(picture, float)[210:]
    assert np.ptp(field, axis=2).mean() < 4
    assert world.file(frame.replace("_IR_", "_XX_")) is None
    assert world.file("/data/archive/nowhere/2024/01/nowhere_2024_01_01_120000.jpg") is None
    assert world.file("/data/archive/innsbruck/ROI/innsbruck_DB_1000_1day.csv") is None
