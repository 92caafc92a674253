"""Curves of a season: the camera, the scenes that a strategy keeps, fused greenness against the camera, the gaps."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.pipeline.previews import palette
from satfusion_assets.pipeline.previews.drawing import Chart, Image, Numbers, number_of, page, span
from satfusion_assets.pipeline.metrics.score import camera_series, gcc_series
from satfusion_assets.store import Product, ProductStore, View
from satfusion_assets.store.layout import (
    METRICS,
    PHENOCAM_GCC,
    PHENOCAM_PHENOLOGY,
    SENSORS,
    GapLayout,
    ProcessedLayout,
    preselection,
)

GCC_90: Final = "GCC of the camera (gcc_90, no unit)"
GCC: Final = "GCC at the camera's field (no unit)"
LOWEST_NSE: Final = -1.0


def raw_phenocam(store: ProductStore, site: Site, view: View) -> Image | None:
    return camera(view, {})


def camera_phenology(store: ProductStore, site: Site, view: View) -> Image | None:
    dates = view.read_json(PHENOCAM_PHENOLOGY)
    marks = {"green-up 50 %": dates["green_up_50pct_date"], "green-down 50 %": dates["green_down_50pct_date"]}
    with store.read(Product("raw_phenocam", view.product.site_season)) as phenocam:
        return camera(phenocam, {f"{what} {day}": day for what, day in marks.items() if day})


def camera(phenocam: View, marks: Mapping[str, str]) -> Image | None:
    """Every day of the camera: used, thrown out as an outlier, or unused for snow; dates as vertical lines."""
    with phenocam.path(f"{PHENOCAM_GCC}.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["greenness_index"]]
    used = [row for row in rows if row["used"] == "1"]
    outliers = [row for row in rows if row["outlier"]]
    snow = [row for row in rows if row["used"] == "0" and not row["outlier"]]
    season, region = phenocam.product.site_season, phenocam.manifest.parameters.get("region", "camera")
    chart = Chart(
        f"{season.key}: {region}, {len(used)} days used, {len(outliers)} outliers, {len(snow)} with snow",
        GCC_90,
        _year(season),
        span(_gcc(rows)),
    )
    chart.points(_days(used), _gcc(used), palette.CAMERA, "used")
    if snow:
        chart.points(_days(snow), _gcc(snow), palette.CAMERA, "not used: snow", hollow=True)
    if outliers:
        chart.crosses(_days(outliers), _gcc(outliers), palette.S2, "not used: outlier")
    for text, day in marks.items():
        chart.vertical(number_of(day), text, palette.FUSED)
    return chart.drawn()


def _gcc(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [float(row["greenness_index"]) for row in rows]


def preselected(store: ProductStore, site: Site, view: View) -> Image | None:
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
        chart.points(_days(out), [_ndvi(row) for row in out], colour, label, hollow=True)
    blind = [row for row in rows if row[f"reason_{strategy}"] == "no_ndvi"]
    label = f"excluded: no NDVI ({len(blind)})" if blind else ""
    chart.crosses(_days(blind), [-0.3] * len(blind), palette.OTHERS[1], label)
    chart.points(_days(kept), [_ndvi(row) for row in kept], palette.FUSED, f"kept ({len(kept)})")
    return chart


def _ndvi(row: Mapping[str, Any]) -> float:
    return float("nan") if row["ndvi"] is None else max(float(row["ndvi"]), -0.3)


def processed(store: ProductStore, site: Site, view: View) -> Image | None:
    return _against_camera(store, view, Scenario.parse(view.product.variant), "")


def scenario_metrics(store: ProductStore, site: Site, view: View) -> Image | None:
    scenario = Scenario.parse(view.product.variant)
    scores = view.read_json(ProcessedLayout(scenario).scores)["temporal"]
    with store.read(Product("processed", view.product.site_season, scenario.key)) as series:
        return _against_camera(store, series, scenario, _said(scores))


def metrics(store: ProductStore, site: Site, view: View) -> Image | None:
    """The best scenario against the camera, the others thin behind it."""
    temporal = view.read_json(METRICS)["temporal"]
    scored = {item: temporal[item.score_key] for item in SCENARIOS if temporal.get(item.score_key)}
    known = {item: scores["nse"] for item, scores in scored.items() if scores["nse"] is not None}
    if not known:
        return None
    best = max(known, key=lambda item: known[item])
    season, fused = view.product.site_season, {}
    for item in scored:
        with store.read(Product("processed", season, item.key)) as series:
            fused[item] = gcc_series(series, item, "fusion")
    title = f"best of {len(scored)}: {best.key}, {_said(scored[best])}"
    chart = _greenness(store, season, title, list(fused.values()))
    days, low, high = _envelope(list(fused.values()))
    chart.band(days, low, high, palette.FUSED, f"range of {len(fused)} scenarios")
    chart.line(*_xy(fused[best]), palette.FUSED, f"fused, {best.key}", width=2.2)
    return chart.drawn()


def _envelope(series: Sequence[DailySeries]) -> tuple[Numbers, Numbers, Numbers]:
    """Lowest and highest value of each day that any series has."""
    days = np.unique(np.concatenate([one.days for one in series]))
    table = np.full((len(series), len(days)), np.nan)
    for row, one in zip(table, series, strict=True):
        row[np.searchsorted(days, one.days)] = one.values
    return days.astype("datetime64[D]").astype(int), np.nanmin(table, axis=0), np.nanmax(table, axis=0)


def _against_camera(store: ProductStore, series: View, scenario: Scenario, said: str) -> Image | None:
    season = series.product.site_season
    fused, s2 = gcc_series(series, scenario, "fusion"), gcc_series(series, scenario, "s2")
    chart = _greenness(store, season, f"{scenario.key} {said}".strip(), [fused, s2])
    chart.line(*_xy(fused), palette.FUSED, "fused", width=2.2)
    chart.points(*_xy(s2), palette.S2, "clear Sentinel-2", radius=3)
    return chart.drawn()


def _greenness(store: ProductStore, season: SiteSeason, title: str, shown: Sequence[DailySeries]) -> Chart:
    """A chart of GCC with the camera's points on it, where there is a camera."""
    product = Product("raw_phenocam", season)
    seen = DailySeries.of([], [])
    if store.manifest(product) is not None:
        with store.read(product) as phenocam:
            seen = camera_series(phenocam)
    limits = span(seen.values, *(series.values for series in shown))
    chart = Chart(f"{season.key}: {title}", GCC, _year(season), limits)
    chart.points(*_xy(seen), palette.CAMERA, "camera (gcc_90)", radius=1.8)
    return chart


