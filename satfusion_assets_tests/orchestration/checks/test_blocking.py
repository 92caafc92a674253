"""A product that breaks a blocking criterion is recorded and goes no further; the verdict is its partition's alone."""

from pathlib import Path

import dagster as dg
import pytest

from satfusion_assets.definitions import build_defs
from satfusion_assets.orchestration.automation.freshness import FRESH
from satfusion_assets.pipeline.fused import fuse
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.partitions import SITE_SEASON, scenario_key
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.processed import process
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.scenarios import EFAST_SCENARIOS, Mode
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets_tests.orchestration.checks import products as made
from satfusion_assets_tests.orchestration.checks.products import BTI, DAYS, SEASON, SITE, Files

KEY = scenario_key(SEASON, BTI)


def publishing(store: ProductStore, name: str, files: Files) -> Outcome:
    product = Product(name, SEASON, BTI.key)
    made.publish(store, product, files)
    manifest = store.manifest(product)
    assert manifest is not None
    return Outcome(manifest)


@pytest.mark.parametrize("reflectance", [0.07, 3.0])
def test_impossible_reflectance_is_recorded_but_not_processed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reflectance: float
) -> None:
    platform = Platform(Settings(_env_file=None, data_root=tmp_path))
    platform.registry.add(SITE)
    files = made.fused(BTI)
    for name in map(FusedLayout(BTI).image, DAYS):
        files[name].values[:] = reflectance
    monkeypatch.setattr(fuse, "fuse_season", lambda store, *_: publishing(store, "fused", files))
    monkeypatch.setattr(process, "process", lambda store, *_: publishing(store, "processed", made.processed(BTI)))
    bad = reflectance > 1
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [SEASON.key])
        job = build_defs(platform).resolve_implicit_global_asset_job_def()
        selection = [dg.AssetKey("fused"), dg.AssetKey("processed")]
        result = job.execute_in_process(
            instance=instance, partition_key=KEY, asset_selection=selection, raise_on_error=False
        )
        done = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
        verdicts = {item.check_name: item for item in result.get_asset_check_evaluations()}
    assert result.success is not bad
    assert done == ({"fused"} if bad else {"fused", "processed"})
    assert verdicts["range"].passed is not bad
    of_partition = [item for name, item in verdicts.items() if name != FRESH]  # freshness speaks of all partitions
    assert {str(item.partition) for item in of_partition} == {str(KEY)}


def test_without_a_partition_every_one_that_was_made_is_judged_by_itself(tmp_path: Path) -> None:
    platform = Platform(Settings(_env_file=None, data_root=tmp_path))
    platform.registry.add(SITE)
    good, bad = (item for item in EFAST_SCENARIOS if item.mode is Mode.BTI and item.strategy is BTI.strategy)
    for scenario in (good, bad):
        made.publish(platform.store, Product("fused", SEASON, scenario.key), made.fused(scenario))
    image = next((tmp_path / SEASON.site / str(SEASON.season)).rglob(f"{FusedLayout(bad).image(DAYS[0])}")).resolve()
    image.unlink()  # both may be one file
    image.write_bytes(b"damaged")
    files = dg.AssetCheckKey(dg.AssetKey("fused"), "files")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for scenario in (good, bad):
            key = scenario_key(SEASON, scenario)
            instance.report_runless_asset_event(dg.AssetMaterialization("fused", partition=str(key)))
        job = build_defs(platform).resolve_implicit_global_asset_job_def()
        checks = job.get_subset(asset_selection=set(), asset_check_selection={files})
        results = [checks.execute_in_process(instance=instance) for _ in range(2)]  # as often as somebody clicks
        history = instance.event_log_storage.get_asset_check_execution_history(files, limit=10)
    evaluations = [record for record in history if isinstance(record.evaluation, dg.AssetCheckEvaluation)]
    assert all(result.success for result in results)
    for result in results:
        told = {record.partition: record.evaluation.passed for record in evaluations if record.run_id == result.run_id}
        assert told == {str(scenario_key(SEASON, good)): True, str(scenario_key(SEASON, bad)): False}
