"""Old runs can go; what a partition's latest version rests on stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from satfusion_assets.orchestration.instance.retention import forget, unneeded_runs

SEASONS = dg.DynamicPartitionsDefinition(name="retention_seasons")


@dg.asset(name="raw_s2", partitions_def=SEASONS)
def raw() -> None:
    """Stands for a product of the registry."""


@dg.asset(name="preselected", partitions_def=SEASONS)
def failing() -> None:
    raise dg.Failure("no")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        instance.add_dynamic_partitions("retention_seasons", ["a_2023", "a_2024"])
        yield instance


def make(instance: dg.DagsterInstance, asset: dg.AssetsDefinition, partition: str) -> str:
    return dg.materialize([asset], instance=instance, partition_key=partition, raise_on_error=False).run_id


def test_runs_that_failed_or_were_overtaken_go_and_every_partition_stays_made(instance: dg.DagsterInstance):
    overtaken, failed = make(instance, raw, "a_2024"), make(instance, failing, "a_2024")
    kept = {make(instance, raw, "a_2024"), make(instance, raw, "a_2023")}
    soon = datetime.now(UTC) + timedelta(minutes=1)
    runs = list(unneeded_runs(instance, soon))
    assert {run.run_id for run in runs} == {overtaken, failed}
    for run in runs:
        forget(instance, run)
    assert {run.run_id for run in instance.get_runs()} == kept
    assert instance.get_materialized_partitions(dg.AssetKey("raw_s2")) == {"a_2023", "a_2024"}
    assert list(unneeded_runs(instance, soon)) == []


def test_young_runs_stay(instance: dg.DagsterInstance):
    make(instance, failing, "a_2024")
    assert list(unneeded_runs(instance, datetime.now(UTC) - timedelta(days=1))) == []
