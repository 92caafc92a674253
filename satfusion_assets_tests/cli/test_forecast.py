"""What a plan says before anything is made is true of a season of which nothing, a part or everything is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from satfusion_assets.cli.forecast import Due, forecast, summary
from satfusion_assets.cli.materialize import say_first_step
from satfusion_assets.cli.plans import ASKS, ASKS_FIRST, plan
from satfusion_assets.pipeline import gathering
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

HERE = SiteSeason("innsbruck", 2024)
FIRST = "never made; all is asked for, but what an interrupted try has kept"


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(Settings(_env_file=None, data_root=tmp_path / "data"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as one:
        yield one


def say(platform: Platform, instance: dg.DagsterInstance, until: Stage) -> str:
    runs = plan(HERE, until)
    return summary(forecast(platform, instance, runs, rebuild=False), sum(len(run.products) for run in runs))


def test_of_a_season_that_was_never_fetched_nothing_is_called_kept(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    assert say(platform, instance, Stage.PRESELECTED) == (
        f"2 of 2 derived products are to be made. None was made before. 3 raw products: {FIRST}."
    )


def test_raw_products_that_are_there_are_told_from_those_that_are_not(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    with platform.store.publish(Product("raw_s2", HERE)) as draft:
        draft.write_json("scenes.json", {})
    assert say(platform, instance, Stage.RAW).endswith(
        f"1 raw product: news is asked for; what is kept is not fetched again. 2 raw products: {FIRST}."
    )


def test_a_table_that_is_complete_is_due_once_the_season_gives_it_more(
    platform: Platform, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "is_complete", lambda *_: True)
    due = {one.product.name: one.why for one in forecast(platform, instance, plan(HERE), rebuild=False)}
    assert due["score_table"] == ("it gathers metrics",)
    assert "stac_catalogue" in due


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(30.0, "1 of them took 30 s, 7 MB on disk."), (None, "they took a time that is not recorded, 7 MB on disk.")],
    ids=["recorded", "records of another place"],
)
def test_what_was_made_without_a_record_is_not_called_never_made(seconds: float | None, says: str) -> None:
    made = Due(Product("metrics", HERE), ("its code was version 1, is 2",), seconds, 7.0)
    assert summary([made], 1) == f"1 of 1 derived products are to be made. The last time {says}"


def test_only_what_is_there_is_asked_for_news() -> None:
    raw = [Due(Product(name, HERE), (why,), None, None) for name, why in (("raw_s2", ASKS), ("raw_s3", ASKS_FIRST))]
    assert "derived" not in summary(raw, 2)


@pytest.mark.parametrize(
    ("start", "until", "says"),
    [
        (Stage.METRICS, Stage.METRICS, "innsbruck_2024: first scenario_metrics.\n"),
        (Stage.METRICS, Stage.EVALUATION, "innsbruck_2024: first scenario_metrics, phenology.\n"),
        (Stage.FUSED, Stage.RAW, ""),
    ],
)
def test_the_first_step_is_one_that_was_asked_for(
    capsys: pytest.CaptureFixture[str], start: Stage, until: Stage, says: str
) -> None:
    say_first_step(HERE, start, until)
    assert capsys.readouterr().out == says
