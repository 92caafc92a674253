"""The verdict on a site-season, in words for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.metrics.verdict import Comparison, SeasonVerdict, Turn
from satfusion_assets.pipeline.phenology.product import PHENOLOGY
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.provenance import changes
from satfusion_assets.vocabulary.scenarios import RECOMMENDED_BECAUSE, Scenario
from satfusion_assets.vocabulary.sites import SiteSeason


def sentences(verdict: SeasonVerdict) -> list[str]:
    """One sentence or two a line: how good, against what, which dates, what is missing, and what may be believed."""
    said = [f"Scenario {verdict.scenario.key}, recommended beforehand: {RECOMMENDED_BECAUSE}.", _skill(verdict)]
    if verdict.against_s2 is not None:
        said.append(_against_s2(verdict.against_s2))
    said += [_turn(name, turn) for name, turn in verdict.turns.items()]
    said.append(_holes(verdict))
    if verdict.last_image < verdict.last_day:
        said.append(_beyond(verdict))
    if verdict.best is not None:
        said.append(_best(verdict.best, verdict.against_best))
    return said


def evaluation_sentence(platform: Platform, site_season: SiteSeason, scenarios: Sequence[Scenario]) -> str:
    """Whether date maps of ``scenarios`` and the gap benchmark are there and up to date, else what makes them."""
    products = [*(PHENOLOGY.of(site_season, scenario) for scenario in scenarios), GAP_BENCHMARK.of(site_season)]
    site, store, settings = platform.site(site_season), platform.store, platform.settings
    what = "Date maps and the gap benchmark"
    command = f"'satfusion materialize {site_season.site} {site_season.season} --until evaluation'"
    if any(store.manifest(product) is None for product in products):
        return f"{what} come next: {command} adds them."
    if any(changes(store, product, site, settings) for product in products):
        return f"{what} are on the viewer's last two pages, of an earlier state of the season: {command} renews them."
    return f"{what} are on the viewer's last two pages."


def _skill(verdict: SeasonVerdict) -> str:
    if verdict.nse is None:
        return "Too few days are common with the camera to score it."
    low_high = verdict.nse_interval
    interval = "" if low_high is None else f" (95 % interval {low_high[0]:.3f} to {low_high[1]:.3f})"
    return (
        f"Greenness follows the camera with NSE {verdict.nse:.3f}{interval}: 1 is perfect, 0 no better than the "
        "season's mean; the camera's own bias and gain are taken away first."
    )


def _against_s2(found: Comparison) -> str:
    words = {True: "closer to the camera than", False: "farther from the camera than", None: "not told apart from"}
    interval = (
        "" if found.interval is None else f" (95 % interval {found.interval[0]:+.4f} to {found.interval[1]:+.4f})"
    )
    return (
        f"On the {found.days} days that both have it is {words[found.first_is_better]} Sentinel-2 alone, smoothed: "
        f"RMSE {found.rmse_first:.4f} and {found.rmse_second:.4f}, difference "
        f"{found.rmse_first - found.rmse_second:+.4f}{interval}."
    )


def _turn(name: str, turn: Turn) -> str:
    late = turn.days_late
    if turn.camera is None or late is None or turn.fusion is None:
        missing = "the camera" if turn.camera is None else "fusion"
        return f"{name.capitalize()}: {missing} has no 50 % date."
    if late == 0:
        offset = "the camera's day"
    else:
        offset = f"{abs(late)} {'day' if abs(late) == 1 else 'days'} {'after' if late > 0 else 'before'} the camera"
    bounds = turn.interval
    known = "" if bounds is None else f" (the camera's 95 % interval is {_day(bounds[0])} to {_day(bounds[1])})"
    return f"{name.capitalize()} (50 %) on {_day(turn.fusion)}, {offset}{known}."


def _holes(verdict: SeasonVerdict) -> str:
    if verdict.longest_hole is None:
        return f"Every one of the season's {verdict.season_days} days has a value at the site."
    first, last = verdict.longest_hole
    return (
        f"{verdict.days_without} of {verdict.season_days} days have no value at the site; the longest hole is "
        f"{_day(first)} to {_day(last)}."
    )


def _beyond(verdict: SeasonVerdict) -> str:
    days = (verdict.last_day - verdict.last_image).days
    return (
        f"No satellite image is later than {_day(verdict.last_image)}: what the last {days} days have is predicted "
        "from before, and their deviation says how well."
    )


def _best(name: str, found: Comparison | None) -> str:
    if found is None or found.different is None:
        return f"The best number of all has {name}; whether that is more than chance cannot be told."
    known = "also after" if found.different else "not told apart from the recommended one after"
    return f"The best number of all has {name}, {known} the correction for having chosen among all."


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
