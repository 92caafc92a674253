"""On two hosts with PostgreSQL, RabbitMQ and radosgw one dies in mid-run; the season is as one machine makes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.client import Client
from deploy.demo_cluster.backfill import ask_for, runs_of
from deploy.demo_cluster.cluster import cluster, what_is_missing
from satfusion_assets.pipeline.camera_phenology.camera import camera_phenology
from satfusion_assets.pipeline.fused.fuse import fuse_season
from satfusion_assets.pipeline.pack.pack import pack_season
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.pipeline.scenario_metrics.score import score_scenario
from satfusion_assets.store import ProductStore, Store
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteRegistry
from satfusion_assets_tests.orchestration.cluster.test_lease import eventually
from satfusion_assets_tests.reference.season import HERE, SITE, publish_raw

SCENARIOS = [Scenario.parse("aggressive_sigma20"), Scenario.parse("aggressive_sigma30")]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]  # services of a cluster, on a machine that may be busy


def make_in_folder(store: Store) -> None:
    """Everything of ``SCENARIOS`` by plain calls."""
    publish_raw(store)
    camera_phenology(store, HERE)
    preselect(store, SITE, HERE)
    for scenario in SCENARIOS:
        prepare(store, SITE, HERE, scenario.strategy, scenario.mode, smoothing_days=5)
        fuse_season(store, SITE, HERE, scenario)
        process(store, SITE, HERE, scenario)
        score_scenario(store, HERE, scenario)
        pack_season(store, HERE, scenario)


def test_a_host_that_dies_in_mid_run_costs_one_more_run_and_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if missing := what_is_missing():
        pytest.skip(missing)
    sites = SiteRegistry.load(tmp_path / "sites.geojson")
    sites.add(SITE)
    with cluster(sites.path, tmp_path / "sandbox") as running:
        for name, value in running.settings.items():
            monkeypatch.setenv(name, value)
        store = BucketStore(Blobs(os.environ["SATFUSION_STORE"]), VersionCache(tmp_path / "cache", 10**9))
        publish_raw(store)
        client = Client(running.url)
        backfill = ask_for(client, [HERE], SCENARIOS, start=Stage.PRESELECTED)

        eventually(lambda: any(run.host == "worker-a" for run in runs_of(client, backfill)), 600)
        running.workers["worker-a"].kill()
        running.workers["worker-a"].boot()
        running.start_worker("worker-a")

        finished = client.wait(backfill, 900)
        runs = runs_of(client, backfill)
        assert finished.status == "COMPLETED_SUCCESS", (finished, runs)
        assert {run.host for run in runs} == {"worker-a", "worker-b"}
        assert max(run.attempt for run in runs) <= 1
        made = {(item.product, item.variant): (item.version, item.files) for item in store.products(HERE)}
    alone = ProductStore(tmp_path / "alone")
    make_in_folder(alone)
    expected = {(item.product, item.variant): (item.version, item.files) for item in alone.products(HERE)}
    assert len(expected) == 14
    assert {key: made.get(key) for key in expected} == expected
