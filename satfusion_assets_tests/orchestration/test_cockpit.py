"""What a person meets in the UI: every asset explained and checked, jobs without configuration."""

from __future__ import annotations

import subprocess
import sys

import dagster as dg
import numpy as np
import pytest

from satfusion_assets.definitions import defs
from satfusion_assets.orchestration.jobs import JOBS, backfill_of
from satfusion_assets.orchestration.tags import COMMAND
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.processed.product import COLUMNS
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.sampling.series import export_records, sample_series
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets_tests.orchestration.checks.products import SEASON

GRAPH = """
raw: raw_phenocam
raw: camera_phenology <- raw_phenocam
raw: raw_s2
raw: raw_s3
prepared: preselected <- raw_s2, raw_s3
prepared: prepared_bti <- preselected, raw_s2, raw_s3
prepared: prepared_itb <- preselected, raw_s2, raw_s3
fused: fused <- prepared_bti, prepared_itb
fused: processed <- fused, prepared_bti, prepared_itb
evaluation: gap_benchmark <- camera_phenology, prepared_bti, raw_phenocam
evaluation: pack <- fused, processed
evaluation: phenology <- fused, prepared_bti, processed
evaluation: gap_table <- gap_benchmark
scores: scenario_metrics <- processed, raw_phenocam
scores: score_table <- metrics
scores: stac_catalogue <- pack, processed
scores: metrics <- preselected, processed, raw_phenocam, scenario_metrics
"""
NO_PICTURE = {"pack", "score_table", "stac_catalogue", "gap_table"}


def test_the_graph_in_words() -> None:
    graph = defs.resolve_asset_graph()
    said = set()
    for spec in defs.resolve_all_asset_specs():
        parents = sorted(key.to_user_string() for key in graph.get(spec.key).parent_keys)
        arrow = f" <- {', '.join(parents)}" if parents else ""
        said.add(f"{spec.group_name}: {spec.key.to_user_string()}{arrow}")
    assert said == {line for line in GRAPH.splitlines() if line}


@pytest.mark.parametrize(
    "spec",
    sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key),  # type: ignore[attr-defined]
    ids=lambda spec: spec.key.to_user_string(),
)
def test_every_asset_explains_itself_and_is_checked(spec: dg.AssetSpec) -> None:
    name = spec.key.to_user_string()
    assert spec.description
    assert spec.owners == ["team:satfusion"]
    assert spec.kinds
    assert spec.tags["sensor"]
    assert "dagster/code_references" in spec.metadata
    checks = {key.name for key in defs.resolve_asset_graph().get_check_keys_for_assets({spec.key})}
    assert {"files"} < checks
    assert ("fresh" in checks) is (spec.partitions_def is not None)
    assert (REGISTRY.drawing(name) is not None) is (name not in NO_PICTURE)


def test_the_code_location_loads_without_what_only_runs_need() -> None:
    heavy = "{'numba', 'zarr', 'pandas', 'PIL', 'openeo', 'numpy', 'odc', 'rasterio', 'xarray'}"
    code = f"import sys, satfusion_assets.definitions; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_columns_are_those_that_the_stages_write() -> None:
    images = [np.full((4, 3, 3), 0.1)]
    series = sample_series(images, np.array(["2024-05-01"], "datetime64[D]"), ["20240501_0.geotiff"], 1, 1)
    assert {*export_records(series)[0]} == {*COLUMNS}


@pytest.mark.parametrize("name", sorted(job.name for job in JOBS))
def test_jobs_are_described_and_run_without_configuration(name: str) -> None:
    job = defs.resolve_job_def(name)
    assert job.description
    dg.validate_run_config(job, {})


def test_one_job_asks_for_a_site_season_from_raw_to_roll_up() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [SEASON.key, "elsewhere_2024"])
        data = backfill_of(defs.get_repository_def(), SEASON, instance, tags={COMMAND: "1"}).asset_backfill_data
    assert data is not None
    targeted = {
        key.to_user_string(): [*data.target_subset.get_partitions_subset(key).get_partition_keys()]
        for key in data.target_subset.asset_keys
    }
    of_scenarios = ("fused", "processed", "scenario_metrics", "phenology", "pack")
    of_season = ("raw_s2", "raw_s3", "raw_phenocam", "camera_phenology", "preselected", "metrics")
    assert {name: len(keys) for name, keys in targeted.items()} == {
        **dict.fromkeys(of_season, 1),
        **dict.fromkeys(("prepared_bti", "prepared_itb"), len(Strategy)),
        **dict.fromkeys(of_scenarios, len(SCENARIOS)),
    }
    assert all(SEASON.key in str(key) for keys in targeted.values() for key in keys)
