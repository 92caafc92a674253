"""What a finished site-season says in a few words: the recommended scenario against Sentinel-2 alone and the camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from pyproj import Transformer

from satfusion_assets.evaluation.scores import MASKED_WHITTAKER_KEY
from satfusion_assets.phenology import SATELLITE, transitions
from satfusion_assets.pipeline.camera_phenology.files import CAMERA_DATES
from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.metrics.files import SKILL_FILE
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.processed.series import gcc_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.store import Store
from satfusion_assets.store.pack_reader import read_pixel
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import RECOMMENDED, Mode, Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason

DEVIATION: Final = "standard_deviation"
SIDES: Final = {"green-up": "rising", "green-down": "falling"}


@dataclass(frozen=True)
class Turn:
    """A 50 % date as fusion and camera see it; None = it has none. interval: 95 %, of the camera's."""

    fusion: date | None
    camera: date | None
    interval: tuple[date, date] | None

    @property
    def days_late(self) -> int | None:
        """Days that fusion's date comes after the camera's."""
        return None if self.fusion is None or self.camera is None else (self.fusion - self.camera).days


@dataclass(frozen=True)
class Comparison:
    """Two series against the camera on common days, by RMSE of GCC. interval: 95 %, of first minus second."""

    days: int
    rmse_first: float
    rmse_second: float
    interval: tuple[float, float] | None
    different: bool | None
    """After the correction for all comparisons that were made."""

    @property
    def first_is_better(self) -> bool | None:
        """None where the interval holds zero."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return None
        return self.interval[1] < 0


@dataclass(frozen=True)
class SeasonVerdict:
    """nse: after the camera's own bias and gain are taken away, as the viewer's first page shows it."""

    scenario: Scenario
    nse: float | None
    nse_interval: tuple[float, float] | None
    against_s2: Comparison | None
    turns: Mapping[str, Turn]
    best: str | None
    """The scenario with the best NSE, if another."""
    against_best: Comparison | None
    """The recommended scenario with ``best``."""
    season_days: int
    days_without: int
    """Days of the season without a value at the site."""
    longest_hole: tuple[date, date] | None
    last_image: date
    """Of either satellite, margins of the season included: what comes after it is predicted from what came before."""
    last_day: date
    """Of the season."""


def season_verdict(
    store: Store, site: Site, site_season: SiteSeason, scenario: Scenario = RECOMMENDED
) -> SeasonVerdict:
    """The verdict on a site-season that has its metrics. ProductMissing when ``scenario`` was not materialised."""
    with store.read(METRICS.of(site_season)) as metrics, store.read(PROCESSED.of(site_season, scenario)) as processed:
        skill = metrics.read_json(SKILL_FILE)
        series = gcc_series(processed, scenario, "fusion").between(site_season.start, site_season.end)
    with store.read(PREPARED[scenario.mode].of(site_season, scenario.strategy)) as prepared:
        folder = PreparedLayout(scenario.strategy, scenario.mode).folder
        last_image = max(day_of(name) for sensor in ("s2", "s3") for name in prepared.names(f"{folder}/{sensor}/*.tif"))
    with store.read(CAMERA_PHENOLOGY.of(site_season)) as phenology:
        camera = phenology.read_json(CAMERA_DATES)["camera"]
    region: Mapping[str, Any] = next(iter(skill["regions"].values()), {"scenarios": {}})
    calibrated = {key: (of or {}).get("calibrated") or {} for key, of in region["scenarios"].items()}
    scored = {key: of["nse"] for key, of in calibrated.items() if of.get("nse") is not None}
    best = max(scored, key=lambda key: scored[key], default=scenario.key)
    own = calibrated.get(scenario.key, {})
    baseline = f"{MASKED_WHITTAKER_KEY}_{scenario.strategy}"
    holes = _holes(series, site_season)
    return SeasonVerdict(
        scenario,
        own.get("nse"),
        _pair(own.get("nse_interval")),
        _comparison(skill["against_baselines"], scenario.key, baseline),
        turns_of(series, camera, site_season.season, _typical_deviation(store, site, site_season, scenario)),
        None if best == scenario.key else best,
        None if best == scenario.key else _comparison(skill["comparisons"], scenario.key, best),
        (site_season.end - site_season.start).days + 1,
        sum((last - first).days + 1 for first, last in holes),
        max(holes, key=lambda hole: hole[1] - hole[0], default=None),
        last_image,
        site_season.end,
    )


def _comparison(rows: Sequence[Mapping[str, Any]], first: str, second: str) -> Comparison | None:
    """The row of ``first`` with ``second``, whichever way round it stands; None where it is missing or empty."""
    for row in rows:
        if {row["first"], row["second"]} != {first, second} or row["rmse_first"] is None:
            continue
        interval = _pair(row["interval"])
        if row["first"] == first:
            return Comparison(row["n_samples"], row["rmse_first"], row["rmse_second"], interval, row["different"])
        turned = None if interval is None else (-interval[1], -interval[0])
        return Comparison(row["n_samples"], row["rmse_second"], row["rmse_first"], turned, row["different"])
    return None


def _typical_deviation(store: Store, site: Site, site_season: SiteSeason, scenario: Scenario) -> float:
    """Root mean square of the deviation of GCC at the site, which the date maps' own dates of the series mind as well;
    0 where GCC itself was not fused."""
    fused = scenario.in_mode(Mode.ITB)
    if store.manifest(PACK.of(site_season, fused)) is None:
        return 0.0
    name = pack_folder(fused)
    to_grid = Transformer.from_crs(4326, site_grid(site).epsg, always_xy=True)
    place = to_grid.transform(site.longitude, site.latitude)
    with store.read(PACK.of(site_season, fused)) as pack:
        layers = read_pixel(pack.folder(name), name, *place, only=(DEVIATION,)) or {}
    squared = np.square(layers[DEVIATION].values) if DEVIATION in layers else np.array([])
    known = squared[np.isfinite(squared)]
    return float(np.sqrt(known.mean())) if known.size else 0.0


def turns_of(series: DailySeries, camera: Mapping[str, Any], year: int, deviation: float = 0.0) -> dict[str, Turn]:
    """Dates at 50 % by the name of the side; camera: both sides of its dates, None where it saw no season; deviation:
    of the series' values."""
    dated = transitions(series.days, series.values, SATELLITE, error=deviation) if len(series) else None
    season = None if dated is None else dated.growing_season(year)
    turns = {}
    for name, side in SIDES.items():
        found = None if season is None else getattr(season, side)[50].date
        seen = (camera[side] or {}).get("50") or {}  # nothing where the camera saw no season
        bounds = [date.fromisoformat(seen[end]) if seen.get(end) else None for end in ("date", "lower", "upper")]
        day, lower, upper = bounds
        turns[name] = Turn(found, day, (lower, upper) if lower is not None and upper is not None else None)
    return turns


def _holes(series: DailySeries, site_season: SiteSeason) -> list[tuple[date, date]]:
    """Stretches of days of the season without a value, first and last day of each."""
    days = np.arange(np.datetime64(site_season.start), np.datetime64(site_season.end) + 1)
    missing = np.isnan(series.on(days)).astype(int)
    edges = np.diff(np.concatenate([[0], missing, [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(days[first].item(), days[last].item()) for first, last in zip(starts, ends, strict=True)]


def _pair(bounds: Sequence[float] | None) -> tuple[float, float] | None:
    return None if bounds is None else (bounds[0], bounds[1])
