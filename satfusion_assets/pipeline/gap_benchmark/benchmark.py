"""Stage: the gap benchmark of a site-season: withhold scenes, fill the gap with every method, score the filling."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from satfusion_assets.evaluation.gaps.benchmark import Benchmark, GapOutcome, StrategyOutcome
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.evaluation.gaps.stack import CloudPattern, withhold
from satfusion_assets.evaluation.gaps.windows import GAP_DAYS, Gap, MidpointRule, Transition, calendar_gaps, midpoints
from satfusion_assets.evaluation.season_dates import season_dates
from satfusion_assets.export.gap_reports import (
    ReportContext,
    gap_manifest,
    gap_metrics,
    main_scene,
    validation_summary,
    withheld_images,
)
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.coarse_source import inherited
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.inputs import read_stack
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.provenance import lies_in_place, publish, refuse_out_of_place
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_phenocam.series import camera_period, camera_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.store import Draft, Manifest, Product, Store, View
from satfusion_assets.vocabulary.days import stamp
from satfusion_assets.vocabulary.errors import InvalidInput, NoData
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.scenarios import CHANNELS, SCENARIOS, Method, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason

log = logging.getLogger(__name__)

Report = Mapping[str, Any]
"""The content of gap_metrics.json."""
MAX_GAP_DAYS: Final = 366
"""A whole season."""

ALL_TRANSITIONS: Final = (Transition.GREEN_UP, Transition.PEAK, Transition.GREEN_DOWN, Transition.NATURAL)


@dataclass(frozen=True)
class Experiment:
    """Which gaps to make and what fills them; as it stands, the benchmark itself.

    lengths: days. transitions: what gaps are centred on, and whether another year's clouds are laid over the season.
    centre: the day that GIVEN gaps are centred on. scenarios: which fusions take part. starfm: STARFM, too.
    """

    lengths: tuple[int, ...] = GAP_DAYS
    transitions: tuple[Transition, ...] = ALL_TRANSITIONS
    centre: date | None = None
    scenarios: tuple[Scenario, ...] = SCENARIOS
    starfm: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "lengths": list(self.lengths),
            "transitions": [str(item) for item in self.transitions],
            "centre": None if self.centre is None else self.centre.isoformat(),
            "scenarios": [item.key for item in self.scenarios],
            "starfm": self.starfm,
        }

    @property
    def name(self) -> str:
        """Equal experiments have equal names, and files: ``30_60_green_up``, ``45_around_20240610_starfm``."""
        centred = [str(item) for item in self.transitions if item is not Transition.GIVEN]
        around = "_".join([*centred, *([f"around_{stamp(self.centre)}"] if self.centre is not None else [])])
        chosen = "" if set(self.scenarios) == set(SCENARIOS) else "_" + "_".join(item.key for item in self.scenarios)
        return "_".join(map(str, self.lengths)) + f"_{around}{chosen}" + ("_starfm" if self.starfm else "")

    def gaps(self, site_season: SiteSeason, green_up: date | None, green_down: date | None) -> list[Gap]:
        """The gaps of the calendar; InvalidInput when one cannot be made."""
        for length in self.lengths:
            if not 1 <= length <= MAX_GAP_DAYS:
                raise InvalidInput(f"A gap of {length} days is not possible; use 1 to {MAX_GAP_DAYS} days.")
        centres = midpoints(site_season, green_up, green_down)
        if self.centre is not None:
            if not site_season.start <= self.centre <= site_season.end:
                raise InvalidInput(
                    f"The gap's centre {self.centre} lies outside {site_season.key}; use a day of {site_season.season}."
                )
            centres[Transition.GIVEN] = (self.centre, MidpointRule.GIVEN)
        wanted = {key: centre for key, centre in centres.items() if key in self.transitions}
        return calendar_gaps(site_season, wanted, self.lengths)


def gap_benchmark(store: Store, site: Site, site_season: SiteSeason) -> Outcome:
    """Publish ``gap_benchmark``: the contract's ``validation/`` files and gap_metrics.json of all methods.

    Another season of the site that has been prepared lends its clouds as a natural gap.
    """
    return _publish(store, site, GAP_BENCHMARK.of(site_season), GapLayout(), Experiment())


def gap_experiment(store: Store, site: Site, site_season: SiteSeason, experiment: Experiment) -> Outcome:
    """Publish an experiment as files like the benchmark's, below ``validation/experiments/{name}``; the benchmark
    itself stays as it is. InvalidInput and NoData when there is no gap to make.
    """
    product = Product("gap_experiment", site_season, experiment.name)
    return _publish(store, site, product, GapLayout.experiment(experiment.name), experiment)


def _publish(store: Store, site: Site, product: Product, layout: GapLayout, experiment: Experiment) -> Outcome:
    site_season = product.site_season
    grid = site_grid(site)
    row_col = site_pixel(grid.fine, site.latitude, site.longitude)
    if row_col is None:
        raise NoData(f"{site_season.key}: the site lies outside its own grid; correct its extent_m in sites.geojson.")
    strategies = [item for item in Strategy if any(scenario.strategy is item for scenario in experiment.scenarios)]
    with ExitStack() as stack:
        phenocam = stack.enter_context(store.read(RAW_PHENOCAM.of(site_season)))
        phenology = stack.enter_context(store.read(CAMERA_PHENOLOGY.of(site_season)))
        prepared = {item: stack.enter_context(store.read(_prepared(site_season, item))) for item in strategies}
        refuse_out_of_place(site, *prepared.values())
        others = _other_seasons(stack, store, site, site_season, experiment)
        gaps = experiment.gaps(site_season, *_dates(phenology))
        if not gaps and not others:
            raise NoData(_no_gap(site_season, experiment))
        stacks = {strategy: read_stack(view, strategy, Mode.BTI) for strategy, view in prepared.items()}
        patterns = {strategy: cloud_pattern(view, strategy) for strategy, view in others.items()}
        benchmark = Benchmark(site_season, *row_col, gaps, patterns, experiment.starfm, experiment.scenarios)
        log.info("Withholding scenes of %d gaps for both strategies; this takes about a minute.", len(gaps))
        outcomes = benchmark.run(stacks)
        inputs = [phenocam, phenology, *prepared.values(), *others.values()]
        source = inherited(*prepared.values())
        parameters = experiment.parameters | source
        with publish(store, product, site=site, parameters=parameters, inputs=inputs) as draft:
            writing = _Writing(
                draft,
                layout,
                grid,
                _context(site, site_season, camera_period(phenocam, site_season)),
                experiment.scenarios,
                source,
            )
            report = writing.write(outcomes, stacks, camera_series(phenocam))
    assert draft.manifest is not None
    return _outcome(draft.manifest, outcomes, report, Transition.NATURAL in experiment.transitions)


def _no_gap(site_season: SiteSeason, experiment: Experiment) -> str:
    wanted = ", ".join(experiment.transitions)
    return (
        f"{site_season.key} has no gap of the kind {wanted}: the camera has no such dates there, or no other season of "
        f"the site has been prepared that could lend its clouds; give a day with --centre instead."
    )


def cloud_pattern(prepared: View, strategy: Strategy) -> CloudPattern:
    """The clouds of another season of the site."""
    season = read_stack(prepared, strategy, Mode.BTI)
    year = prepared.product.site_season.season
    return CloudPattern(year, season.fine_days, season.clear, season.cloud_distance)


def _other_seasons(
    stack: ExitStack, store: Store, site: Site, site_season: SiteSeason, experiment: Experiment
) -> dict[Strategy, View]:
    """Per strategy the nearest other season of the site that has been prepared, if natural gaps are wanted."""
    if Transition.NATURAL not in experiment.transitions:
        return {}
    years = sorted(set(site.seasons) - {site_season.season}, key=lambda year: abs(year - site_season.season))
    found = {}
    for strategy in {scenario.strategy: None for scenario in experiment.scenarios}:
        for product in (_prepared(site.season(year), strategy) for year in years):
            if store.manifest(product) is None:
                continue
            view = stack.enter_context(store.read(product))
            if lies_in_place(view, site):  # else from before the site was moved
                found[strategy] = view
                break
    return found


def _prepared(site_season: SiteSeason, strategy: Strategy) -> Product:
    return PREPARED[Mode.BTI].of(site_season, strategy)


def _dates(phenology: View) -> tuple[date | None, date | None]:
    dates = phenology.read_json(PHENOCAM_PHENOLOGY)
    up, down = dates["green_up_50pct_date"], dates["green_down_50pct_date"]
    return (date.fromisoformat(up) if up else None, date.fromisoformat(down) if down else None)


def _context(site: Site, site_season: SiteSeason, period: Mapping[str, Any]) -> ReportContext:
    layout = PreparedLayout(Strategy.AGGRESSIVE, Mode.BTI)

    def filename(day: np.datetime64) -> str:
        return layout.fine(date.fromisoformat(str(day))).rsplit("/", 1)[-1]

    return ReportContext(site_season, site.latitude, site.longitude, filename, period)


@dataclass(frozen=True)
class _Writing:
    """Where the reports of one benchmark or experiment go, and what they are about: scenarios, Sentinel-3 product."""

    draft: Draft
    layout: GapLayout
    grid: SiteGrid
    context: ReportContext
    scenarios: Sequence[Scenario]
    source: Mapping[str, str]

    def write(
        self, outcomes: list[StrategyOutcome], stacks: Mapping[Strategy, SeasonStack], camera: DailySeries
    ) -> Report:
        context, season = self.context, self.context.site_season
        report = gap_metrics(context, outcomes, camera, lambda series: season_dates(series, season.season))
        by_strategy = {item.strategy: [gap for gap in item.gaps if _is_calendar(gap)] for item in outcomes}
        best = best_scenario(report, self.scenarios)
        for scenario in self.scenarios:
            gaps, paths = by_strategy[scenario.strategy], {}
            if scenario == best:
                paths = self._images(scenario, gaps, stacks[scenario.strategy])
                self.draft.write_json(self.layout.manifest, gap_manifest(context, scenario.strategy, gaps))
            name = self.layout.summary(None if scenario == best else scenario)
            self.draft.write_json(name, validation_summary(context, scenario, gaps, paths))
        everything = [gap for outcome in outcomes for gap in outcome.gaps]
        self.draft.write_json(self.layout.withheld, withheld_images(context, everything))
        self.draft.write_json(self.layout.metrics, report | dict(self.source))
        return report

    def _images(
        self, scenario: Scenario, outcomes: Iterable[GapOutcome], stack: SeasonStack
    ) -> dict[str, dict[str, str]]:
        """The fused image of each gap's prediction day without the withheld scenes, and where its partners lie.

        The competitors' images of that day lie beside it.
        """
        fusion = Fusion(scenario, as_measured=True)
        paths = {}
        for outcome in outcomes:
            scene = main_scene(outcome)
            if scene is None:
                continue
            day = date.fromisoformat(str(scene.day))
            name = self.layout.image(outcome.gap.key, scenario, day)
            degraded, days = withhold(stack, outcome.gap).degraded, np.array([scene.day])
            values = fusion.predict(degraded, days).values
            self.draft.write_stack([name], values, self.grid.fine, band_names=CHANNELS[scenario.mode])
            for method in PIXEL_METHODS:
                beside = self.layout.competitor(outcome.gap.key, method.name, day)
                images = method.predict(degraded, days).values
                self.draft.write_stack([beside], images, self.grid.fine, band_names=CHANNELS[Mode.BTI])
            paths[outcome.gap.key] = {
                "fused_gap": name,
                "fused_no_gap": FusedLayout(scenario).image(day),
                "withheld_s2_refl": PreparedLayout(scenario.strategy, Mode.BTI).fine(day),
            }
        return paths


def best_scenario(report: Report, scenarios: Sequence[Scenario] = SCENARIOS) -> Scenario:
    """The EFAST scenario of BtI with the highest NSE against the camera without a gap, whose files lie at the
    contract's own paths; of any mode or method where there is none, the first where none has an NSE.
    """

    def nse(scenario: Scenario) -> float:
        tier = report["strategies"][str(scenario.strategy)]["no_gap"]["temporal"].get(scenario.key) or {}
        value = tier.get("nse_pc")
        return float("-inf") if value is None else float(value)

    efast = [item for item in scenarios if item.method is Method.EFAST] or list(scenarios)
    return max([item for item in efast if item.mode is Mode.BTI] or efast, key=nse)


def _is_calendar(outcome: GapOutcome) -> bool:
    return outcome.gap.transition is not Transition.NATURAL


def _outcome(manifest: Manifest, outcomes: list[StrategyOutcome], report: Report, natural: bool) -> Outcome:
    rows = []
    for strategy, found in report["strategies"].items():
        for gap in found["gaps"]:
            for method, of in gap["spatial"].items():
                row = {"strategy": strategy, "gap": gap["key"], "method": method}
                row |= {
                    name: of["gcc"][name] for name in ("n_pixels", "estimated_share", "rmse", "mean_bias", "nse_s2")
                }
                rows.append(row | {"nse_pc": (gap["temporal"].get(method) or {}).get("nse_pc")})
    years = {found["natural_pattern_season"] for found in report["strategies"].values()} - {None}
    lent = f"clouds of {', '.join(map(str, sorted(years)))}" if years else "none: no other season has been prepared"
    fusions = [item for item in SCENARIOS if any(item.key in outcome.no_gap_series for outcome in outcomes)]
    notes = {
        "best_bti_scenario": best_scenario(report, fusions).key,
        "natural_gap": lent if natural else "none asked for",
    }
    numbers = {"gaps": sum(len(outcome.gaps) for outcome in outcomes)}
    return Outcome(manifest, numbers=numbers, notes=notes, tables={"gcc_by_gap": rows})
