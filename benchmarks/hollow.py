"""Hollow stages: they import what the real ones do, publish to the store, and do next to no science.

What runs of them take beyond ``without_dagster`` is the orchestration's own time. Each product is one small file whose
content depends on its inputs alone, so that it comes out the same bytes whatever was killed on the way.
HOLLOW_SECONDS makes every stage take that long.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from satfusion_assets.pipeline import criteria as judging
from satfusion_assets.pipeline.criteria import Verdict
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS
from satfusion_assets.store import ALL_SEASONS, Product, ProductStore, Store
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

STAGES: Final = {
    "raw_s2.acquire.acquire_sentinel2": "raw_s2",
    "raw_s3.acquire.acquire_sentinel3": "raw_s3",
    "raw_phenocam.acquire.acquire_phenocam": "raw_phenocam",
    "camera_phenology.camera.camera_phenology": "camera_phenology",
    "preselected.preselect.preselect": "preselected",
    "prepared.prepare.prepare": "prepared",
    "fused.fuse.fuse_season": "fused",
    "processed.process.process": "processed",
    "scenario_metrics.score.score_scenario": "scenario_metrics",
    "metrics.roll_up.roll_up": "metrics",
    "phenology.date_maps.phenology_maps": "phenology",
    "pack.pack.pack_season": "pack",
    "gap_benchmark.benchmark.gap_benchmark": "gap_benchmark",
    "score_table.tabulate.tabulate_scores": "score_table",
    "gap_table.tabulate.tabulate_gaps": "gap_table",
}
"""Stage functions and the products that they publish, in order; prepared ones end in their mode."""
BY_SCENARIO: Final = ("fused", "processed", "scenario_metrics", "phenology", "pack")


def inputs_of(product: Product) -> list[Product]:
    """What a product is made from, as far as it matters for what is current."""
    if product.name.startswith("raw_") or product.scope == ALL_SEASONS:
        return []
    here = product.site_season
    if product.name == "camera_phenology":
        return [RAW_PHENOCAM.of(here)]
    if product.name == "preselected":
        return [RAW_S2.of(here), RAW_S3.of(here)]
    if product.name in ("prepared_bti", "prepared_itb"):
        return [PRESELECTED.of(here)]
    if product.name == "gap_benchmark":
        return [PREPARED_BTI.of(here, strategy) for strategy in Strategy]
    if product.name == "fused":
        scenario = Scenario.parse(product.variant)
        return [Product("prepared_itb" if scenario.mode is Mode.ITB else "prepared_bti", here, scenario.strategy)]
    before = {"processed": "fused", "scenario_metrics": "processed", "phenology": "processed", "pack": "processed"}
    if product.name in before:
        return [Product(before[product.name], here, product.variant)]
    return [SCENARIO_METRICS.of(here, scenario) for scenario in SCENARIOS]


def publish(store: Store, product: Product) -> Outcome:
    """Make the one small file of ``product``."""
    time.sleep(float(os.environ.get("HOLLOW_SECONDS", "0")))
    views = []
    for source in inputs_of(product):
        with store.read(source) as view:
            views.append(view)
    with store.publish(product, inputs=views) as draft:
        draft.write_json(f"hollow/{product.slug}.json", {view.product.slug: view.version for view in views})
    assert draft.manifest is not None
    return Outcome(draft.manifest, numbers={"files": 1})


def hollow(name: str) -> Callable[..., Outcome]:
    """A stage that publishes product ``name`` of the site-season, strategy and scenario among its arguments."""

    def stage(*arguments: Any, **_: Any) -> Outcome:
        store = next(item for item in arguments if isinstance(item, Store))
        site_season = next((item for item in arguments if isinstance(item, SiteSeason)), ALL_SEASONS)
        variants = [item for item in arguments if isinstance(item, Strategy | Scenario)]
        variant = (variants[0].key if isinstance(variants[0], Scenario) else str(variants[0])) if variants else ""
        mode = "".join(f"_{item}" for item in arguments if isinstance(item, Mode))
        product = Product(name + mode, site_season, variant)
        return publish(store, product)

    return stage


def make_hollow() -> None:
    """Replace every stage, and every judgement by a positive one."""
    for path, name in STAGES.items():
        module, _, function = path.rpartition(".")
        setattr(importlib.import_module(f"satfusion_assets.pipeline.{module}"), function, hollow(name))
    judging.evaluate = lambda store, site, product, criteria: {one.name: Verdict(True, "Hollow.") for one in criteria}


def everything(site_season: SiteSeason) -> Iterator[Product]:
    """All products of a site-season and the tables, in an order in which they can be made."""
    for name in STAGES.values():
        if name.endswith("_table"):
            yield Product(name, ALL_SEASONS)
        elif name == "prepared":
            for mode in Mode:
                yield from (Product(f"{name}_{mode}", site_season, str(strategy)) for strategy in Strategy)
        elif name in BY_SCENARIO:
            yield from (Product(name, site_season, scenario.key) for scenario in SCENARIOS)
        else:
            yield Product(name, site_season)


def without_dagster(data: Path, site_season: SiteSeason) -> None:
    """What ``satfusion materialize`` makes, by plain calls: what the same takes without orchestration."""
    store = ProductStore(data)
    for product in everything(site_season):
        publish(store, product)


make_hollow()
