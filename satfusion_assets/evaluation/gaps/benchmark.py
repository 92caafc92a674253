"""The benchmark of one site-season: every gap, strategy and method, scored in three tiers.

Spatial: each withheld scene against the prediction of its own day, pixel by pixel, for every band, NDVI and GCC.
All methods of one strategy are scored on the same pixels, those that every method could estimate (``common``); what
each could estimate at all is scored beside it (``own``), so that a method that stays silent is seen to.
Temporal: the site's GCC of every day of the season on the degraded stack. Phenology is read from these series.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.calibration import Calibration, calibration
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, GapMethod, Prediction
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.evaluation.gaps.stack import CloudPattern, WithheldScenes, lay_clouds, withhold
from satfusion_assets.evaluation.gaps.starfm import Starfm
from satfusion_assets.evaluation.gaps.windows import Gap, natural_gap
from satfusion_assets.evaluation.moments import Moments, pixel_moments
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.sampling.window import window_gcc
from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.scenarios import BANDS, SCENARIOS, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

log = logging.getLogger(__name__)

Images = dict[str, npt.NDArray[np.floating]]
QUANTITIES = (*BANDS, "ndvi", "gcc")


@dataclass(frozen=True)
class SceneScores:
    """One withheld scene: its day, how many pixels were withheld, and each method's sums over the common pixels."""

    day: np.datetime64
    hidden: int
    common: Mapping[str, Mapping[str, Moments]]
    own: Mapping[str, Mapping[str, Moments]]
    no_gap: Mapping[str, Mapping[str, Moments]]


@dataclass(frozen=True)
class GapOutcome:
    """What one gap did to one strategy. series: the site's GCC by method on the degraded stack."""

    gap: Gap
    strategy: Strategy
    scenes: tuple[SceneScores, ...]
    series: Mapping[str, DailySeries]
    calibration: Mapping[str, Mapping[str, Calibration]]

    def pooled(self, method: str, quantity: str, own: bool = False) -> Moments:
        """Sums of a method over all withheld scenes."""
        tables = [scene.own if own else scene.common for scene in self.scenes]
        return sum((table[method].get(quantity, Moments()) for table in tables if method in table), Moments())


@dataclass(frozen=True)
class StrategyOutcome:
    """All gaps of one strategy, and its methods' series without any gap."""

    strategy: Strategy
    no_gap_series: Mapping[str, DailySeries]
    gaps: tuple[GapOutcome, ...]


@dataclass(frozen=True)
class Benchmark:
    """What to run at one site-season.

    row, col: the site's fine pixel. gaps: calendar gaps. patterns: per strategy another year's clouds, where there is
    one. starfm: also run STARFM (spatial tier only; minutes instead of seconds). scenarios: EFAST's part in it.
    """

    site_season: SiteSeason
    row: int
    col: int
    gaps: Sequence[Gap]
    patterns: Mapping[Strategy, CloudPattern] = field(default_factory=dict)
    starfm: bool = False
    scenarios: Sequence[Scenario] = SCENARIOS

    @property
    def season_days(self) -> Days:
        return np.arange(np.datetime64(self.site_season.start, "D"), np.datetime64(self.site_season.end, "D") + 1)

    def run(
        self, stacks: Mapping[Strategy, SeasonStack], progress: Callable[[str], None] = log.info
    ) -> list[StrategyOutcome]:
        """Every gap of every strategy in ``stacks``; ``progress`` hears of each."""
        return [self._strategy(strategy, stack, progress) for strategy, stack in stacks.items()]

    def _strategy(self, strategy: Strategy, stack: SeasonStack, progress: Callable[[str], None]) -> StrategyOutcome:
        fusions = [Fusion(scenario, as_measured=True) for scenario in self.scenarios if scenario.strategy is strategy]
        season_methods: list[GapMethod] = [*fusions, *PIXEL_METHODS]
        stating: list[GapMethod] = [Fusion(fusion.scenario, states_sd=True, as_measured=True) for fusion in fusions]
        spatial_methods = [*stating, *PIXEL_METHODS, *([Starfm()] if self.starfm else [])]
        applied = [withhold(stack, gap) for gap in self.gaps]
        if strategy in self.patterns:
            pattern = self.patterns[strategy]
            applied.append(lay_clouds(stack, natural_gap(self.site_season, pattern.season), pattern))
        reference = _NoGap(stack, fusions, applied)
        outcomes = []
        for withheld in applied:
            progress(f"gap {withheld.gap.key} of {strategy}: {len(withheld.scenes)} scenes withheld")
            scenes, calibrations = _spatial(stack, withheld, spatial_methods, reference)
            series = self._series(withheld.degraded, season_methods)
            outcomes.append(GapOutcome(withheld.gap, strategy, scenes, series, calibrations))
        return StrategyOutcome(strategy, self._series(stack, season_methods), tuple(outcomes))

    def _series(self, stack: SeasonStack, methods: Sequence[GapMethod]) -> dict[str, DailySeries]:
        """The site's GCC of every day of the season by method."""
        series = {}
        for method in methods:
            part, row, col = stack.around(self.row, self.col, method.reach)
            values = method.predict(part, self.season_days).values
            series[method.name] = DailySeries.of(self.season_days, window_gcc(values, row, col))
        return series


