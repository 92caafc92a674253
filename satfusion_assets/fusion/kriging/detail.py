"""Bands that the sensor sees with larger pixels than the others, brought to the product's pixels.

Sentinel-2 sees blue, green and red with pixels of 10 m and B8A with 20 m, which acquisition spreads bilinearly. What
such a band lacks, its detail ``d = y - U B y`` (B the mean of a larger pixel's parts, U the spreading), goes with the
detail of the bands that have it:

    d_b(x) = sum_j a_ibj d_j(x) + rest

a of every scene by least squares one step coarser, where both sides are known: 20 m beside 40 m says how 10 m go beside
20 m. That detail keeps its relations over one step of scale is the assumption of area-to-point regression kriging
(Wang, Shi & Atkinson 2016) and of Wald et al. (1997), and the change of support is one of geostatistics' (Cressie 1993,
section 5.2). What the regression leaves over is unknown and part of the deviation.

Which bands these are the images say themselves: spread bilinearly by two, a band has no third difference at every
second place; repeated, no first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.inputs import Images

Array = NDArray[np.float64]

MARGIN: Final = 2
"""Pixels to every side on which a pixel's detail depends: the larger pixel next to its own."""
BILINEAR: Final = 0.25
"""Part of a pixel's value that is its larger pixel's neighbour, along either axis, when two parts are spread
bilinearly; 0 when they are repeated."""
FLAT: Final = 0.1
"""Median difference at places where spreading leaves none, over that at the places between: below, the band was spread.
Rounding to 0.0001 leaves 0.02 of it, a band seen with the product's own pixels 1."""
LEAST_PLACES: Final = 200
"""Larger pixels that a scene must show for its regression."""
RIDGE: Final = 1e-3
"""Of the mean square of the predictors, added to each: bands that go together to the last digit."""


class Spreading(NamedTuple):
    """How a band was spread: ``weight`` (``BILINEAR`` or 0) of the neighbour, and the first row and column, 0 or 1, at
    which a larger pixel begins."""

    weight: float
    row: int
    column: int


@dataclass(frozen=True)
class Detail:
    """What the scenes' coarser bands lack, by scene sorted by day.

    days: (n,), of several scenes the first counts. spreadings: (n, b) in tuples, None = seen with the product's own
    pixels. slopes: (n, b, b) a_ibj, 0 where there is none. left: (b,) variance of what the regression leaves over, as a
    share of what it tells. Rows and columns count from the area's first.
    """

    days: NDArray[np.int64]
    spreadings: tuple[tuple[Spreading | None, ...], ...]
    slopes: Array
    left: Array

    def from_pixel(self, row: int, column: int) -> Detail:
        """The same of an area in which the first pixel of this one is ``row, column``."""
        placed = [tuple(_placed(each, row, column) for each in scene) for scene in self.spreadings]
        return replace(self, spreadings=tuple(placed))


