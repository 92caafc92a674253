"""Tables over all site-seasons: what there is goes in, and they know when they are out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from satfusion_assets.evaluation.bootstrap import Bootstrap
from satfusion_assets.evaluation.scores import SeasonSeries
from satfusion_assets.evaluation.skill import CameraRegion, season_skill
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.gap_table.tabulate import tabulate_gaps
from satfusion_assets.pipeline.gathering import is_complete
from satfusion_assets.pipeline.metrics.files import METRICS_FILE, SKILL_FILE
from satfusion_assets.pipeline.score_table.tabulate import tabulate_scores
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.store import ALL_SEASONS, Product, ProductStore
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.evaluation.seasons import metrics_of

HERE, THERE, NOTHING = SiteSeason("innsbruck", 2024), SiteSeason("forthgr", 2024), SiteSeason("pitsalu", 2024)
SCORES, GAPS = Product("score_table", ALL_SEASONS), Product("gap_table", ALL_SEASONS)


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    return ProductStore(tmp_path / "data")


SURFACE = {"sentinel3": "syn_l2, surface reflectance"}


def publish_metrics(
    store: ProductStore, site_season: SiteSeason, noise: float = 0.01, source: dict[str, str] | None = None
) -> None:
    days = np.arange("2024-03-01", "2024-06-01", dtype="datetime64[D]")
    camera = DailySeries(days, 0.4 + 0.05 * np.sin(np.arange(len(days)) / 20))
    fused = DailySeries(days, camera.values + noise * (-1.0) ** np.arange(len(days)))
    by_strategy = dict.fromkeys(Strategy, fused)
    season = SeasonSeries(camera, dict.fromkeys(SCENARIOS, fused), fused, by_strategy, by_strategy)
    skill = season_skill(season.fused, season.baselines, {"GR_1000": CameraRegion(camera, "GR")}, Bootstrap(draws=20))
    with store.publish(Product("metrics", site_season), parameters=source) as draft:
        draft.write_json(METRICS_FILE, metrics_of(season))
        draft.write_json(SKILL_FILE, skill)


def publish_gaps(store: ProductStore, site_season: SiteSeason, source: dict[str, str] | None = None) -> None:
    scores = {"n_pixels": 9, "rmse": 0.1, "mae": 0.1, "mean_bias": 0.0, "pearson_r": None, "nse_s2": None}
    spatial = {"linear": {"gcc": {**scores, "estimated_share": 1.0}}}
    temporal = {"linear": {"nse_pc": 0.5, "rmse": 0.01, "pearson_r": 0.9, "n_samples": 99}}
    phenology = {"linear": {"rising_50": 4, "falling_50": None}}
    gap = {"transition": "peak", "gap_days": 30, "spatial": spatial, "temporal": temporal, "phenology": phenology}
    no_gap = {"temporal": {"linear": {"nse_pc": 0.75}}}
    report: dict[str, Any] = {
        "site_name": site_season.site,
        "season": site_season.season,
        "strategies": {"aggressive": {"no_gap": no_gap, "gaps": [gap]}},
    }
    with store.publish(Product("gap_benchmark", site_season), parameters=source) as draft:
        draft.write_json(GapLayout().metrics, report)


def test_the_score_table_holds_what_has_been_scored_so_far(store: ProductStore) -> None:
    publish_metrics(store, HERE, source=SURFACE)
    outcome = tabulate_scores(store, [HERE, NOTHING])
    assert outcome.numbers == {"site_seasons": 1, "rows": 19, "scored": 19}
    assert outcome.tables["scores"][0]["s3_level"] == "BOA"
    tables = store.root / "tables"
    frame = pd.read_parquet(tables / "scores.parquet")
    pd.testing.assert_frame_equal(pd.read_csv(tables / "scores.csv"), frame, check_dtype=False)
    assert "innsbruck & 2024 & BOA" in (tables / "scores.tex").read_text()


def test_a_table_is_complete_until_a_site_season_comes_changes_or_goes(store: ProductStore) -> None:
    publish_metrics(store, HERE)
    assert not is_complete(store, SCORES, [HERE])
    tabulate_scores(store, [HERE])
    assert is_complete(store, SCORES, [HERE, THERE]), "there has no metrics"
    publish_metrics(store, THERE)
    assert not is_complete(store, SCORES, [HERE, THERE])
    tabulate_scores(store, [HERE, THERE])
    publish_metrics(store, THERE, noise=0.02)
    assert not is_complete(store, SCORES, [HERE, THERE])
    tabulate_scores(store, [HERE, THERE])
    assert is_complete(store, SCORES, [HERE, THERE])
    assert not is_complete(store, SCORES, [HERE]), "a site that is no longer registered leaves the table"


def test_equal_scores_give_an_equal_table(store: ProductStore) -> None:
    publish_metrics(store, HERE)
    assert tabulate_scores(store, [HERE]).manifest.version == tabulate_scores(store, [HERE]).manifest.version


def test_the_gap_tables_hold_every_tier(store: ProductStore) -> None:
    publish_gaps(store, HERE)
    publish_gaps(store, THERE)
    outcome = tabulate_gaps(store, [HERE, THERE, NOTHING])
    assert outcome.numbers == {"site_seasons": 2, "rows": 2}
    season = pd.read_csv(store.root / "tables" / "gaps_season.csv")
    assert season["delta_nse_pc"].tolist() == [-0.25, -0.25]
    assert season["late_rising_50"].tolist() == [4, 4]
    assert season["late_falling_50"].isna().all()
    summary = pd.read_csv(store.root / "tables" / "gaps_summary.csv")
    assert summary[["n_gaps", "rmse"]].to_numpy().tolist() == [[2, 0.1]]
    assert (
        "-- & aggressive & linear & 30 & 2 & $0.100$ & -- & $1.000$ & --"
        in (store.root / "tables" / "gaps_summary.tex").read_text()
    )


def test_gaps_filled_from_different_sentinel_3_products_are_never_pooled(store: ProductStore) -> None:
    publish_gaps(store, HERE, SURFACE)
    publish_gaps(store, THERE, {"sentinel3": "olci_l1b, top-of-atmosphere reflectance"})
    outcome = tabulate_gaps(store, [HERE, THERE])
    summary = outcome.tables["gcc_by_gap_length"]
    assert [(row["s3_level"], row["n_gaps"]) for row in summary] == [("BOA", 1), ("TOA", 1)]
    for table in ("gaps", "gaps_season"):
        frame = pd.read_csv(store.root / "tables" / f"{table}.csv")
        named = frame.set_index("site")["s3_product"].to_dict()
        assert named == {"innsbruck": "syn_l2", "forthgr": "olci_l1b"}


def test_scores_of_two_sentinel_3_products_name_both(store: ProductStore) -> None:
    both = {"sentinel3": "olci_l1b, top-of-atmosphere reflectance; syn_l2, surface reflectance"}
    publish_metrics(store, HERE, source=both)
    row = tabulate_scores(store, [HERE]).tables["scores"][0]
    assert row["s3_level"] == "TOA; BOA"


def test_scores_of_an_earlier_version_are_one_sentence(store: ProductStore) -> None:
    publish_metrics(store, HERE)
    with store.publish(Product("metrics", HERE)) as draft:
        draft.write_json(METRICS_FILE, {"temporal": {}, "baseline": {}})
        draft.write_json(SKILL_FILE, {"regions": {"GR_1000": {}}})
    with pytest.raises(ProductCorrupt, match="materialise metrics of innsbruck_2024 again"):
        tabulate_scores(store, [HERE])


@pytest.mark.parametrize("tabulate", [tabulate_scores, tabulate_gaps])
def test_nothing_to_gather_is_one_sentence(store: ProductStore, tabulate: Any) -> None:
    with pytest.raises(ProductMissing, match="nothing to tabulate; materialise one first"):
        tabulate(store, [HERE])
