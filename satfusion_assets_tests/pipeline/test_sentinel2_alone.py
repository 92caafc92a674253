"""A season made from Sentinel-2 alone, by choice and without an account."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pystac
import pytest
from stac_geoparquet.arrow import stac_table_to_items

from satfusion_assets.cli.plans import plan
from satfusion_assets.pipeline.coarse_source import scenarios_of
from satfusion_assets.pipeline.criteria import evaluate
from satfusion_assets.pipeline.fused.fuse import fuse_season
from satfusion_assets.pipeline.metrics.roll_up import roll_up
from satfusion_assets.pipeline.pack.pack import pack_season
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3, check_sentinel3_credentials
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.pipeline.scenario_metrics.score import score_scenario
from satfusion_assets.pipeline.stac_catalogue import files
from satfusion_assets.pipeline.stac_catalogue.catalogue import catalogue
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import NoData
from satfusion_assets.vocabulary.scenarios import EFAST_SCENARIOS, KRIGING_SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.settings import S3Product, Settings
from satfusion_assets_tests.reference.season import HERE, SITE, publish_raw

ALONE = Settings(s3_product=S3Product.NONE, cdse_user=None, cdse_password=None)
KRIGED = Scenario(Strategy.AGGRESSIVE, Mode.ITB, None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ProductStore:
    """Prepared, and kriged in one scenario."""
    store = ProductStore(Path(tmp_path_factory.mktemp("alone")))
    publish_raw(store)
    check_sentinel3_credentials(SITE, HERE, store, ALONE, today=HERE.end)
    acquire_sentinel3(SITE, HERE, store, ALONE)
    preselect(store, SITE, HERE)
    for mode in Mode:
        prepare(store, SITE, HERE, KRIGED.strategy, mode, smoothing_days=5)
    fuse_season(store, SITE, HERE, KRIGED)
    process(store, SITE, HERE, KRIGED)
    pack_season(store, HERE, KRIGED)
    score_scenario(store, HERE, KRIGED)
    roll_up(store, HERE)
    return store


def test_every_day_is_fused_and_scored_and_says_that_it_had_no_sentinel3(store: ProductStore) -> None:
    with store.read(REGISTRY["fused"].of(HERE, KRIGED)) as fused:
        assert fused.manifest.parameters["drift"] == "none"
        assert fused.manifest.parameters["sentinel3"] == "none, none"
        statuses = fused.read_json("prepared_aggressive_itb/fusion_kriging/status.json")
    assert set(statuses.values()) == {"ok"}
    with store.read(REGISTRY["metrics"].of(HERE)) as metrics:
        content = metrics.read_json("metrics.json")
    assert content["sentinel3"] == "none, none"
    assert content["temporal"][KRIGED.score_key]["nse_pc"] is not None


@pytest.mark.parametrize(
    "name", ["raw_s3", "preselected", "prepared_bti", "prepared_itb", "fused", "processed", "pack"]
)
def test_what_blocks_is_held_against_what_such_a_season_has(store: ProductStore, name: str) -> None:
    variant = {"raw_s3": "", "preselected": "", "prepared_bti": "aggressive", "prepared_itb": "aggressive"}
    product = REGISTRY[name].of(HERE, variant.get(name, KRIGED.key))
    criteria = [item for item in REGISTRY.criteria(name) if item.blocking]
    broken = {key: said.says for key, said in evaluate(store, SITE, product, criteria).items() if not said.passed}
    assert not broken


@pytest.mark.parametrize("here", ["/", "/usr/share/doc"])
def test_the_stac_catalogue_says_so_and_leads_to_the_season_wherever_it_is_written_from(
    store: ProductStore, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    catalogue(store, [HERE])
    tables = store.root / "tables"
    item = pystac.Item.from_file(str(tables / files.item(HERE, KRIGED)))
    assert item.properties["description"].startswith("Daily images made of Sentinel-2 alone.")
    for name in ("pack", "qgis", "days"):
        assert Path(str(item.assets[name].get_absolute_href())).exists(), item.assets[name].href
    (first, *_) = pystac.ItemCollection.from_file(str(tables / files.days(HERE, KRIGED)))
    assert (tables / files.days(HERE, KRIGED)).parent.joinpath(first.assets["image"].href).exists()
    (indexed, *_) = stac_table_to_items(pq.read_table(tables / files.INDEX))
    assert (tables / "stac" / indexed["assets"]["image"]["href"]).exists()


def test_efast_says_why_it_cannot(store: ProductStore) -> None:
    with pytest.raises(NoData, match="without which EFAST has nothing to fuse; use a kriging scenario"):
        fuse_season(store, SITE, HERE, Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20))


def test_the_command_line_asks_for_what_can_be_made() -> None:
    runs = plan(HERE, scenarios=scenarios_of(S3Product.NONE))
    keys = " ".join(str(run.partition_key) for run in runs)
    assert all(scenario.key in keys for scenario in KRIGING_SCENARIOS)
    assert not any(scenario.key in keys for scenario in EFAST_SCENARIOS)
