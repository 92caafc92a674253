"""The table over all site-seasons."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from satfusion_assets.evaluation.bootstrap import Bootstrap
from satfusion_assets.evaluation.scores import SeasonSeries
from satfusion_assets.evaluation.skill import CameraRegion, season_skill
from satfusion_assets.export.dictionary import SCORES, TABLES, csv_text, dictionary_table
from satfusion_assets.export.score_tables import LATEX_COLUMNS, SeasonScores, latex_table, score_table
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.conftest import program
from satfusion_assets_tests.evaluation.seasons import metrics_of

DAYS = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
WAVE = DailySeries(DAYS, 0.4 + 0.05 * np.sin(np.arange(len(DAYS)) / 20))
EMPTY = DailySeries.of([], [])


SYNTHETIC = "sentinel-2-l2a: licence CC0-1.0; synthetic data"


def rows_of(*cameras: DailySeries, sources: str | None = None) -> list[dict[str, Any]]:
    """A season whose every series is the same wave, seen by one region for each of ``cameras``."""
    by_strategy = dict.fromkeys(Strategy, WAVE)
    season = SeasonSeries(cameras[0], dict.fromkeys(SCENARIOS, WAVE), WAVE, by_strategy, by_strategy)
    regions = {f"GR_{number}000": CameraRegion(camera, "GR") for number, camera in enumerate(cameras, 1)}
    skill = season_skill(season.fused, season.baselines, regions, Bootstrap(draws=50))
    return SeasonScores(SiteSeason("forthgr", 2024), metrics_of(season), skill, "olci_l1b", "TOA", sources).rows()


def test_one_row_per_scenario_and_baseline() -> None:
    frame = score_table(rows_of(WAVE))
    assert frame["kind"].value_counts().to_dict() == {"scenario": 12, "baseline": 7}
    assert next(iter(frame["kind"])) == "scenario"
    assert (frame["nse_pc"] > 0.999).all()
    assert frame["calibrated_rmse"].max() < 1e-3, "the smoothed wave is the farthest off"
    assert set(frame["s3_product"]) == {"olci_l1b"}


def test_another_region_has_the_same_scores_in_rows_of_its_own() -> None:
    """Bias is x - y: the second region is 0.1 greener than every series; only the contract knows nRMSE."""
    frame = score_table(rows_of(WAVE, DailySeries(DAYS, WAVE.values + 0.1)))
    own, other = (frame[frame["own_region"] == flag] for flag in (True, False))
    assert len(own) == len(other) == 19
    assert frame["own_region"].is_monotonic_decreasing
    assert other["mean_residual"].to_numpy() == pytest.approx(-0.1, abs=1e-3)
    assert other["rmse"].to_numpy() == pytest.approx(0.1, abs=1e-3)
    assert own["nrmse"].notna().all()
    assert other["nrmse"].isna().all()
    assert latex_table(frame).count("forthgr") == 19, "LaTeX shows the site's own region"


def test_a_season_without_camera_keeps_its_rows_without_numbers() -> None:
    frame = score_table(rows_of(EMPTY))
    assert len(frame) == 19
    assert frame["nse_pc"].isna().all()
    assert r"TOA & aggressive\_sigma20 & -- & --" in latex_table(frame)


def test_no_site_seasons_are_an_empty_table() -> None:
    frame = score_table([])
    assert len(frame) == 0
    assert latex_table(frame).count("\\\\") == 1


def test_latex_cells() -> None:
    text = latex_table(score_table(rows_of(WAVE)))
    assert r"forthgr & 2024 & TOA & aggressive\_sigma20 & 182 & $1.000$" in text
    assert "$1.000$ [1.00, 1.00]" in text, "the interval of the calibrated NSE"
    assert all(heading in text for heading in LATEX_COLUMNS.values())


def test_whole_numbers_and_flags_are_written_as_such() -> None:
    """R takes True for text and 182.0 for a measurement; a number that is missing is empty."""
    text = csv_text(score_table([*rows_of(WAVE), *rows_of(EMPTY)]), SCORES)
    header, *lines = (line.split(",") for line in text.splitlines())
    column = {name: {line[header.index(name)] for line in lines} for name in ("n_samples", "own_region", "season")}
    assert column == {"n_samples": {"", "182"}, "own_region": {"TRUE"}, "season": {"2024"}}


def test_what_is_synthetic_says_so_in_the_table_and_in_its_caption() -> None:
    frame = score_table(rows_of(WAVE, sources=SYNTHETIC))
    assert SYNTHETIC in csv_text(frame, SCORES)
    assert "The data are synthetic." in latex_table(frame)
    assert "synthetic" not in latex_table(score_table(rows_of(WAVE, sources="sentinel-2-l2a: licence other")))


def test_the_dictionary_explains_every_column_once() -> None:
    frame = dictionary_table(TABLES)
    assert not frame.duplicated(["table", "column"]).any()
    assert (frame["meaning"].str.len() > 5).all()


def test_latex_sets_the_table_with_the_packages_that_it_names(tmp_path: Path) -> None:
    pdflatex = program("pdflatex", package="texlive-latex-recommended")
    table = latex_table(score_table(rows_of(WAVE, sources=SYNTHETIC)))
    packages = re.search(r"\\usepackage\{.*\}", table)
    (tmp_path / "paper.tex").write_text(
        rf"\documentclass{{article}}{packages[0]}\begin{{document}}See~\ref{{tab:scores}}. {table}\end{{document}}"
    )
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull \\hbox" not in done.stdout, "it fits the page"
