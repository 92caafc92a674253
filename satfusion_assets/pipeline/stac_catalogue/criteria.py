"""What good means for the catalogue."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, verdict
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.stac_catalogue.files import INDEX


def items_whole(checked: CheckedProduct) -> Verdict:
    """Every season and scenario that was gathered has its item, and the index has days of each."""
    import pyarrow.parquet as pq

    names = set(checked.view.names("stac/*/*.json"))
    wanted = []
    for reference in checked.view.manifest.inputs:
        season, _, slug = reference.partition("/")
        product, _, scenario = slug.partition(".")
        if product == PROCESSED.name:
            wanted.append(f"stac/{season}/{scenario}.json")
    indexed = {name.rsplit("_", 1)[0] for name in pq.read_table(checked.view.path(INDEX))["id"].to_pylist()}
    bad = [{"item": name, "why": "is missing"} for name in wanted if name not in names]
    for name in wanted:
        season, scenario = name.removesuffix(".json").split("/")[1:]
        if f"{season}_{scenario}" not in indexed:
            bad.append({"item": name, "why": "has no day in the index"})
    return verdict(bad, len(wanted), "items", {"items": len(wanted)})


CRITERIA: Final = (Criterion("items", "Every fused season has its item, and days in the index.", items_whole, True),)
