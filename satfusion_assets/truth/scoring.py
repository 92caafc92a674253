"""Fused images and their competitors against a known truth: every day, pixel and band.

For a landscape whose true surface reflectance is known. Every method of one strategy is scored on the pixels that all
of them estimate, in strata of snow, land cover, days to the nearest clear scene, both together, calendar month and day;
the share that a method estimates at all stands beside it, and where it states a standard deviation, how well that
covers the truth. The engine's conformance mode is scored beside the platform's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation import calibration
from satfusion_assets.evaluation.calibration import Calibration
from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES, Images, quantities
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, GapMethod, Prediction
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.evaluation.moments import Moments, grouped_moments, pool
from satfusion_assets.fusion.efast import fuse
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.vocabulary.scenarios import BANDS, SCENARIOS, Mode, Scenario, Strategy

if TYPE_CHECKING:
    import pandas as pd

BoolArray = npt.NDArray[np.bool_]

DISTANCE_CLASSES: Final = ((0, 0), (1, 3), (4, 7), (8, 15), (16, 30), (31, 9999))
"""Days to the nearest clear scene of the pixel, first and last of each class."""

SNOW_SHARE: Final = 0.05
"""Share of a pixel under snow above which its ground counts as snow."""

DAYS_AT_ONCE: Final = 31
"""Days held in memory together: images of every method, about 300 MB at 150 x 150 pixels."""

FUSIONS: Final = frozenset(scenario.key for scenario in SCENARIOS)
CONFORMANCE_SIGMA: Final = 20
"""The conformance mode is scored at one sigma: its traps do not depend on it, and it works day by day."""


@dataclass(frozen=True)
class Truth:
    """What is really there.

    reflectance: true surface reflectance (p, 4, H, W) of days (p,). land_cover: (H, W) codes. names: of the codes that
    have one. snow: share of each pixel under snow (p, H, W) of days (p,).
    """

    reflectance: Callable[[Days], npt.NDArray[np.floating]]
    land_cover: npt.NDArray[np.integer]
    names: Mapping[int, str]
    snow: Callable[[Days], npt.NDArray[np.floating]]

    def snowy(self, days: Days) -> BoolArray:
        """Pixels (p, H, W) that are under snow by more than ``SNOW_SHARE``."""
        return self.snow(days) > SNOW_SHARE


@dataclass(frozen=True)
class Conformance:
    """The authors' evaluation fed as the thesis' preparation fed it: zeros planted where a coarse pixel is missing.

    In fine images zero is the package's own nodata; in coarse ones it is the thesis' fault. The authors' compositing
    writes NaN there.
    """

    scenario: Scenario
    reach: int = 1

    @property
    def name(self) -> str:
        return f"{self.scenario.key}_conformance"

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        inputs = stack.gcc if self.scenario.mode is Mode.ITB else stack
        fused = fuse(
            days,
            np.nan_to_num(inputs.coarse),
            inputs.coarse_days,
            np.where(np.isnan(inputs.fine[:, :1]), np.float32(0), inputs.fine),
            inputs.fine_days,
            inputs.cloud_distance,
            ratio=inputs.ratio,
            sigma=float(self.scenario.sigma or 0),
            conformance=True,
        )
        return Prediction(fused.values)


def methods_of(strategy: Strategy) -> list[GapMethod]:
    """All that is compared on one strategy's stack: its four scenarios, their conformance mode, the competitors."""
    scenarios = [scenario for scenario in SCENARIOS if scenario.strategy is strategy]
    ours = [Fusion(scenario, states_sd=True) for scenario in scenarios]
    package = [Conformance(scenario) for scenario in scenarios if scenario.sigma == CONFORMANCE_SIGMA]
    return [*ours, *package, *PIXEL_METHODS]


@dataclass
class _Cell:
    """Sums of one method, quantity and stratum."""

    moments: Moments = field(default_factory=Moments)
    pixels: int = 0
    estimated: int = 0
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(frozen=True)
class _Groups:
    """The finest groups of some days' pixels, and the strata as sets of them.

    number: (p, H, W) of each pixel. count: how many there are. strata: (kind, stratum) -> flags (count,).
    """

    number: npt.NDArray[np.int64]
    count: int
    strata: Mapping[tuple[str, str], BoolArray]

    def tally(self, flags: BoolArray) -> npt.NDArray[np.int64]:
        """How many flagged pixels (p, H, W) each group has."""
        return np.bincount(self.number[flags], minlength=self.count)


