"""Stage: the gap benchmark of a site-season: withhold scenes, fill the gap with every method, score the filling."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import date

import numpy as np

from satfusion_assets.errors import NoData
from satfusion_assets.grid import RATIO, SiteGrid, site_grid
from satfusion_assets.processing.gaps.benchmark import Benchmark, GapOutcome, StrategyOutcome
from satfusion_assets.processing.gaps.competitors import PIXEL_METHODS
from satfusion_assets.processing.gaps.fusion import Fusion
from satfusion_assets.processing.gaps.reports import (
    ReportContext,
    gap_manifest,
    gap_metrics,
    main_scene,
    validation_summary,
    withheld_images,
)
from satfusion_assets.processing.gaps.stack import CloudPattern, SeasonStack, withhold
from satfusion_assets.processing.gaps.windows import GAP_DAYS, Transition, calendar_gaps, midpoints
from satfusion_assets.processing.sampling import site_pixel
from satfusion_assets.processing.season_dates import season_dates
from satfusion_assets.processing.series import DailySeries
from satfusion_assets.scenarios import SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.sites import Site, SiteSeason
from satfusion_assets.stages.outcome import Outcome
from satfusion_assets.stages.prepare import CHANNELS, PREPARED
from satfusion_assets.stages.score import camera_series
from satfusion_assets.store import Draft, Product, ProductStore, View
from satfusion_assets.store.layout import PHENOCAM_PHENOLOGY, FusedLayout, GapLayout, PreparedLayout, day_of

log = logging.getLogger(__name__)


def gap_benchmark(
    store: ProductStore,
    site: Site,
    site_season: SiteSeason,
    *,
    lengths: tuple[int, ...] = GAP_DAYS,
    starfm: bool = False,
) -> Outcome:
    """Publish ``gap_benchmark``: the contract's ``validation/`` files and gap_metrics.json of all methods.

    Another season of the site that has been prepared lends its clouds as a natural gap.
    """
    grid = site_grid(site)
    row_col = site_pixel(grid.fine, site.latitude, site.longitude)
    if row_col is None:
        raise NoData(f"{site_season.key}: the site lies outside its own grid; correct its extent_m in sites.geojson.")
    parameters = {"lengths": list(lengths), "starfm": starfm}
    with ExitStack() as stack:
        phenocam = stack.enter_context(store.read(Product("raw_phenocam", site_season)))
        phenology = stack.enter_context(store.read(Product("camera_phenology", site_season)))
        prepared = {item: stack.enter_context(store.read(_prepared(site_season, item))) for item in Strategy}
        camera = camera_series(phenocam)
        gaps = calendar_gaps(site_season, midpoints(site_season, *_dates(phenology)), lengths)
        stacks = {strategy: read_season(view, strategy) for strategy, view in prepared.items()}
        benchmark = Benchmark(site_season, *row_col, gaps, cloud_patterns(store, site, site_season), starfm)
        outcomes = benchmark.run(stacks)
        inputs = [phenocam, phenology, *prepared.values()]
        with store.publish(Product("gap_benchmark", site_season), parameters=parameters, inputs=inputs) as draft:
            report = _write(draft, grid, _context(site, site_season), outcomes, stacks, camera)
    assert draft.manifest is not None
    return _outcome(draft, outcomes, report)


def read_season(prepared: View, strategy: Strategy) -> SeasonStack:
    """The prepared reflectance of a season; NoData when a sensor has no image."""
    layout = PreparedLayout(strategy, Mode.BTI)
    fine = prepared.names(f"{layout.folder}/s2/*_{layout.kind}.tif")
    coarse = prepared.names(f"{layout.folder}/s3/*.tif")
    if not fine or not coarse:
        raise NoData(f"{prepared.product.key} lacks images of a sensor; materialise it again and look at its summary.")
    return SeasonStack(
        fine=prepared.read_stack(fine),
        fine_days=_days(fine),
        cloud_distance=prepared.read_stack([layout.cloud_distance(day_of(name)) for name in fine])[:, 0],
        coarse=prepared.read_stack(coarse),
        coarse_days=_days(coarse),
        ratio=RATIO,
    )


def cloud_patterns(store: ProductStore, site: Site, site_season: SiteSeason) -> dict[Strategy, CloudPattern]:
    """Per strategy the clouds of the nearest other season of the site that has been prepared."""
    others = sorted(set(site.seasons) - {site_season.season}, key=lambda year: abs(year - site_season.season))
    patterns = {}
    for strategy in Strategy:
        products = (_prepared(site.season(year), strategy) for year in others)
        product = next((product for product in products if store.manifest(product) is not None), None)
        if product is None:
            continue
        with store.read(product) as view:
            season = read_season(view, strategy)
            year = product.site_season.season
            patterns[strategy] = CloudPattern(year, season.fine_days, season.clear, season.cloud_distance)
    return patterns


def _prepared(site_season: SiteSeason, strategy: Strategy) -> Product:
    return Product(PREPARED[Mode.BTI], site_season, strategy)


def _dates(phenology: View) -> tuple[date | None, date | None]:
    dates = phenology.read_json(PHENOCAM_PHENOLOGY)
    up, down = dates["green_up_50pct_date"], dates["green_down_50pct_date"]
    return (date.fromisoformat(up) if up else None, date.fromisoformat(down) if down else None)


def _context(site: Site, site_season: SiteSeason) -> ReportContext:
    layout = PreparedLayout(Strategy.AGGRESSIVE, Mode.BTI)

    def filename(day: np.datetime64) -> str:
        return layout.fine(date.fromisoformat(str(day))).rsplit("/", 1)[-1]

    return ReportContext(site_season, site.latitude, site.longitude, filename)


def _write(
    draft: Draft,
    grid: SiteGrid,
    context: ReportContext,
    outcomes: list[StrategyOutcome],
    stacks: Mapping[Strategy, SeasonStack],
    camera: DailySeries,
) -> dict[str, object]:
    season = context.site_season
    report = gap_metrics(context, outcomes, camera, lambda series: season_dates(series, season.season))
    by_strategy = {item.strategy: [gap for gap in item.gaps if _is_calendar(gap)] for item in outcomes}
    best = best_scenario(report)
    for scenario in SCENARIOS:
        paths = {}
        if scenario == best:
            paths = _write_images(draft, grid, context, scenario, by_strategy[scenario.strategy], stacks)
            draft.write_json(
                GapLayout.manifest, gap_manifest(context, scenario.strategy, by_strategy[scenario.strategy])
            )
        summary = validation_summary(context, scenario, by_strategy[scenario.strategy], paths)
        draft.write_json(GapLayout.summary(None if scenario == best else scenario), summary)
    everything = [gap for outcome in outcomes for gap in outcome.gaps]
    draft.write_json(GapLayout.withheld, withheld_images(context, everything))
    draft.write_json(GapLayout.metrics, report)
    return report


def best_scenario(report: Mapping[str, object]) -> Scenario:
    """The BtI scenario with the highest NSE against the camera without a gap; the first where none has one."""
    strategies: Mapping[str, dict] = report["strategies"]  # type: ignore[assignment]

    def nse(scenario: Scenario) -> float:
        tier = strategies[str(scenario.strategy)]["no_gap"].get("temporal", {}).get(scenario.key) or {}
        value = tier.get("nse_pc")
        return float("-inf") if value is None else float(value)

    return max((item for item in SCENARIOS if item.mode is Mode.BTI), key=nse)


def _write_images(
    draft: Draft,
    grid: SiteGrid,
    context: ReportContext,
    scenario: Scenario,
    outcomes: Iterable[GapOutcome],
    stacks: Mapping[Strategy, SeasonStack],
) -> dict[str, dict[str, str]]:
    """The fused image of each gap's prediction day without the withheld scenes, and where its partners lie.

    The competitors' images of that day lie beside it.
    """
    season, stack = Fusion(scenario), stacks[scenario.strategy]
    paths = {}
    for outcome in outcomes:
        scene = main_scene(outcome)
        if scene is None:
            continue
        day = date.fromisoformat(str(scene.day))
        name = GapLayout.image(outcome.gap.key, scenario, day)
        degraded, days = withhold(stack, outcome.gap).degraded, np.array([scene.day])
        values = season.predict(degraded, days).values
        draft.write_stack([name], values, grid.fine, band_names=CHANNELS[scenario.mode])
        for method in PIXEL_METHODS:
            beside = GapLayout.competitor(outcome.gap.key, method.name, day)
            draft.write_stack([beside], method.predict(degraded, days).values, grid.fine, band_names=CHANNELS[Mode.BTI])
        paths[outcome.gap.key] = {
            "fused_gap": name,
            "fused_no_gap": FusedLayout(scenario).image(day),
            "withheld_s2_refl": PreparedLayout(scenario.strategy, Mode.BTI).fine(day),
        }
    return paths


def _is_calendar(outcome: GapOutcome) -> bool:
    return outcome.gap.transition is not Transition.NATURAL


def _outcome(draft: Draft, outcomes: list[StrategyOutcome], report: Mapping[str, object]) -> Outcome:
    rows = []
    for outcome in outcomes:
        for gap in outcome.gaps:
            for method in gap.series:
                scores = gap.pooled(method, "gcc").scores()
                row = {"strategy": str(outcome.strategy), "gap": gap.gap.key, "method": method}
                rows.append(row | {key: scores[key] for key in ("n_pixels", "rmse", "mean_bias", "nse_s2")})
    assert draft.manifest is not None
    gaps = sum(len(outcome.gaps) for outcome in outcomes)
    notes = {"best_bti_scenario": best_scenario(report).key}
    return Outcome(draft.manifest, numbers={"gaps": gaps}, notes=notes, tables={"gcc_by_gap": rows})


def _days(names: list[str]) -> np.ndarray:
    return np.array([day_of(name) for name in names], dtype="datetime64[D]")
