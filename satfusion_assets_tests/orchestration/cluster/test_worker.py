"""A run through PostgreSQL, RabbitMQ and a bucket: one worker dies in the middle of it, the next makes the product."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.test_utils import create_run_for_test

from deploy.demo_cluster import rabbitmq
from deploy.demo_cluster.machine import ThisMachine
from deploy.demo_cluster.postgres import Postgres
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.store.bucket import BucketStore, folder_of
from satfusion_assets.store.log import ProductLogs
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.sites import SiteRegistry
from satfusion_assets_tests.orchestration.cluster.test_launcher import SETTINGS
from satfusion_assets_tests.orchestration.cluster.test_lease import eventually
from satfusion_assets_tests.reference.season import HERE, SITE, publish_raw
from satfusion_assets_tests.store.servers.running import KEYS, child, free_port, moto, new_bucket

MADE = Product("preselected", HERE)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # two workers load everything, on a machine that may be busy


@pytest.fixture
def instance(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster with the settings of several machines, and an environment that workers take over."""
    if not rabbitmq.is_installed():
        pytest.skip("RabbitMQ is not installed (Debian: rabbitmq-server)")
    queue = rabbitmq.RabbitMq(ThisMachine(), tmp_path / "rabbitmq", (free_port(), free_port(), free_port()))
    (tmp_path / "home").mkdir()
    copyfile(SETTINGS, tmp_path / "home" / "dagster.yaml")
    sites = SiteRegistry.load(tmp_path / "sites.geojson")
    sites.add(SITE)
    queue.start()
    try:
        with moto() as url:
            settings = {
                **KEYS,
                "AWS_ENDPOINT_URL": url,
                "SATFUSION_STORE": new_bucket(url),
                "SATFUSION_POSTGRES_URL": postgres.url,
                "SATFUSION_BROKER_URL": queue.url,
                "SATFUSION_SITES_FILE": str(sites.path),
                "SATFUSION_DATA_ROOT": str(tmp_path / "data"),
                "DAGSTER_HOME": str(tmp_path / "home"),
            }
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            with dg.DagsterInstance.get() as instance:
                yield instance
    finally:
        queue.stop()


@contextmanager
def worker(log: Path) -> Iterator[None]:
    """One that is killed with all it has forked when the block ends."""
    app = "satfusion_assets.orchestration.cluster.worker"
    with child([sys.executable, "-m", "celery", "--app", app, "worker", "--concurrency", "1"], log):
        yield


def launched(instance: dg.DagsterInstance) -> str:
    """A run of ``MADE`` in the queue."""
    code = ReconstructableRepository.for_module("satfusion_assets.definitions", "defs", None)
    run = create_run_for_test(
        instance,
        job_name="__ASSET_JOB",
        status=dg.DagsterRunStatus.STARTING,
        tags={"dagster/partition": HERE.key},
        asset_selection=frozenset({dg.AssetKey(MADE.name)}),
        job_code_origin=code.get_reconstructable_job("__ASSET_JOB").get_python_origin(),
    )
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_whose_worker_dies_is_found_dead_and_made_by_the_next_one(instance: dg.DagsterInstance, tmp_path: Path):
    store = BucketStore(Blobs(os.environ["SATFUSION_STORE"]), VersionCache(tmp_path / "cache", 10**9))
    alone = ProductStore(tmp_path / "alone")
    for each in (store, alone):
        publish_raw(each)
    instance.add_dynamic_partitions(SITE_SEASON, [HERE.key])
    first = launched(instance)
    with worker(tmp_path / "first.log"):
        eventually(lambda: status(instance, first) is dg.DagsterRunStatus.STARTED, 300)
    run = instance.get_run_by_id(first)
    assert run is not None
    eventually(lambda: instance.run_launcher.check_run_worker_health(run).status is WorkerStatus.FAILED, 60)
    instance.report_run_failed(run)

    second = launched(instance)
    with worker(tmp_path / "second.log"):
        eventually(lambda: status(instance, second).value in ("SUCCESS", "FAILURE"), 300)
    assert status(instance, second) is dg.DagsterRunStatus.SUCCESS
    preselect(alone, SITE, HERE)
    made, expected = store.manifest(MADE), alone.manifest(MADE)
    assert made is not None
    assert expected is not None
    assert (made.version, made.files) == (expected.version, expected.files)
    assert len(ProductLogs(store.blobs, folder_of(HERE)).entries(MADE.slug)) == 1
    assert status(instance, first) is dg.DagsterRunStatus.FAILURE
