"""The registry: what follows from the records, and the walk that adds a product, on a registry of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import dagster as dg
import pytest

from satfusion_assets.definitions import defs
from satfusion_assets.pipeline import describe
from satfusion_assets.pipeline.partitions import product_of
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.registry import PRODUCTS, REGISTRY, Registry
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.sites import Site, SiteSeason

HERE = SiteSeason("innsbruck", 2024)
SITE = Site(name="innsbruck", latitude=47.116, longitude=11.32, seasons=(2024,))
ROOM = {
    "product.py": """
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage

NDVI_TREND = ProductRecord(
    name="ndvi_trend", room=__package__, grid=Grid.SCENARIO, stage=Stage.EVALUATION, group="evaluation",
    code_version=1, placed=False, inputs=(Input(PROCESSED),), kinds=("json",),
)
""",
    "asset.py": """
import dagster as dg

from ndvi_trend.product import NDVI_TREND
from satfusion_assets.pipeline.describe import described


@dg.asset(**described(NDVI_TREND))
def ndvi_trend() -> None:
    "How NDVI changes over the season."
""",
    "criteria.py": """
from satfusion_assets.pipeline.criteria import Criterion, Verdict

CRITERIA = (Criterion("finite", "The trend is a number.", lambda judged: Verdict(True, "It is."), True),)
""",
    "picture.py": """
from satfusion_assets.pipeline.pictures.charts import Image


def draw(store, site, view):
    return Image("image/svg+xml", b"<svg/>")
""",
    "__init__.py": "",
}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A folder and one line more than the platform's."""
    folder = tmp_path / "ndvi_trend"
    folder.mkdir()
    for name, text in ROOM.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "ndvi_trend"]:
        monkeypatch.delitem(sys.modules, name)
    from ndvi_trend.product import NDVI_TREND  # type: ignore[import-not-found]

    return Registry((*PRODUCTS, NDVI_TREND))


def test_a_new_product_is_one_folder_and_one_line(registry: Registry, tmp_path: Path) -> None:
    from ndvi_trend.asset import ndvi_trend  # type: ignore[import-not-found]

    record = registry["ndvi_trend"]
    spec = next(iter(ndvi_trend.specs))
    assert [dep.asset_key.path[-1] for dep in spec.deps] == ["processed"], "lineage"
    assert spec.partitions_def == describe.GRIDS[Grid.SCENARIO]
    assert (spec.code_version, spec.group_name) == ("1", "evaluation")
    assert [one.name for one in registry.criteria("ndvi_trend")] == ["files", "finite"], "checks"
    assert any(record in group and registry["fused"] in group for group in registry.together()), "runs"
    assert record in registry.until(Stage.EVALUATION), "command line"
    assert record not in registry.until(Stage.METRICS)
    assert len(record.products(HERE)) == len(Grid.SCENARIO.variants), "store"
    store, product = ProductStore(tmp_path / "data"), record.products(HERE)[0]
    with store.publish(product) as draft:
        draft.write_json("trend.json", {"trend": 0.1})
    image = registry.picture(store, SITE, product)
    assert image is not None
    assert image.content == b"<svg/>", "picture"


def test_every_asset_is_the_record_of_its_name_and_no_record_is_without() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.path[-1] for key in graph.materializable_asset_keys} == set(REGISTRY.names)
    for record in REGISTRY.products:
        node = graph.get(dg.AssetKey(record.name))
        assert {key.path[-1] for key in node.parent_keys} == {item.product.name for item in record.inputs}
        assert node.group_name == record.group


def test_a_partition_key_leads_to_its_product_and_back() -> None:
    from satfusion_assets.pipeline.partitions import partition_key

    for record in REGISTRY.products:
        for product in record.products(HERE) if record.grid is not Grid.ALL else [record.of()]:
            key = partition_key(record.grid, product.scope, product.variant)
            assert product_of(record.name, key, describe.GRIDS[record.grid]) == product


def test_runs_follow_one_another_as_products_do() -> None:
    place = {record.name: number for number, group in enumerate(REGISTRY.together()) for record in group}
    for record in REGISTRY.products:
        assert all(place[item.product.name] <= place[record.name] for item in record.inputs), record.name
    assert {record.name for record in REGISTRY.together()[0]} == {"raw_s2", "raw_s3", "raw_phenocam"}


def test_a_product_before_what_it_is_made_from_is_refused() -> None:
    late = ProductRecord("late", "nowhere", Grid.SITE_SEASON, Stage.RAW, "raw")
    early = ProductRecord("early", "nowhere", Grid.SITE_SEASON, Stage.RAW, "raw", inputs=(Input(late),))
    with pytest.raises(InvalidInput, match="early stands before late"):
        Registry((early, late))
    with pytest.raises(InvalidInput, match="'other' is no product; there are late, early"):
        Registry((late, early))["other"]


def test_what_a_product_descends_from_is_found_through_all_of_its_inputs() -> None:
    names = {name: {raw.name for raw in REGISTRY.archives_of(REGISTRY[name])} for name in ("metrics", "fused")}
    assert names == {"metrics": {"raw_s2", "raw_s3", "raw_phenocam"}, "fused": {"raw_s2", "raw_s3"}}
    assert {raw.name for raw in REGISTRY.archives_of(REGISTRY["camera_phenology"])} == {"raw_phenocam"}
