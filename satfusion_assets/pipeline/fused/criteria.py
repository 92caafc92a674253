"""What good means for fused images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, mostly, rounded, verdict
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.scenarios import Method, Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_DAYS: Final = {Method.EFAST: 0.4, Method.KRIGING: 1.0}
"""Share of the season's days with an image. A day without a clear scene within 30 days has none, nor has one without
snow-free Sentinel-3; a winter under snow is full of both, half a year at 64 degrees north. Kriging knows every day."""


RANGES: Final = {Mode.BTI: (-0.1, 1.6), Mode.ITB: (0.1, 0.9)}


MOST_OUTSIDE: Final = 0.001


SINGLE_DAYS: Final = 0.01
"""Share of the days of a season that may be odd without speaking against the others."""


TALLEST_JUMP: Final = {Mode.BTI: 0.15, Mode.ITB: 0.04}
"""Median change over the image from one day to the next; snow may fall in a day, hence a warning only."""


WITHIN_ONE_DEVIATION: Final = (0.55, 0.80)
"""Share of a scene's pixels within one standard deviation; nominally 0.68. At the ends the deviation is about a quarter
too small or too large."""


_LATTICE: Final = (..., slice(None, None, 3), slice(None, None, 3))
"""Every third row and column say enough."""


def images(checked: CheckedProduct) -> list[str]:
    """Names of the daily images, without the quality layers."""
    folder = FusedLayout(checked.scenario).folder
    return [name for name in checked.view.names(f"{folder}/*.tif") if "/quality/" not in name]


def grid(checked: CheckedProduct) -> Verdict:
    bad = []
    names = images(checked)
    checked.read_together(names)
    for name in names:
        raster = checked.raster(name)
        if raster.geobox != checked.grid.fine or tuple(raster.descriptions) != checked.channels:
            bad.append({"file": name, "why": "is not on the site's grid, or has other bands"})
    return verdict(bad, len(names), "images", {"images": len(names)})


def day_coverage(checked: CheckedProduct) -> Verdict:
    from satfusion_assets.fusion.efast import Status

    season = checked.product.site_season
    days = [season.start + timedelta(number) for number in range((season.end - season.start).days + 1)]
    wanted = len(days)
    there = {day_of(name) for name in images(checked)}
    statuses = checked.view.read_json(FusedLayout(checked.scenario).status)
    reasons = {day: word for day in days if (word := statuses.get(day.isoformat())) and word != Status.OK}
    silent = [day for day in days if day.isoformat() not in statuses or (day not in there and day not in reasons)]
    share, least = len(there) / wanted, LEAST_DAYS[checked.scenario.method]
    without = ", ".join(f"{number} {word}" for word, number in sorted(Counter(reasons.values()).items())) or "none"
    says = (
        f"{len(there)} of {wanted} days have an image (wanted: {least:.0%}; without: {without}); "
        f"{len(silent)} days have neither image nor reason."
    )
    return Verdict(share >= least and not silent, says, {"days": len(there), "share": rounded(share)})


def value_range(checked: CheckedProduct) -> Verdict:
    import numpy as np

    low, high = RANGES[checked.mode]
    bad, valid, total = [], 0, 0
    names = images(checked)
    for name in names:
        values = checked.raster(name).values
        finite = np.isfinite(values)
        valid, total = valid + int(np.count_nonzero(finite)), total + values.size
        if np.fmin.reduce(values, axis=None) < low or np.fmax.reduce(values, axis=None) > high:
            outside = float(((values < low) | (values > high))[finite].mean()) if finite.any() else 0.0
            if outside > MOST_OUTSIDE:
                bad.append({"day": day_of(name).isoformat(), "share_outside": rounded(outside)})
    numbers = {"valid_fraction": rounded(valid / max(total, 1)), "days_outside": len(bad)}
    found = mostly(bad, len(names), "images", numbers, SINGLE_DAYS)
    return found if valid else Verdict(False, "There is not a single fused pixel.", numbers)


def jumps(checked: CheckedProduct) -> Verdict:
    """Image against the day before: the median over pixels of the largest change in any channel."""
    import numpy as np

    tallest = TALLEST_JUMP[checked.mode]
    bad, largest = [], 0.0
    before: tuple[str, np.ndarray] | None = None
    for name in images(checked):
        values = checked.raster(name).values
        if before is not None and day_of(name) - day_of(before[0]) == timedelta(days=1):
            jump = _median_above(min(largest, tallest), values - before[1])
            largest = max(largest, jump)
            if jump > tallest:
                bad.append({"day": day_of(name).isoformat(), "jump": rounded(jump)})
        before = (name, values)
    return verdict(bad, len(images(checked)), "days", {"largest_jump": rounded(largest)})


def _median_above(least: float, differences: NDArray[Any]) -> float:
    """The median over pixels of the largest of ``differences`` (b, H, W) in any band; 0 where that is not above
    ``least``.

    A median is above a number only where half of the pixels are, and pixels are counted in a fifth of the time.
    """
    import numpy as np

    change = np.abs(differences, out=differences).max(axis=0)
    finite = np.isfinite(change)
    if 2 * np.count_nonzero(change > least) < np.count_nonzero(finite):
        return 0.0
    return float(np.median(change[finite])) if finite.any() else 0.0


def _deviations(checked: CheckedProduct, quality: str, days: list[str]) -> Sequence[NDArray[Any]]:
    """The deviations (b, ...) that are stated of each of ``days``, on the lattice."""
    from satfusion_assets.store.layers import layer_type
    from satfusion_assets.store.pack_reader import read_layers

    if not days:
        return ()
    found = read_layers(checked.view.folder(quality), quality, only=("standard_deviation",), days=days)
    return [*next(layer_type(layer.name).decode(layer.values[_LATTICE]) for layer in found)]


def calibration(checked: CheckedProduct) -> Verdict:
    """Kept scenes against the fused image of their own day, in units of the deviations that are stated.

    The stated variance v is the image's about the surface. A scene has a noise variance q of its own, and took part in
    the image: the two differ by ``q + v - 2c``, c the part of q that went into the image. That is v itself only by
    chance: with equal shares of n scenes and no other error it is ``(n - 1) v``, and in an index, in which the coarse
    sensor's haze cancels, there is little other error. So the nominal 68 % lies between two shares, the one within v
    alone (it bounds a deviation that is too large) and the one within q + v (too small).

    Of the scenes' shares the median counts, each with the weight of its pixels: a scene in haze counts against itself
    and not the product. How well the deviation is calibrated where scenes are withheld is for the gap benchmark.
    """
    import numpy as np

    layout, prepared = FusedLayout(checked.scenario), PreparedLayout(checked.scenario.strategy, checked.mode)
    if not checked.view.names(f"{layout.quality}/*"):
        return Verdict(True, "The engine states no deviation.", {"scenes": 0})
    fused = {day_of(image): image for image in images(checked)}
    noises = checked.view.read_json(layout.scene_noise)
    alone, with_noise, pixels = [], [], []
    with checked.store.read(PREPARED[checked.mode].of(checked.product.site_season, prepared.strategy)) as view:
        found = view.names(f"{prepared.folder}/s2/*_{prepared.kind}.tif")
        scenes = [(day_of(scene), scene) for scene in found if day_of(scene) in fused]
        stated = _deviations(checked, layout.quality, [day.isoformat() for day, _ in scenes])
        rasters = dict(zip(found, view.read_rasters(found), strict=True)) if scenes else {}
        for (day, scene), deviation in zip(scenes, stated, strict=True):
            noise = np.array([noises[day.isoformat()][channel] or 0 for channel in checked.channels])[:, None, None]
            error = np.abs(rasters[scene].masked()[_LATTICE] - checked.raster(fused[day]).values[_LATTICE])
            known = np.isfinite(error) & np.isfinite(deviation)
            if known.any():
                alone.append(float((error <= deviation)[known].mean()))
                with_noise.append(float((error <= np.hypot(deviation, noise))[known].mean()))
                pixels.append(int(known.sum()))
    within, within_with_noise = _weighted_median(alone, pixels), _weighted_median(with_noise, pixels)
    low, high = WITHIN_ONE_DEVIATION
    says = (
        f"In the middle of {len(pixels)} scenes, {100 * within:.0f} % of a kept scene's pixels lie within one stated "
        f"deviation of the day's fused image (wanted: at most {100 * high:.0f} %), and {100 * within_with_noise:.0f} % "
        f"when the scene's own noise is added (at least {100 * low:.0f} %); normal is 68 % between the two."
    )
    numbers = {
        "share_within": rounded(within),
        "share_within_with_noise": rounded(within_with_noise),
        "scenes": len(pixels),
    }
    return Verdict(within <= high and within_with_noise >= low, says, numbers)


def _weighted_median(values: Sequence[float], weights: Sequence[int]) -> float:
    """The value at which half of the weight is reached; 0 without any."""
    import numpy as np

    if not values:
        return 0.0
    order = np.argsort(values)
    reached = np.cumsum(np.asarray(weights)[order])
    return float(np.asarray(values)[order][np.searchsorted(reached, reached[-1] / 2)])


CRITERIA: Final = (
    Criterion("grid", "Every image lies on the site's grid with its bands.", grid, True),
    Criterion(
        "day_coverage",
        "Most days of the season have an image, every other one a reason.",
        day_coverage,
        False,
    ),
    Criterion(
        "range", "Values stay in their physical range but for single days, and there are some.", value_range, True
    ),
    Criterion("jumps", "The whole image does not jump from one day to the next.", jumps, False),
    Criterion(
        "calibration",
        "Clear scenes lie as far from the image as its standard deviation says.",
        calibration,
        False,
    ),
)
