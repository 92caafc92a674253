"""The table over all site-seasons."""

from __future__ import annotations

import numpy as np

from satfusion_assets.processing.bootstrap import Bootstrap
from satfusion_assets.processing.scores import SeasonSeries, season_metrics
from satfusion_assets.processing.series import DailySeries
from satfusion_assets.processing.skill import season_skill
from satfusion_assets.processing.tables import LATEX_COLUMNS, latex_table, score_rows, score_table
from satfusion_assets.scenarios import SCENARIOS, Strategy
from satfusion_assets.sites import SiteSeason

DAYS = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
WAVE = DailySeries(DAYS, 0.4 + 0.05 * np.sin(np.arange(len(DAYS)) / 20))
EMPTY = DailySeries.of([], [])


def table_of(camera: DailySeries) -> list[dict[str, object]]:
    by_strategy = dict.fromkeys(Strategy, WAVE)
    season = SeasonSeries(camera, dict.fromkeys(SCENARIOS, WAVE), WAVE, by_strategy, by_strategy)
    skill = season_skill(season.fused, {"GR_1000": camera}, {}, Bootstrap(draws=50))
    return score_rows(SiteSeason("forthgr", 2024), season_metrics(season), skill)


def test_one_row_per_scenario_and_baseline() -> None:
    frame = score_table(table_of(WAVE))
    assert frame["kind"].value_counts().to_dict() == {"fused": 8, "baseline": 7}
    assert (frame["nse_pc"] > 0.999).all()
    assert frame.loc[frame["kind"] == "fused", "calibrated_rmse"].max() < 1e-12
    assert frame.loc[frame["kind"] == "baseline", "calibrated_rmse"].isna().all()


def test_a_season_without_camera_keeps_its_rows_without_numbers() -> None:
    frame = score_table(table_of(EMPTY))
    assert len(frame) == 15
    assert frame["nse_pc"].isna().all()
    assert r"aggressive\_sigma20 & -- & --" in latex_table(frame)


def test_no_site_seasons_are_an_empty_table() -> None:
    frame = score_table([])
    assert len(frame) == 0
    assert latex_table(frame).count("\\\\") == 1


def test_latex_cells() -> None:
    text = latex_table(score_table(table_of(WAVE)))
    assert r"forthgr & 2024 & aggressive\_sigma20 & 182 & $1.000$" in text
    assert all(heading in text for heading in LATEX_COLUMNS.values())