class Steady:
    """Mean product of images of one scene and the scene before: what stays, squared, without the noise of either."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._before, self._sum, self._count = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.uint16)

    def add(self, image: Array) -> None:
        """image: 0 = missing there."""
        product = image * self._before
        self._sum += product
        self._count += product != 0
        np.copyto(self._before, image, where=image != 0)

    @property
    def mean(self) -> Array:
        mean: Array = self._sum / np.maximum(self._count, 1)
        return mean


def learn_detail(images: Images) -> Detail | None:
    """Detail of the scenes' bands, None where every band is seen with the product's own pixels."""
    n, bands = len(images.fine), images.bands
    slopes, left = np.zeros((n, bands, bands)), np.zeros(bands)
    spreadings: list[tuple[Spreading | None, ...]] = []
    steady: dict[tuple[int, Spreading], tuple[Steady, Steady]] = {}
    for s, scene in enumerate(images.order):
        values = images.fine[scene].astype(np.float64)
        found = tuple(spreading_of(band) for band in values)
        fine = [j for j in range(bands) if found[j] is None]
        for band, spreading in enumerate(found):
            if spreading is None or not fine:
                continue
            regression = _regression(values[band], values[fine], spreading)
            if regression is None:
                continue
            slopes[s, band, fine] = regression.slopes
            both = steady.setdefault((band, spreading), (Steady(regression.left.shape), Steady(regression.left.shape)))
            both[0].add(regression.explained)
            both[1].add(regression.left)
        spreadings.append(found)
    if not slopes.any():
        return None
    for band in range(bands):
        means = [[each.mean.sum() for each in pair] for (of, _), pair in steady.items() if of == band]
        explained, rest = np.sum(means, axis=0) if means else (0.0, 0.0)
        left[band] = max(rest, 0.0) / explained if explained > 0 else 0.0
    return Detail(images.fine_days, tuple(spreadings), slopes, left)


@dataclass(frozen=True)
class Sharpened:
    """Images whose coarser bands have the detail that the others tell, and the variance (b, H, W) of what of it nobody
    knows."""

    images: Images
    unknown: NDArray[np.floating[Any]]


def sharpened(images: Images, detail: Detail) -> Sharpened:
    fine = images.fine.copy()
    explained = Steady(fine.shape[1:])
    for s, scene in enumerate(images.order):
        explained.add(sharpen(fine[scene], int(images.fine_days[s]), detail))
    return Sharpened(replace(images, fine=fine), unknown(explained, detail).astype(fine.dtype))


def unknown(explained: Steady, detail: Detail) -> Array:
    """Variance (b, H, W) of the detail that nobody knows, from what ``sharpen`` added to the scenes: the slopes leave
    something over where they tell something."""
    variance: Array = detail.left[:, None, None] * np.maximum(explained.mean, 0.0)
    return variance


def sharpen(scene: NDArray[np.floating[Any]], day: int, detail: Detail, row: int = 0, column: int = 0) -> Array:
    """Add to ``scene`` (b, H, W), whose first pixel is ``row, column`` of the area, what its coarser bands lack, in
    place, and return it (b, H, W). A pixel's detail depends on ``MARGIN`` pixels around it, and is 0 where one of them
    is missing."""
    added = np.zeros(scene.shape)
    place = int(np.searchsorted(detail.days, day))
    for band, spreading, predictors in _coarser(detail, place):
        here = _placed(spreading, -row, -column)
        assert here is not None
        lacking: Array | float = 0.0
        for j in predictors:
            lacking = lacking + detail.slopes[place, band, j] * _detail(scene[j].astype(np.float64), here)
        added[band] = np.nan_to_num(lacking)
    scene += added
    return added


def _coarser(detail: Detail, place: int) -> Iterator[tuple[int, Spreading, NDArray[np.intp]]]:
    for band, spreading in enumerate(detail.spreadings[place]):
        predictors = np.flatnonzero(detail.slopes[place, band])
        if spreading is not None and len(predictors):
            yield band, spreading, predictors


def _placed(spreading: Spreading | None, rows: int, columns: int) -> Spreading | None:
    """``spreading`` as it is counted from a pixel that lies ``rows, columns`` earlier."""
    if spreading is None:
        return None
    return Spreading(spreading.weight, (spreading.row + rows) % 2, (spreading.column + columns) % 2)


def spreading_of(band: Array) -> Spreading | None:
    """How ``band`` (H, W), NaN = missing, was spread from larger pixels; None if it was not, or too little is seen."""
    for weight, order in ((0.0, 1), (BILINEAR, 3)):
        starts = [_start(band, axis, order) for axis in (0, 1)]
        if None not in starts:
            return Spreading(weight, *(int(start or 0) for start in starts))
    return None


def _start(band: Array, axis: int, order: int) -> int | None:
    """Where along ``axis`` larger pixels begin, 0 or 1, if differences of ``order`` vanish at every second place."""
    differences = np.abs(np.moveaxis(np.diff(band, order, axis=axis), axis, 0))
    medians = []
    for parity in (0, 1):
        found = differences[parity::2]
        known = found[np.isfinite(found)]
        medians.append(float(np.median(known)) if known.size >= LEAST_PLACES else np.nan)
    flat = int(medians[1] < medians[0])
    if not medians[flat] < FLAT * medians[1 - flat]:
        return None
    # A first difference vanishes inside a larger pixel, a third one about its middle, one place later.
    return flat if order == 1 else 1 - flat


class Regression(NamedTuple):
    """slopes: (j,) of a band's detail on that of others. explained and left: (h, w) what they say of it one step
    coarser, and what they leave over, 0 = missing."""

    slopes: Array
    explained: Array
    left: Array


def _regression(band: Array, others: Array, spreading: Spreading) -> Regression | None:
    """Of ``band`` (H, W) on ``others`` (j, H, W); None where too little is seen."""
    own = _native(band, spreading)
    means = [_means(_whole(other, spreading)) for other in others]
    twice = Spreading(BILINEAR, 0, 0)
    target, predictors = _detail(own, twice), np.stack([_detail(mean, twice) for mean in means], axis=-1)
    known = np.isfinite(target) & np.isfinite(predictors).all(axis=-1)
    if known.sum() < LEAST_PLACES:
        return None
    y, x = target[known], predictors[known]
    square = x.T @ x
    square[np.diag_indices(len(square))] += RIDGE * np.trace(square) / len(square) + np.finfo(np.float64).tiny
    slopes = np.asarray(np.linalg.solve(square, x.T @ y), np.float64)
    explained, left = np.zeros(target.shape), np.zeros(target.shape)
    explained[known], left[known] = x @ slopes, y - x @ slopes
    return Regression(slopes, explained, left)


def _detail(band: Array, spreading: Spreading) -> Array:
    """``band - U B band`` (H, W)."""
    height, width = band.shape
    whole = _whole(band, spreading)
    spread = _spread(_spread(_means(whole), 0, spreading.weight), 1, spreading.weight)
    difference: Array = (whole - spread)[spreading.row :, spreading.column :][:height, :width]
    return difference


def _whole(band: Array, spreading: Spreading) -> Array:
    """``band`` with its first and last rows and columns repeated until it holds whole larger pixels."""
    before = (spreading.row, spreading.column)
    pads = [(first, (size + first) % 2) for first, size in zip(before, band.shape, strict=True)]
    return np.pad(band, pads, mode="edge")


def _means(whole: Array) -> Array:
    mean: Array = (whole[0::2, 0::2] + whole[1::2, 0::2] + (whole[0::2, 1::2] + whole[1::2, 1::2])) / 4
    return mean


def _spread(means: Array, axis: int, weight: float) -> Array:
    """Twice as many values along ``axis``; at the ends a pixel is its own neighbour."""
    values = np.moveaxis(means, axis, 0)
    before, after = np.concatenate([values[:1], values[:-1]]), np.concatenate([values[1:], values[-1:]])
    spread = np.empty((2 * len(values), *values.shape[1:]))
    spread[0::2] = (1 - weight) * values + weight * before
    spread[1::2] = (1 - weight) * values + weight * after
    return np.moveaxis(spread, 0, axis)


def _native(band: Array, spreading: Spreading) -> Array:
    """The larger pixels of which ``band`` (H, W) was spread: ``(1/2 + q) (y_0 + y_1) - q (y_-1 + y_2)`` along each
    axis, with the weight q, undoes it exactly."""
    native = _whole(band, spreading)
    for axis in (0, 1):
        values = np.moveaxis(native, axis, 0)
        before = np.concatenate([values[:1], values[1:-1:2]])
        after = np.concatenate([values[2::2], values[-1:]])
        own = (0.5 + spreading.weight) * (values[0::2] + values[1::2]) - spreading.weight * (before + after)
        native = np.moveaxis(own, 0, axis)
    return native
