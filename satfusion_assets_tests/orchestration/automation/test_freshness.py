"""Freshness partition by partition, with a clock that the test turns."""

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from satfusion_assets.definitions import build_defs
from satfusion_assets.pipeline.platform import Platform, utc_now
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason

NOW = utc_now()
RUNNING, CLOSED = SiteSeason("innsbruck", NOW.year), SiteSeason("innsbruck", 2019)
SITE = Site(name="innsbruck", latitude=47.116, longitude=11.32, seasons=(CLOSED.season, RUNNING.season))


class Clock:
    time: datetime = NOW


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock) -> Platform:
    platform = Platform(Settings(_env_file=None, data_root=tmp_path), now=lambda: clock.time)
    platform.registry.add(SITE)
    for name in platform.registry.sites:
        if name.name != SITE.name:
            platform.registry.remove(name.name)
    return platform


def make(platform: Platform, name: str, season: SiteSeason, content: str = "", made_from: str | None = None) -> None:
    """Publish a small product, read from ``made_from`` when given."""
    inputs = []
    if made_from is not None:
        with platform.store.read(Product(made_from, season)) as view:
            inputs = [view]
    with platform.store.publish(Product(name, season), inputs=inputs) as draft:
        draft.write_json(f"{name}.json", content)


def looked(platform: Platform) -> dict[str, bool]:
    """What the freshness check says of each asset."""
    defs = build_defs(platform)
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("look_at_freshness").execute_in_process(instance=instance)
        return {item.asset_key.to_user_string(): item.passed for item in result.get_asset_check_evaluations()}


def test_a_backfill_of_a_closed_season_does_not_refresh_the_running_one(platform: Platform) -> None:
    make(platform, "raw_s2", CLOSED)
    assert not looked(platform)["raw_s2"]
    make(platform, "raw_s2", RUNNING)
    assert looked(platform)["raw_s2"]


def test_raw_data_of_a_running_season_grow_stale_and_those_of_a_closed_one_never(
    platform: Platform, clock: Clock
) -> None:
    for season in (CLOSED, RUNNING):
        make(platform, "raw_s2", season)
    clock.time = NOW + timedelta(days=9)
    assert looked(platform)["raw_s2"]
    clock.time = NOW + timedelta(days=11)
    assert not looked(platform)["raw_s2"]
    clock.time = datetime(RUNNING.season + 2, 1, 1, tzinfo=NOW.tzinfo)
    assert looked(platform)["raw_s2"], "two years later both seasons are closed"


def test_a_product_is_stale_a_day_after_its_input_changed(platform: Platform, clock: Clock) -> None:
    make(platform, "raw_s2", RUNNING, "old")
    make(platform, "preselected", RUNNING, made_from="raw_s2")
    clock.time = NOW + timedelta(days=3)
    assert looked(platform)["preselected"]
    make(platform, "raw_s2", RUNNING, "new")
    clock.time = NOW + timedelta(hours=23)
    assert looked(platform)["preselected"]
    clock.time = NOW + timedelta(hours=26)
    assert not looked(platform)["preselected"]
    make(platform, "preselected", RUNNING, made_from="raw_s2")
    assert looked(platform)["preselected"]


def test_a_product_that_was_never_made_is_stale_a_day_after_its_raw_data_came(platform: Platform, clock: Clock) -> None:
    assert looked(platform)["metrics"]
    make(platform, "raw_s2", RUNNING)
    clock.time = NOW + timedelta(days=2)
    assert not looked(platform)["metrics"]
