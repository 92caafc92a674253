"""What good means for the series and images of a processed scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, mostly, rounded, verdict
from satfusion_assets.pipeline.fused.criteria import RANGES, SINGLE_DAYS
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.scenarios import Mode
from satfusion_assets.vocabulary.sources import SOURCES


def series_complete(checked: CheckedProduct) -> Verdict:
    layout = ProcessedLayout(checked.scenario)
    bad = []
    for source in SOURCES:
        pictures = {day_of(name) for name in checked.view.names(f"{layout.folder}/{source}/*.geotiff")}
        rows = checked.view.read_json(layout.series("gcc", source))
        if len(rows) != len(pictures):
            bad.append({"source": source, "why": f"{len(rows)} values for {len(pictures)} images"})
        if not pictures and not (source == "s3" and checked.sentinel2_alone):
            bad.append({"source": source, "why": "there is no image"})
    return verdict(bad, len(SOURCES), "series", {})


def window(checked: CheckedProduct) -> Verdict:
    layout = ProcessedLayout(checked.scenario)
    cut = checked.view.read_json(layout.window)
    shape = (cut["height"], cut["width"])
    names = [name for source in SOURCES for name in checked.view.names(f"{layout.folder}/{source}/*.geotiff")[:1]]
    bad = [{"file": name, "why": f"is not {shape}"} for name in names if checked.raster(name).values.shape[1:] != shape]
    if cut["site_pixel"] is None:
        bad.append({"file": layout.window, "why": "the camera's field lies outside the window"})
    return verdict(bad, len(names), "sources", {"height": cut["height"], "width": cut["width"]})


def greenness(checked: CheckedProduct) -> Verdict:
    rows = checked.view.read_json(ProcessedLayout(checked.scenario).series("gcc", "fusion"))
    known = {row["date"]: row["greenness_index"] for row in rows if row["greenness_index"] is not None}
    low, high = RANGES[Mode.ITB]
    odd = [{"day": day, "greenness": rounded(value)} for day, value in known.items() if not low <= value <= high]
    says = (
        f"{len(known)} of {len(rows)} days have a greenness at the camera's field, {len(odd)} outside {low} to {high}."
    )
    found = mostly(odd, len(known), "days", {"days": len(known), "outside": len(odd)}, SINGLE_DAYS)
    return replace(found, passed=found.passed and len(known) > 0, says=says)


CRITERIA: Final = (
    Criterion("series", "Each source has images, and a value for each of them.", series_complete, True),
    Criterion("window", "All sources are cut to one window, which holds the camera's field.", window, True),
    Criterion(
        "greenness",
        "The fused greenness at the camera's field is there, and plausible but for single days.",
        greenness,
        True,
    ),
)