def _said(scores: Mapping[str, Any] | None) -> str:
    if not scores:
        return "not scored: fewer than two common days"
    words = [
        f"{name} {scores[key]:.3f}"
        for name, key in (("NSE", "nse"), ("r", "pearson_r"), ("RMSE", "rmse"))
        if scores[key] is not None
    ]
    return f"{', '.join(words)}, {scores['n_samples']} days"


def gap_benchmark(store: ProductStore, site: Site, view: View) -> Image | None:
    """Skill of filling over the length of the gap: the median over transitions of NSE of withheld GCC."""
    report = view.read_json(GapLayout().metrics)
    gaps = [gap for gap in report["strategies"][str(Strategy.AGGRESSIVE)]["gaps"] if gap["transition"] != "natural"]
    lengths = sorted({gap["gap_days"] for gap in gaps})
    methods = list(dict.fromkeys(method for gap in gaps for method in gap["spatial"]))
    curves = {method: _by_length(gaps, method, lengths) for method in methods}
    if not any(np.isfinite(curve).any() for curve in curves.values()):
        return None
    fusions = [item.key for item in SCENARIOS if item.key in curves]
    chart = Chart(
        f"{view.product.site_season.key}: skill inside gaps, median over green-up, peak and green-down",
        "NSE of GCC against withheld Sentinel-2",
        (min(lengths) - 5, max(lengths) + 5),
        (max(LOWEST_NSE, span(*curves.values())[0]), 1.0),
        dates=False,
        x_label="length of the gap in days (below the axis: worse than shown)",
        x_ticks=[(float(days), f"{days}") for days in lengths],
        legend_rows=2,
    )
    chart.horizontal(0, "the mean of the withheld pixels", "#777")
    colours = [palette.FUSED, palette.S3, *palette.OTHERS, palette.S2, palette.EXCLUDED, palette.CAMERA]
    for colour, method in zip(colours, [*fusions, *(name for name in methods if name not in fusions)], strict=False):
        thick = 2.4 if method in fusions else 1.4
        chart.line(lengths, curves[method], colour, method, width=thick, gap=365)
        chart.points(lengths, curves[method], colour, hollow=method not in fusions, radius=3)
    return chart.drawn()


def _by_length(gaps: Sequence[Mapping[str, Any]], method: str, lengths: Sequence[int]) -> list[float]:
    def at(days: int) -> float:
        scores = [
            gap["spatial"].get(method, {}).get("gcc", {}).get("nse_s2") for gap in gaps if gap["gap_days"] == days
        ]
        known = [score for score in scores if score is not None]
        return median(known) if known else float("nan")

    return [at(days) for days in lengths]


def _year(season: SiteSeason) -> tuple[float, float]:
    return number_of(season.start), number_of(season.end)


def _days(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [number_of(row["date"]) for row in rows]


def _xy(series: DailySeries) -> tuple[Numbers, Numbers]:
    return series.days.astype("datetime64[D]").astype(int), series.values


def _body(image: Image) -> str:
    """What lies inside an SVG."""
    text = image.content.decode()
    return text[text.index(">") + 1 : text.rindex("</svg>")]