class _NoGap:
    """Fused images of every withheld day from the whole stack, the contract's comparison without the gap."""

    def __init__(self, stack: SeasonStack, fusions: Sequence[Fusion], applied: Sequence[WithheldScenes]) -> None:
        numbers = np.unique(np.concatenate([withheld.scenes for withheld in applied] or [np.empty(0, np.intp)]))
        self._place = {int(number): place for place, number in enumerate(numbers)}
        days = stack.fine_days[numbers.astype(np.intp)]
        self._images = {fusion.name: quantities(fusion.predict(stack, days)) for fusion in fusions}

    def scene(self, number: int) -> dict[str, Images]:
        place = self._place[number]
        return {name: {key: image[place] for key, image in images.items()} for name, images in self._images.items()}


def quantities(prediction: Prediction) -> Images:
    """Everything that is scored, by name, each (p, H, W): four bands, NDVI and GCC, or GCC alone."""
    values = prediction.values
    if values.shape[1] == 1:
        return {"gcc": values[:, 0]}
    blue, green, red, nir = (values[:, band] for band in range(4))
    images = dict(zip(BANDS, (blue, green, red, nir), strict=True))
    return images | {"ndvi": indices.ndvi(red, nir), "gcc": indices.gcc(blue, green, red)}


def _spatial(
    stack: SeasonStack, withheld: WithheldScenes, methods: Sequence[GapMethod], reference: _NoGap
) -> tuple[tuple[SceneScores, ...], dict[str, dict[str, Calibration]]]:
    days = stack.fine_days[withheld.scenes]
    truth = quantities(Prediction(stack.fine[withheld.scenes]))
    predictions = {method.name: method.predict(withheld.degraded, days) for method in methods}
    images = {name: quantities(prediction) for name, prediction in predictions.items()}
    scenes = []
    for k, number in enumerate(withheld.scenes.tolist()):
        here = {name: {key: image[k] for key, image in of.items()} for name, of in images.items()}
        true = {key: image[k] for key, image in truth.items()}
        common = {
            key: np.logical_and.reduce(
                [
                    withheld.hidden[k],
                    np.isfinite(true[key]),
                    *(np.isfinite(of[key]) for of in here.values() if key in of),
                ]
            )
            for key in QUANTITIES
        }
        own = dict.fromkeys(QUANTITIES, withheld.hidden[k])
        scenes.append(
            SceneScores(
                day=days[k],
                hidden=int(withheld.hidden[k].sum()),
                common=_moments(here, true, common),
                own=_moments(here, true, own),
                no_gap=_moments(reference.scene(number), true, common),
            )
        )
    return tuple(scenes), _calibrations(predictions, truth, withheld.hidden)


def _moments(
    images: Mapping[str, Images], truth: Images, scored: Mapping[str, npt.NDArray[np.bool_]]
) -> dict[str, dict[str, Moments]]:
    return {
        name: {key: pixel_moments(image, truth[key], scored[key]) for key, image in of.items()}
        for name, of in images.items()
    }


def _calibrations(
    predictions: Mapping[str, Prediction], truth: Images, hidden: npt.NDArray[np.bool_]
) -> dict[str, dict[str, Calibration]]:
    """Calibration of the methods that state a standard deviation, per band (or of GCC where that is fused)."""
    found: dict[str, dict[str, Calibration]] = {}
    for name, prediction in predictions.items():
        if prediction.sd is None:
            continue
        names = BANDS if prediction.values.shape[1] == len(BANDS) else ("gcc",)
        found[name] = {}
        for band, key in enumerate(names):
            noise = None if prediction.scene_noise is None else prediction.scene_noise[:, band]
            found[name][key] = calibration(
                prediction.values[:, band], prediction.sd[:, band], truth[key], hidden, noise
            )
    return found
