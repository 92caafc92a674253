"""A calendar of scenes: which each strategy keeps, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Chart, Image, number_of, page
from satfusion_assets.pipeline.pictures.seasons import days
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.vocabulary.sources import SENSORS


def draw(store: Store, site: Site, view: View) -> Image | None:
    """A calendar of scenes: NDVI at the site over the season, a panel for each sensor and strategy; hollow =
    excluded, with the rule.
    """
    season = view.product.site_season
    rules = {"low_ndvi": (palette.EXCLUDED, "fall of NDVI"), "dark": (palette.OTHERS[0], "dark")}
    panels = []
    for sensor in SENSORS:
        rows = view.read_json(preselection(sensor, "json"))
        for strategy in Strategy:
            panels.append(_calendar(season, sensor, strategy, rows, rules))
    panels[-1].x_label = "UTC day (raw data reach 45 days beyond the year); crosses at the foot: no NDVI"
    height = panels[0].height
    inside = [
        f"<svg y='{number * height}' width='{panel.width}' height='{height}'>{_body(panel.drawn())}</svg>"
        for number, panel in enumerate(panels)
    ]
    return page(panels[0].width, height * len(panels), inside)


def _calendar(
    season: SiteSeason, sensor: str, strategy: Strategy, rows: Sequence[Mapping[str, Any]], rules: Mapping[str, Any]
) -> Chart:
    kept = [row for row in rows if not row[f"excluded_{strategy}"]]
    names = {"s2": "Sentinel-2", "s3": "Sentinel-3"}
    chart = Chart(
        f"{season.key}: {names[sensor]}, {strategy}: {len(kept)} of {len(rows)} scenes kept",
        "NDVI at the site",
        (number_of(season.raw_start), number_of(season.raw_end)),
        (-0.35, 1.0),
        height=210,
        x_label="",
    )
    for rule, (colour, text) in rules.items():
        out = [row for row in rows if row[f"reason_{strategy}"] == rule]
        label = f"excluded: {text} ({len(out)})" if out else ""
        chart.points(days(out), [_ndvi(row) for row in out], colour, label, hollow=True)
    blind = [row for row in rows if row[f"reason_{strategy}"] == "no_ndvi"]
    label = f"excluded: no NDVI ({len(blind)})" if blind else ""
    chart.crosses(days(blind), [-0.3] * len(blind), palette.OTHERS[1], label)
    chart.points(days(kept), [_ndvi(row) for row in kept], palette.FUSED, f"kept ({len(kept)})")
    return chart


def _ndvi(row: Mapping[str, Any]) -> float:
    return float("nan") if row["ndvi"] is None else max(float(row["ndvi"]), -0.3)


def _body(image: Image) -> str:
    """What lies inside an SVG."""
    text = image.content.decode()
    return text[text.index(">") + 1 : text.rindex("</svg>")]