_Key = tuple[str, str, str, str]


def truth_rows(
    strategy: Strategy, stack: SeasonStack, truth: Truth, days: Days, methods: Sequence[GapMethod] | None = None
) -> list[dict[str, Any]]:
    """Scores of every method on one strategy's stack: one row per method, quantity and stratum.

    stratum_kind is ``ground`` (``snow_free``, ``snow``), ``land_cover``, ``days_to_clear`` and ``cover_and_days``
    (both: ``grass, 4-7``) on snow-free ground, and ``all``, ``month`` and ``day`` on any ground. rmse, mae, bias, r,
    nse: on the pixels that all methods estimate. methods: ``methods_of(strategy)`` unless given.
    """
    chosen = methods_of(strategy) if methods is None else methods
    cells: dict[_Key, _Cell] = {}
    for start in range(0, len(days), DAYS_AT_ONCE):
        part = days[start : start + DAYS_AT_ONCE]
        predictions = {method.name: method.predict(stack, part) for method in chosen}
        images = {name: quantities(prediction) for name, prediction in predictions.items()}
        true = quantities(Prediction(truth.reflectance(part).astype(np.float32)))
        groups = _groups(part, days_to_clear(stack, part), truth)
        for quantity in QUANTITIES:
            having = {name: of[quantity] for name, of in images.items() if quantity in of}
            _add_scores(cells, quantity, having, true[quantity], groups)
        for name, prediction in predictions.items():
            _add_calibration(cells, name, prediction, true, groups)
    return [_row(strategy, key, cell) for key, cell in cells.items()]


def days_to_clear(stack: SeasonStack, days: Days) -> npt.NDArray[np.int64]:
    """Days from each pixel and day to the pixel's nearest clear scene: (p, H, W); 9999 where it has none."""
    distance = np.full((len(days), *stack.clear.shape[1:]), DISTANCE_CLASSES[-1][1], dtype=np.int64)
    for scene_day, clear in zip(stack.fine_days, stack.clear, strict=True):
        apart = np.abs((days - scene_day).astype(np.int64))[:, None, None]
        np.minimum(distance, apart, out=distance, where=clear[None])
    return distance


def truth_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows as a data frame."""
    import pandas as pd

    return pd.DataFrame(list(rows))


def fusion_losses(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Strata (days left out) in which some competitor has a lower RMSE than the strategy's best scenario.

    Largest loss first: ``loss`` is the best scenario's RMSE over the best competitor's, minus one. The conformance
    mode stands on neither side.
    """
    best: dict[tuple[str, ...], dict[bool, tuple[float, str]]] = {}
    for row in rows:
        conformance = row["method"].removesuffix("_conformance") in FUSIONS - {row["method"]}
        if row["rmse"] is None or row["stratum_kind"] == "day" or conformance:
            continue
        key = (row["strategy"], row["quantity"], row["stratum_kind"], row["stratum"])
        side = best.setdefault(key, {})
        fused = row["method"] in FUSIONS
        side[fused] = min(side.get(fused, (np.inf, "")), (row["rmse"], row["method"]))
    losses = [
        {
            **dict(zip(("strategy", "quantity", "stratum_kind", "stratum"), key, strict=True)),
            "scenario": side[True][1],
            "scenario_rmse": side[True][0],
            "competitor": side[False][1],
            "competitor_rmse": side[False][0],
            "loss": side[True][0] / side[False][0] - 1 if side[False][0] > 0 else None,
        }
        for key, side in best.items()
        if len(side) == 2 and side[False][0] < side[True][0]
    ]
    return sorted(losses, key=lambda row: -np.inf if row["loss"] is None else -row["loss"])


