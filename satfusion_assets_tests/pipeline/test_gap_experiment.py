"""Gap experiments: their gaps, their names, and that they leave the benchmark alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.evaluation.gaps.windows import MidpointRule, Transition
from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.gap_benchmark.benchmark import Experiment, gap_benchmark, gap_experiment
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.errors import InvalidInput, NoData
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import BANDS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason

SITE = Site(name="innsbruck", latitude=47.116, longitude=11.32, seasons=(2023, 2024), extent_m=600)
HERE, BEFORE = SiteSeason("innsbruck", 2024), SiteSeason("innsbruck", 2023)
BTI = Scenario.parse("aggressive_sigma20")
UP, DOWN = date(2024, 5, 1), date(2024, 9, 20)
SOURCE = {"sentinel3": "syn_l2, surface reflectance"}
SMALL = Experiment(lengths=(30,), transitions=(Transition.GREEN_UP,), scenarios=(BTI,))


def publish_prepared(store: ProductStore, season: SiteSeason, strategy: Strategy, every: int) -> None:
    layout, grid = PreparedLayout(strategy, Mode.BTI), site_grid(SITE)
    texture = np.random.default_rng(1).uniform(0.8, 1.2, (1, 4, *grid.fine.shape)).astype(np.float32)
    days = [season.start + timedelta(n) for n in range(0, 365, every)]

    def green(day: date) -> np.ndarray:
        rise = np.exp(-((((day - date(season.season, 7, 1)).days) / 60) ** 2))
        return np.array([0.04, 0.06 + 0.04 * rise, 0.05, 0.2 + 0.2 * rise], np.float32)[None, :, None, None]

    with store.publish(Product("prepared_bti", season, strategy), parameters=SOURCE) as draft:
        fine = np.concatenate([texture * green(day) for day in days])
        draft.write_stack([layout.fine(day) for day in days], fine, grid.fine, band_names=BANDS)
        far = np.full((len(days), 1, *grid.coarse.shape), 9, np.float32)
        draft.write_stack([layout.cloud_distance(day) for day in days], far, grid.coarse, band_names=("distance",))
        daily = [season.start + timedelta(n) for n in range(0, 365, 2)]
        coarse = np.concatenate([np.broadcast_to(green(day), (1, 4, *grid.coarse.shape)) for day in daily])
        draft.write_stack([layout.coarse(day) for day in daily], coarse, grid.coarse, band_names=BANDS)


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    store = ProductStore(tmp_path / "data")
    for strategy in Strategy:
        publish_prepared(store, HERE, strategy, every=9)
    with store.publish(Product("raw_phenocam", HERE)) as draft:
        rows = [
            {"date": (HERE.start + timedelta(n)).isoformat(), "greenness_index": 0.3 + n / 4000} for n in range(366)
        ]
        draft.write_json(f"{PHENOCAM_GCC}.json", rows)
    with store.publish(Product("camera_phenology", HERE)) as draft:
        dates = {"green_up_50pct_date": UP.isoformat(), "green_down_50pct_date": DOWN.isoformat()}
        draft.write_json(PHENOCAM_PHENOLOGY, dates)
    return store


def test_gaps_lie_around_the_cameras_dates_or_a_day_of_ones_own() -> None:
    both = Experiment(lengths=(15, 30), transitions=(Transition.GREEN_DOWN, Transition.GIVEN), centre=date(2024, 6, 10))
    gaps = {gap.key: gap for gap in both.gaps(HERE, UP, DOWN)}
    assert list(gaps) == ["15_green_down", "30_green_down", "15_given", "30_given"]
    assert gaps["15_given"].midpoint_rule is MidpointRule.GIVEN
    assert (gaps["15_given"].start, gaps["15_given"].end) == (date(2024, 6, 3), date(2024, 6, 17))
    assert both.name == "15_30_green_down_around_20240610"
    assert SMALL.name == "30_green_up_aggressive_sigma20"


@pytest.mark.parametrize(
    ("experiment", "says"),
    [
        (Experiment(lengths=(0,)), "gap of 0 days is not possible; use 1 to 366"),
        (Experiment(lengths=(400,)), "gap of 400 days is not possible"),
        (Experiment(transitions=(Transition.GIVEN,), centre=date(2023, 1, 1)), "lies outside innsbruck_2024"),
    ],
)
def test_an_impossible_gap_is_one_sentence(experiment: Experiment, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        experiment.gaps(HERE, UP, DOWN)


def test_an_experiment_lies_beside_the_benchmark(store: ProductStore) -> None:
    outcome = gap_experiment(store, SITE, HERE, SMALL)
    layout = GapLayout.experiment(SMALL.name)
    folder = store.folder(HERE)
    names = (layout.manifest, layout.metrics, layout.withheld, layout.summary(None))
    assert all((folder / name).is_file() for name in names)
    assert json.loads((folder / layout.metrics).read_text())["sentinel3"] == SOURCE["sentinel3"]
    assert len(list((folder / layout.folder / "fusion" / "gap_30_green_up").iterdir())) == 1
    assert not (folder / GapLayout().metrics).exists()
    assert outcome.notes["natural_gap"] == "none asked for"
    methods = {row["method"] for row in outcome.tables["gcc_by_gap"]}
    assert methods == {BTI.key, "nearest", "linear", "whittaker", "harmonic"}


def test_natural_gaps_need_another_season_and_name_it_among_their_inputs(store: ProductStore) -> None:
    natural = Experiment(transitions=(Transition.NATURAL,), scenarios=(BTI,))
    with pytest.raises(NoData, match="no other season of the site has been prepared"):
        gap_experiment(store, SITE, HERE, natural)
    publish_prepared(store, BEFORE, Strategy.AGGRESSIVE, every=40)
    outcome = gap_experiment(store, SITE, HERE, natural)
    assert outcome.notes["natural_gap"] == "clouds of 2023"
    assert "innsbruck_2023/prepared_bti.aggressive" in outcome.manifest.inputs
    assert outcome.tables["gcc_by_gap"][0]["n_pixels"] > 0


def test_the_benchmark_without_another_season_says_so(store: ProductStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satfusion_assets.pipeline.gap_benchmark.benchmark.GAP_DAYS", (30,))
    monkeypatch.setattr("satfusion_assets.pipeline.gap_benchmark.benchmark.Experiment", lambda: SMALL_WITH_NATURAL)
    outcome = gap_benchmark(store, SITE, HERE)
    assert outcome.notes["natural_gap"] == "none: no other season has been prepared"
    assert outcome.numbers["gaps"] == 1
    assert (store.folder(HERE) / GapLayout().metrics).is_file()


SMALL_WITH_NATURAL = Experiment((30,), (Transition.GREEN_UP, Transition.NATURAL), scenarios=(BTI,))
