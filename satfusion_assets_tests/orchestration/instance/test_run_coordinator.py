"""Runs say what they are of; a run that waits is counted apart and ends as its backfill ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.dagster_run import DagsterRun

from satfusion_assets.definitions import defs
from satfusion_assets.orchestration.instance.run_coordinator import TaggingRunCoordinator, tags_of
from satfusion_assets.orchestration.jobs import backfill_of
from satfusion_assets.orchestration.tags import COMMAND, WAITS, YES
from satfusion_assets.orchestration.waiting import begun, wait_for
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets_tests.orchestration.checks.products import SEASON

ROOT = Path(__file__).parents[3]
OF_SCENARIO = {"dagster/partition": f"aggressive_sigma20|{SEASON.key}", "dagster/partition/site_season": SEASON.key}
PLACE = {"satfusion/site": SEASON.site, "satfusion/season": str(SEASON.season)}
WORK = {"satfusion/works": YES}


def run(assets: tuple[str, ...] = (), tags: dict[str, str] | None = None) -> DagsterRun:
    selection = frozenset(map(dg.AssetKey, assets)) if assets else None
    return DagsterRun(job_name="job", asset_selection=selection, tags=tags or {})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [SEASON.key])
        yield instance


def ask(instance: dg.DagsterInstance) -> str:
    backfill = backfill_of(defs.get_repository_def(), SEASON, instance, tags={COMMAND: "0123abcd"})
    instance.add_backfill(backfill)
    return backfill.backfill_id


def becomes(instance: dg.DagsterInstance, identity: str, status: BulkActionStatus) -> None:
    backfill = instance.get_backfill(identity)
    assert backfill is not None
    instance.update_backfill(backfill.with_status(status))


def test_a_run_says_site_season_and_each_sensor() -> None:
    both = {"satfusion/sentinel2": YES, "satfusion/sentinel3": YES}
    assert tags_of(run(("raw_s2",), {"dagster/partition": SEASON.key})) == WORK | PLACE | {"satfusion/sentinel2": YES}
    assert tags_of(run(("fused", "processed"), OF_SCENARIO)) == WORK | PLACE | both
    assert tags_of(run(("raw_phenocam", "raw_s3"))) == WORK | {"satfusion/phenocam": YES, "satfusion/sentinel3": YES}
    assert tags_of(run(("score_table",))) == WORK


def test_a_job_says_its_sensors() -> None:
    assert defs.resolve_job_def("acquire_sentinel3").tags["satfusion/sentinel3"] == YES
    assert "satfusion/phenocam" not in defs.resolve_job_def("acquire_sentinels").tags


def test_the_run_that_waits_is_not_counted_with_those_that_work() -> None:
    waiting = run(tags=dict(defs.resolve_job_def("materialise_site_season").tags) | {"dagster/partition": SEASON.key})
    assert waiting.tags[WAITS] == YES
    assert tags_of(waiting) == PLACE


@pytest.mark.parametrize("file", ["dagster_home/dagster.yaml", "deploy/cluster/dagster.yaml"])
def test_those_that_wait_and_those_that_work_have_their_places_together(file: str) -> None:
    settings = yaml.safe_load((ROOT / file).read_text())
    assert settings["run_coordinator"]["class"] == TaggingRunCoordinator.__name__
    limits = {limit["key"]: limit["limit"] for limit in settings["concurrency"]["runs"]["tag_concurrency_limits"]}
    assert limits.keys() == {"satfusion/works", WAITS}
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == sum(limits.values())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (BulkActionStatus.COMPLETED_SUCCESS, None),
        (BulkActionStatus.COMPLETED_FAILED, "completed failed"),
        (BulkActionStatus.CANCELED, "canceled"),
    ],
)
def test_the_wait_ends_as_the_backfill_ends(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, status: BulkActionStatus, words: str | None
) -> None:
    """What happens to the backfill happens between two looks at it: threads lock each other out of an ephemeral
    instance (``findings/dagster_ephemeral_instance_locks_out_a_thread.sh``)."""
    identity, still = ask(instance), [BulkActionStatus.REQUESTED, status]
    monkeypatch.setattr("time.sleep", lambda _: becomes(instance, identity, still.pop(0)))
    ends = (
        pytest.raises(dg.Failure, match=rf"^The backfill {identity}: {words}\. Its runs say why: http://there$")
        if words
        else contextlib.nullcontext()
    )
    with ends:
        wait_for(instance, identity, says="http://there")
    assert not still, "it was looked at until it had ended"


def test_an_interrupted_wait_cancels_the_backfill(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminated(_: float) -> None:
        raise dg.DagsterExecutionInterruptedError

    identity = ask(instance)
    monkeypatch.setattr("time.sleep", terminated)
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        wait_for(instance, identity, says="")
    backfill = instance.get_backfill(identity)
    assert backfill is not None
    assert backfill.status is BulkActionStatus.CANCELING


def test_a_wait_that_is_made_again_asks_for_nothing_twice(instance: dg.DagsterInstance) -> None:
    identity = ask(instance)
    again = DagsterRun(job_name="job", parent_run_id=f"{identity}-1", root_run_id=f"{identity}-1")
    found = begun(instance, again)
    assert found is not None
    assert found.backfill_id == identity
    becomes(instance, identity, BulkActionStatus.COMPLETED_FAILED)
    assert begun(instance, again) is None, "it has ended: everything is asked for anew"
    assert begun(instance, run()) is None