def _groups(days: Days, distance: npt.NDArray[np.int64], truth: Truth) -> _Groups:
    """Day by land cover by distance class by snow.

    Snow is masked in every Sentinel-2 image, so no method knows it: it would drown whatever tells methods apart.
    """
    first_days = np.array([first for first, _ in DISTANCE_CLASSES])
    distance_class = np.searchsorted(first_days, distance, side="right") - 1
    codes, cover = np.unique(truth.land_cover, return_inverse=True)
    shape = (len(days), len(codes), len(DISTANCE_CLASSES), 2)
    day, cover = np.arange(len(days))[:, None, None], cover.reshape(truth.land_cover.shape)[None]
    parts = np.broadcast_arrays(day, cover, distance_class, truth.snowy(days).astype(np.int64))
    number = np.ravel_multi_index(parts, shape)
    of_day, of_cover, of_distance, snowy = np.unravel_index(np.arange(np.prod(shape)), shape)
    free = snowy == 0
    strata = {("all", "all"): np.ones(of_day.size, dtype=bool)}
    strata |= {("ground", "snow_free"): free, ("ground", "snow"): ~free}
    months = np.array([str(day)[5:7] for day in days])
    strata |= {("month", month): months[of_day] == month for month in np.unique(months).tolist()}
    strata |= {("day", str(day)): of_day == n for n, day in enumerate(days)}
    covers = [truth.names.get(int(code), f"class {code}") for code in codes]
    strata |= {("land_cover", name): free & (of_cover == n) for n, name in enumerate(covers)}
    apart = [class_name(first, last) for first, last in DISTANCE_CLASSES]
    strata |= {("days_to_clear", name): free & (of_distance == n) for n, name in enumerate(apart)}
    strata |= {
        ("cover_and_days", f"{cover_name}, {name}"): free & (of_cover == c) & (of_distance == n)
        for c, cover_name in enumerate(covers)
        for n, name in enumerate(apart)
    }
    return _Groups(number, of_day.size, strata)


def class_name(first: int, last: int) -> str:
    if last >= DISTANCE_CLASSES[-1][1]:
        return f"over {first - 1}"
    return str(first) if first == last else f"{first}-{last}"


def _add_scores(
    cells: dict[_Key, _Cell],
    quantity: str,
    images: Mapping[str, npt.NDArray[np.floating]],
    true: npt.NDArray[np.floating],
    groups: _Groups,
) -> None:
    known = np.isfinite(true)
    estimated = {name: np.isfinite(image) & known for name, image in images.items()}
    common = np.logical_and.reduce([known, *estimated.values()])
    pixels = groups.tally(known)
    for name, image in images.items():
        sums = grouped_moments(image, true, common, groups.number, groups.count)
        said = groups.tally(estimated[name])
        for (kind, stratum), chosen in groups.strata.items():
            if not pixels[chosen].any():
                continue
            cell = cells.setdefault((name, quantity, kind, stratum), _Cell())
            cell.pixels += int(pixels[chosen].sum())
            cell.estimated += int(said[chosen].sum())
            cell.moments += pool(sums[chosen])


def _add_calibration(
    cells: dict[_Key, _Cell], name: str, prediction: Prediction, true: Images, groups: _Groups
) -> None:
    if prediction.sd is None:
        return
    everywhere = np.ones(groups.number.shape, dtype=bool)
    for band, quantity in enumerate(BANDS if prediction.values.shape[1] == len(BANDS) else ("gcc",)):
        sums = calibration.grouped_calibration(
            prediction.values[:, band], prediction.sd[:, band], true[quantity], everywhere, groups.number, groups.count
        )
        for (kind, stratum), chosen in groups.strata.items():
            if (name, quantity, kind, stratum) in cells:
                cells[name, quantity, kind, stratum].calibration += calibration.pool(sums[chosen])


def _row(strategy: Strategy, key: _Key, cell: _Cell) -> dict[str, Any]:
    method, quantity, kind, stratum = key
    scores, stated = cell.moments.scores(), cell.calibration.scores()
    return {
        "strategy": str(strategy),
        "method": method,
        "quantity": quantity,
        "stratum_kind": kind,
        "stratum": stratum,
        "n": scores["n_pixels"],
        "rmse": scores["rmse"],
        "mae": scores["mae"],
        "bias": scores["mean_bias"],
        "r": scores["pearson_r"],
        "nse": scores["nse_s2"],
        "estimated_share": cell.estimated / cell.pixels if cell.pixels else None,
        **{name: stated[name] for name in ("coverage_68", "coverage_95", "crps", "mean_sd")},
    }
