"""A population goes on where it stopped: what today's methods have scored is not scored again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from satfusion_assets.cli.truth_cases import MADE_BY, cases, is_scored, made_by, run_cases, table_of
from satfusion_assets.cli.truth_landscapes import prepared_case
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.truth.population import Case

CASE = Case("innsbruck", 2024, 3, "hard")


def scored(folder: Path, by: dict[str, object]) -> None:
    table_of(CASE, folder).mkdir(parents=True)
    (table_of(CASE, folder) / MADE_BY).write_text(json.dumps(by))


def test_every_site_meets_every_seed_on_both_landscapes() -> None:
    made = cases([("innsbruck", 2024), ("vindeln2", 2024)], [1, 2], ["plain", "hard"])
    assert len({case.name for case in made}) == 8
    assert [case.landscape for case in made[:2]] == ["plain", "hard"], "a plain landscape and its hard twin together"


def test_tables_of_today_s_methods_stand(tmp_path: Path) -> None:
    scored(tmp_path, made_by())
    assert is_scored(CASE, tmp_path)
    heard: list[list[Path]] = []
    run_cases([CASE], tmp_path, heard.append)
    assert heard == [[table_of(CASE, tmp_path)]], "the page is written of what there is, and nothing is scored"


@pytest.mark.parametrize("other", [{"methods": ["linear"]}, {"fused": -1}, {"prepared": -1}])
def test_another_method_or_code_asks_for_the_score_again(tmp_path: Path, other: dict[str, object]) -> None:
    scored(tmp_path, made_by() | other)
    assert not is_scored(CASE, tmp_path)


def test_tables_without_a_word_of_their_methods_are_not_trusted(tmp_path: Path) -> None:
    table_of(CASE, tmp_path).mkdir(parents=True)
    assert not is_scored(CASE, tmp_path)


def test_a_landscape_is_prepared_once_for_one_code_version(tmp_path: Path) -> None:
    kept = tmp_path / f"prepared_{PREPARED_BTI.code_version}" / CASE.name
    kept.mkdir(parents=True)
    assert prepared_case(CASE, tmp_path) == kept


def test_every_strategy_is_judged_with_every_method_that_sentinel_2_alone_has() -> None:
    methods = made_by()["methods"]
    assert isinstance(methods, list)
    assert {"nearest", "linear", "whittaker", "harmonic"} < set(methods)
    assert {name.split("_")[0] for name in methods if "sigma" in name} == {"aggressive", "nonaggressive"}
