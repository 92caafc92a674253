"""Jobs with plain names, for the wishes that people have most often; each runs on one partition without configuration
(the tables on none). "Materialize" on a job's page takes many partitions as a backfill.

A Dagster run stays on one grid. A whole site-season crosses three of them: backfill it from the lineage page
("Materialize all", choose the site-season), or run ``satfusion materialize SITE SEASON``.
"""

from __future__ import annotations

from typing import Final

import dagster as dg


def _job(name: str, description: str, *assets: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(name, selection=dg.AssetSelection.assets(*assets), description=description)


acquire_sentinel2 = _job("acquire_sentinel2", "Ask Earth Search for what is new of a site-season.", "raw_s2")
acquire_sentinel3 = _job("acquire_sentinel3", "Ask Copernicus for what is new of a site-season.", "raw_s3")
acquire_phenocam = _job(
    "acquire_phenocam", "Ask the PhenoCam archive for what is new of a site-season.", "raw_phenocam", "camera_phenology"
)
acquire_sentinels = _job("acquire_sentinels", "Ask both Sentinel archives for a site-season.", "raw_s2", "raw_s3")
acquire_site_season = _job(
    "acquire_site_season",
    "A site-season from nothing as far as one grid reaches: everything raw, the camera's phenology and the "
    "pre-selection. With automation on, the rest follows by itself.",
    "raw_s2",
    "raw_s3",
    "raw_phenocam",
    "camera_phenology",
    "preselected",
)
rebuild_strategy = _job(
    "rebuild_strategy", "Prepare the images of one strategy again, for both modes.", "prepared_bti", "prepared_itb"
)
rebuild_scenario = _job(
    "rebuild_scenario",
    "Fuse one scenario again, cut it, read its series and score it.",
    "fused",
    "processed",
    "scenario_metrics",
)
rescore_scenario = _job("rescore_scenario", "Score one scenario again against the camera.", "scenario_metrics")
rescore_site_season = _job(
    "rescore_site_season", "Roll the scenarios' scores up to metrics.json of a site-season again.", "metrics"
)
benchmark_gaps = _job(
    "benchmark_gaps", "Withhold scenes of a site-season and score how each method fills the gaps.", "gap_benchmark"
)
rebuild_tables = _job(
    "rebuild_tables",
    "Gather the scores and gap benchmarks of all site-seasons in tables again.",
    "score_table",
    "gap_table",
)

JOBS: Final = [
    acquire_site_season,
    acquire_sentinels,
    acquire_sentinel2,
    acquire_sentinel3,
    acquire_phenocam,
    rebuild_strategy,
    rebuild_scenario,
    rescore_scenario,
    rescore_site_season,
    benchmark_gaps,
    rebuild_tables,
]
