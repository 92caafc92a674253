"""An installation that version 0.1.0 wrote opens: raw data stay, what is stale is said, nothing starts by itself."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.asset_daemon import asset_daemon_cursor_from_instigator_serialized_cursor
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.cli.forecast import forecast, summary
from satfusion_assets.cli.plans import ASKS, plan
from satfusion_assets.definitions import build_defs
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Manifest, Product
from satfusion_assets.vocabulary.errors import CredentialsMissing, InvalidInput
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

HERE = SiteSeason("reference", 2023)
FIXTURE = Path(__file__).with_name("installation_0.1.0.tar.xz")
RAW = ("raw_s2", "raw_s3", "raw_phenocam")
NOWHERE = "http://127.0.0.1:9"
"""Nobody answers there."""


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The old installation, every archive out of reach and no account set."""
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="tar")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster_home"))
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(tmp_path / "data"))
    for name in ("EARTH_SEARCH", "OPENEO", "PHENOCAM"):
        monkeypatch.setenv(f"SATFUSION_{name}_URL", NOWHERE)
    for name in ("CDSE_USER", "CDSE_PASSWORD", "CDSE_CLIENT_ID", "CDSE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return Platform(Settings(_env_file=None))


@pytest.fixture
def instance(platform: Platform) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as found:
        yield found


def manifests(platform: Platform) -> dict[str, Manifest]:
    return {f"{one.product}.{one.variant}": one for one in platform.store.products(HERE)}


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_it_opens_and_every_product_is_whole(platform: Platform, instance: dg.DagsterInstance) -> None:
    found = manifests(platform)
    assert {"raw_s2.", "prepared_bti.aggressive", "fused.aggressive_sigma20", "metrics."} <= set(found)
    for one in found.values():
        assert one.code_version == 1
        assert platform.store.verify(Product(one.product, HERE, one.variant)) == []
    assert instance.get_dynamic_partitions("site_season") == [HERE.key]
    assert instance.get_materialized_partitions(dg.AssetKey("fused")) == {f"aggressive_sigma20|{HERE.key}"}


def test_all_that_was_derived_is_stale_and_nothing_raw(platform: Platform, instance: dg.DagsterInstance) -> None:
    runs = plan(HERE)
    due = {one.product.slug: one for one in forecast(platform, instance, runs, rebuild=False)}
    assert all(due[name].why == (ASKS,) for name in RAW)
    for name in ("preselected", "prepared_bti.aggressive", "fused.aggressive_sigma20", "metrics"):
        record = REGISTRY[name.partition(".")[0]]
        assert due[name].why[0] == f"its code was version 1, is {record.code_version}"
        assert due[name].seconds is not None, "what it took is in the old instance"
    says = summary(list(due.values()), sum(len(run.products) for run in runs))
    assert "derived products are to be made" in says
    assert "The last time 8 of them took" in says


def test_what_a_rebuild_costs_is_said_and_nothing_is_made(platform: Platform) -> None:
    before = manifests(platform)
    says = run("materialize", "reference", "2023", "--dry-run")
    assert "its code was version 1, is 2" in says
    assert "what is kept is not fetched again" in says
    assert manifests(platform) == before


def test_what_is_downstream_of_raw_is_made_again_without_any_archive(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = manifests(platform)
    says = run("materialize", "reference", "2023", "--from", "preselected", "--until", "prepared")
    assert "derived products are to be made" in says
    now = manifests(platform)
    assert {name: now[name] for name in now if name.startswith("raw_")} == {
        name: before[name] for name in before if name.startswith("raw_")
    }
    assert [now[name].code_version for name in ("preselected.", "prepared_bti.aggressive")] == [2, 2]
    monkeypatch.delattr("satfusion_assets.cli.materialize.dagster_instance")  # not needed where nothing is due
    again = run("materialize", "reference", "2023", "--from", "preselected", "--until", "prepared")
    assert again.count(" up to date (") == 3  # a run of what is pre-selected, and one for each strategy
    assert "All 6 derived products are up to date." in again


def test_a_missing_account_is_said_before_the_first_step(platform: Platform, instance: dg.DagsterInstance) -> None:
    before = instance.get_runs_count()
    with pytest.raises(CredentialsMissing, match="CDSE_USER"):
        CliRunner().invoke(app, ["materialize", "reference", "2023"], catch_exceptions=False)
    assert instance.get_runs_count() == before


def test_a_first_stage_after_the_last_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Stage metrics comes after prepared"):
        plan(HERE, until=Stage.PREPARED, start=Stage.METRICS)


def test_automation_that_was_on_starts_nothing_but_new_scenarios_and_then_follows_changes(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    defs = build_defs(platform)
    old = (tmp_path / "automation_cursor.txt").read_text("utf-8")
    cursor = asset_daemon_cursor_from_instigator_serialized_cursor(old, defs.resolve_asset_graph())
    first = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
    requested = {
        key for name in REGISTRY.names for key in first.get_requested_partitions(dg.AssetKey(name)) if key is not None
    }
    assert requested == {f"aggressive_kriging|{HERE.key}"}, "what there was is left alone, a new scenario is made"
    tags = {"dagster/data_version": "another"}
    instance.report_runless_asset_event(dg.AssetMaterialization("raw_s2", partition=HERE.key, tags=tags))
    second = dg.evaluate_automation_conditions(defs, instance, cursor=first.cursor)
    assert second.get_requested_partitions(dg.AssetKey("preselected")) == {HERE.key}
