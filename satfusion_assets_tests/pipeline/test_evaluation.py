"""What evaluation leaves for the eye: the camera's dates with intervals, and each competitor's image of a gap."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.pipeline.camera_phenology.camera import camera_phenology
from satfusion_assets.pipeline.camera_phenology.files import CAMERA_DATES, PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.gap_benchmark.benchmark import gap_benchmark
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_GCC_3Y, PHENOCAM_REGIONS
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.grid import RATIO, site_grid
from satfusion_assets.vocabulary.scenarios import Mode, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason, make_site

SEASON = SiteSeason("innsbruck", 2024)
SITE: Site = make_site(
    "test", name="innsbruck", latitude=47.116171, longitude=11.320308, seasons=(2024,), extent_m=600, elevation=970.0
)
BANDS = ("blue", "green", "red", "nir")


def greenness(day: date) -> float:
    """0 in winter, 1 in summer, half on 1 May and 1 October."""
    number = day.timetuple().tm_yday
    return 1 / (1 + np.exp(-(number - 122) / 6)) - 1 / (1 + np.exp(-(number - 275) / 6))


def publish_camera(store: ProductStore, *, snow: bool = False) -> None:
    """snow: it lies until 15 April and takes the greenness down, and the region's colour has shown it."""
    days = [date(2023, 1, 1) + timedelta(n) for n in range(3 * 365)]
    noise = 0.002 * np.random.default_rng(1).standard_normal(len(days))
    rows = [
        {"date": str(day), "greenness_index": float(0.34 + 0.1 * greenness(day) + wobble)}
        for day, wobble in zip(days, noise, strict=True)
    ]
    white = [str(day) for day in days if day.timetuple().tm_yday < 105] if snow else []
    for row in rows[: len(rows) if snow else 0]:
        row["greenness_index"] -= 0.05 * (row["date"] in white)  # type: ignore[operator]
    with store.publish(Product("raw_phenocam", SEASON)) as draft:
        draft.write_json(PHENOCAM_GCC_3Y, rows)
        if snow:
            region = {"vegetation": "grass", "series": rows, "white_days": white}
            draft.write_json(PHENOCAM_REGIONS, {"innsbruck_GR_1000": region})
        draft.write_json(f"{PHENOCAM_GCC}.json", [row for row in rows if row["date"].startswith("2024")])  # type: ignore[attr-defined]


def publish_prepared(store: ProductStore, strategy: Strategy, scenes: list[date], daily: list[date]) -> None:
    """Clear scenes of a meadow with texture, and the same from Sentinel-3."""
    layout, grid = PreparedLayout(strategy, Mode.BTI), site_grid(SITE)
    texture = 1 + 0.05 * np.random.default_rng(0).standard_normal((4, *grid.fine.shape)).astype(np.float32)

    def meadow(days: list[date]) -> np.ndarray:
        green = np.array([greenness(day) for day in days], np.float32)[:, None]
        return np.array([0.04, 0.07, 0.06, 0.25], np.float32) + green * np.array([-0.01, 0.02, -0.02, 0.15], np.float32)

    with store.publish(Product("prepared_bti", SEASON, strategy)) as draft:
        fine = meadow(scenes)[:, :, None, None] * texture
        draft.write_stack([layout.fine(day) for day in scenes], fine, grid.fine, band_names=BANDS)
        coarse = np.broadcast_to(meadow(daily)[:, :, None, None], (len(daily), 4, *grid.coarse.shape))
        draft.write_stack(
            [layout.coarse(day) for day in daily], np.ascontiguousarray(coarse), grid.coarse, band_names=BANDS
        )
        far = np.full((len(scenes), 1, *grid.coarse.shape), 15, np.float32)
        draft.write_stack([layout.cloud_distance(day) for day in scenes], far, grid.coarse, band_names=["distance"])


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    store = ProductStore(tmp_path)
    publish_camera(store)
    return store


def test_the_camera_s_dates_come_with_intervals_that_hold_them(store: ProductStore):
    camera_phenology(store, SEASON)
    with store.read(Product("camera_phenology", SEASON)) as view:
        dates, contract = view.read_json(CAMERA_DATES)["camera"], view.read_json(PHENOCAM_PHENOLOGY)
    for limb, name, day in (("rising", "green_up", "2024-05-01"), ("falling", "green_down", "2024-10-01")):
        half = dates[limb]["50"]
        assert half["date"] == contract[f"{name}_50pct_date"]
        assert half["lower"] <= half["date"] <= half["upper"]
        assert abs((date.fromisoformat(half["date"]) - date.fromisoformat(day)).days) <= 2
    assert dates["rising"]["10"]["date"] < dates["rising"]["25"]["date"] < dates["rising"]["50"]["date"]


def test_the_melt_is_no_rise_where_the_colour_showed_the_snow(tmp_path: Path):
    store = ProductStore(tmp_path)
    publish_camera(store, snow=True)
    camera_phenology(store, SEASON)
    with store.read(Product("camera_phenology", SEASON)) as view:
        rising = view.read_json(CAMERA_DATES)["camera"]["rising"]
    assert abs((date.fromisoformat(rising["50"]["date"]) - date(2024, 5, 1)).days) <= 2
    assert abs((date.fromisoformat(rising["25"]["date"]) - date(2024, 4, 24)).days) <= 3


@pytest.mark.slow
def test_a_competitor_s_image_of_a_gap_is_made_without_the_withheld_scenes(store: ProductStore):
    assert RATIO == 30
    scenes = [date(2024, 3, 1) + timedelta(8 * n) for n in range(32)]
    daily = [date(2024, 2, 25) + timedelta(2 * n) for n in range(135)]
    for strategy in Strategy:
        publish_prepared(store, strategy, scenes, daily)
    camera_phenology(store, SEASON)
    gap_benchmark(store, SITE, SEASON)
    with (
        store.read(Product("gap_benchmark", SEASON)) as view,
        store.read(Product("prepared_bti", SEASON, Strategy.AGGRESSIVE)) as prepared,
    ):
        entries = view.read_json(GapLayout().manifest)["entries"]
        gap = next(one for one in entries if (one["transition"], one["gap_days"]) == ("green_up", 15))
        withheld = {one["date"] for one in gap["withheld"]}
        day = date.fromisoformat(gap["prediction_date"])
        nearest = min((one for one in scenes if str(one) not in withheld), key=lambda one: abs(one - day))
        image = view.read_stack([GapLayout().competitor("15_green_up", "nearest", day)])
        source = prepared.read_stack([PreparedLayout(Strategy.AGGRESSIVE, Mode.BTI).fine(nearest)])
        methods = [GapLayout().competitor("15_green_up", name, day) for name in ("linear", "whittaker", "harmonic")]
        assert np.isfinite(view.read_stack(methods)).all()
    assert str(day) in withheld
    np.testing.assert_array_equal(image, source)
