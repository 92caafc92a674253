"""Jobs with plain names, for the wishes that people have most often; each runs on one partition without configuration
(the tables on none). "Materialize" on a job's page takes many partitions as a backfill.

A Dagster run stays on one grid, and a whole site-season crosses three of them: ``materialise_site_season`` asks for the
backfill that "Materialize all" on the lineage page would, and ends as that does (``orchestration/waiting.py``).
"""

import time
from collections.abc import Mapping
from typing import Final

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill

from satfusion_assets.orchestration.instance.run_coordinator import TaggingRunCoordinator
from satfusion_assets.orchestration.tags import COMMAND, WAITS, YES, place_tags, sensor_tags
from satfusion_assets.orchestration.waiting import begun, wait_for
from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.gap_table.product import GAP_TABLE
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.partitions import by_site_season, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI, PREPARED_ITB
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.records import ProductRecord
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS
from satfusion_assets.pipeline.score_table.product import SCORE_TABLE
from satfusion_assets.vocabulary.errors import SatfusionError
from satfusion_assets.vocabulary.sites import SiteSeason


@dg.op(description="Ask for everything of a site-season, raw to roll-up, as one backfill, and wait for its end.")
def ask_for_everything(context: dg.OpExecutionContext, platform: dg.ResourceParam[Platform]) -> None:
    from satfusion_assets.pipeline.raw_s3.acquire import check_sentinel3_credentials

    site_season = site_season_of(context)
    try:
        site, today = platform.site(site_season), platform.now().date()
        check_sentinel3_credentials(site, site_season, platform.store, platform.settings, today=today)
    except SatfusionError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    backfill = begun(context.instance, context.run)
    if backfill is None:
        tags = {COMMAND: context.run.run_id[:8], **place_tags(site_season.key)}
        backfill = backfill_of(context.repository_def, site_season, context.instance, tags=tags)
        context.instance.add_backfill(backfill)
    url = f"{platform.settings.dagster_url.rstrip('/')}/runs/b/{backfill.backfill_id}"
    context.log.info(f"Asked for {site_season.key} from nothing; its first runs start within 30 s: {url}")
    context.add_output_metadata({"backfill": dg.MetadataValue.url(url)})
    if isinstance(context.instance.run_coordinator, TaggingRunCoordinator):
        wait_for(context.instance, backfill.backfill_id, says=url)
    else:
        context.log.warning(
            "This run does not wait for the backfill's end: it would take the place of a run that works. Take "
            "run_coordinator and concurrency of dagster.yaml from this version, and it does."
        )


def backfill_of(
    repository: dg.RepositoryDefinition,
    site_season: SiteSeason,
    instance: dg.DagsterInstance,
    *,
    tags: Mapping[str, str],
) -> PartitionBackfill:
    """Every partitioned asset of a site-season but those on demand, from what has no parents downwards.

    tags: of the backfill and all its runs; the first eight letters of COMMAND are its identity.
    """
    graph = repository.asset_graph
    wanted = [key for key in graph.materializable_asset_keys if graph.get(key).is_partitioned]
    return PartitionBackfill.from_asset_partitions(
        backfill_id=tags[COMMAND][:8],
        asset_graph=graph,
        backfill_timestamp=time.time(),
        tags=dict(tags),
        asset_selection=[key for key in wanted if not REGISTRY[key.path[-1]].on_demand],
        partition_names=[site_season.key],
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=f"{site_season.key} from nothing",
        description="Everything raw, pre-selection, preparation, every fused scenario, scores and evaluation.",
        run_config={},
    )


@dg.job(
    partitions_def=by_site_season,
    description=(
        "A site-season from nothing: asks the archives, screens, prepares, fuses every scenario, scores them and "
        "maps their phenology. Choose the site-season; the daemon does the rest, the log links to it, and the run ends "
        "as that does."
    ),
    tags={WAITS: YES},
)
def materialise_site_season() -> None:
    ask_for_everything()


def _job(name: str, description: str, *products: ProductRecord) -> "dg.UnresolvedAssetJobDefinition":
    names = [record.name for record in products]
    selection = dg.AssetSelection.assets(*names)
    return dg.define_asset_job(name, selection=selection, description=description, tags=sensor_tags(names))


acquire_sentinel2 = _job("acquire_sentinel2", "Ask Earth Search for what is new of a site-season.", RAW_S2)
acquire_sentinel3 = _job("acquire_sentinel3", "Ask Copernicus for what is new of a site-season.", RAW_S3)
acquire_phenocam = _job(
    "acquire_phenocam", "Ask the PhenoCam archive for what is new of a site-season.", RAW_PHENOCAM, CAMERA_PHENOLOGY
)
acquire_sentinels = _job("acquire_sentinels", "Ask both Sentinel archives for a site-season.", RAW_S2, RAW_S3)
acquire_site_season = _job(
    "acquire_site_season",
    "Ask all three archives for a site-season, date the camera's season and judge every scene. With automation on, the "
    "rest follows by itself.",
    RAW_S2,
    RAW_S3,
    RAW_PHENOCAM,
    CAMERA_PHENOLOGY,
    PRESELECTED,
)
rebuild_strategy = _job(
    "rebuild_strategy", "Prepare the images of one strategy again, for both modes.", PREPARED_BTI, PREPARED_ITB
)
rebuild_scenario = _job(
    "rebuild_scenario",
    "Fuse one scenario again, cut it, read its series and score it.",
    FUSED,
    PROCESSED,
    SCENARIO_METRICS,
)
rescore_scenario = _job("rescore_scenario", "Score one scenario again against the camera.", SCENARIO_METRICS)
rescore_site_season = _job(
    "rescore_site_season", "Roll the scenarios' scores up to metrics.json of a site-season again.", METRICS
)
benchmark_gaps = _job(
    "benchmark_gaps", "Withhold scenes of a site-season and score how each method fills the gaps.", GAP_BENCHMARK
)
rebuild_tables = _job(
    "rebuild_tables",
    "Gather the scores and gap benchmarks of all site-seasons in tables again.",
    SCORE_TABLE,
    GAP_TABLE,
)

JOBS: Final = [
    materialise_site_season,
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
