"""Stages that run on two machines over one bucket make what one machine makes in a folder, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from satfusion_assets.pipeline.camera_phenology.camera import camera_phenology
from satfusion_assets.pipeline.fused.fuse import fuse_season
from satfusion_assets.pipeline.pack.pack import pack_season
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.pipeline.scenario_metrics.score import score_scenario
from satfusion_assets.store import Manifest, ProductStore, Store
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets_tests.reference.season import HERE, SITE, publish_raw
from satfusion_assets_tests.store.servers.running import KEYS, moto, new_bucket

SCENARIO = Scenario.parse("nonaggressive_sigma20")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # two seasons, on a machine that may be busy


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Store]]:
    with moto() as url:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        where = new_bucket(url)
        yield [BucketStore(Blobs(where), VersionCache(tmp_path / name, 10**9)) for name in ("a", "b")]


def make_season(stores: Iterator[Store]) -> None:
    """Each stage in the next of ``stores``; the pack twice, since it looks at the one whose place it takes."""
    publish_raw(next(stores))
    camera_phenology(next(stores), HERE)
    preselect(next(stores), SITE, HERE)
    prepare(next(stores), SITE, HERE, SCENARIO.strategy, SCENARIO.mode, smoothing_days=5)
    fuse_season(next(stores), SITE, HERE, SCENARIO)
    process(next(stores), SITE, HERE, SCENARIO)
    score_scenario(next(stores), HERE, SCENARIO)
    pack_season(next(stores), HERE, SCENARIO)
    pack_season(next(stores), HERE, SCENARIO)


def test_the_same_season_comes_of_two_hosts_and_a_bucket(hosts: list[Store], tmp_path: Path):
    alone = ProductStore(tmp_path / "alone")
    make_season(cycle([alone]))
    make_season(cycle(hosts))
    expected, made = (list(map(told, store.products(HERE))) for store in (alone, hosts[0]))
    assert len(made) == 10
    assert made == expected


def told(manifest: Manifest) -> Manifest:
    """Everything that a manifest says but when it was made."""
    return manifest.model_copy(update={"created": None})
