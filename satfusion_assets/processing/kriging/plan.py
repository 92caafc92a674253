"""A season's kriging prepared once: what days, blocks and strips share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.processing.efast.compiled import over_strips
from satfusion_assets.processing.efast.fused import Fused, Status
from satfusion_assets.processing.efast.inputs import Images, day_numbers
from satfusion_assets.processing.efast.upsampling import coarse_grid, upsample
from satfusion_assets.processing.kriging import kernels
from satfusion_assets.processing.kriging.bridges import bridges, correlations
from satfusion_assets.processing.kriging.drift import SMOOTHING_DAYS, on_rows, smoothed
from satfusion_assets.processing.kriging.hyperparameters import Hyperparameters
from satfusion_assets.processing.kriging.learning import Learned, Sample, learn
from satfusion_assets.processing.kriging.operands import Bridges, Prior, Strip, Surface
from satfusion_assets.processing.kriging.quality import assess
from satfusion_assets.processing.kriging.weights import common_covariance

SAMPLE_SIDE: Final = 12
"""Pixels a side of the lattice from which hyper-parameters are learned."""
STRIP: Final = 4
"""Fine rows whose drift is held in memory at a time by each thread."""
LEAST_GAIN_SPREAD: Final = 1e-6
"""A gain that is known exactly, as far as 64 bits go."""

Days = NDArray[np.int64]


@dataclass(frozen=True)
class KrigingPlan:
    """Images of one area, ready to be predicted on any days.

    usable: (n, H, W) in the order given, false where a fine value is not of the ground; None = all are. coarse_snow:
    (t, h, w), true where the coarse series sees snow; those values are no drift. top and left: fine pixels by which the
    coarse grid begins before the fine one.
    """

    images: Images
    ratio: int
    hyperparameters: Hyperparameters
    usable: NDArray[np.bool_] | None = None
    coarse_snow: NDArray[np.bool_] | None = None
    smoothing_days: float = SMOOTHING_DAYS
    top: int = 0
    left: int = 0
    threads: int | None = None

    def drift(self, days: Days) -> NDArray[np.float64]:
        """c (d, b, h, w) on ``days``, NaN where a coarse pixel never saw the ground."""
        coarse = ground(self.images.coarse, self.coarse_snow)
        return smoothed(coarse, self.images.coarse_days, days, self.smoothing_days)

    def fuse(self, prediction_days: ArrayLike) -> Fused:
        """Mean and standard deviation of ``prediction_days``."""
        days = day_numbers(prediction_days, "prediction_days")
        images = self.images
        values = np.empty((len(days), images.bands, *images.fine.shape[2:]), images.dtype)
        deviation = np.empty(values.shape, np.float32)
        if len(images.fine):
            self._fill(days, Surface(values, deviation))
        else:
            values[:], deviation[:] = np.nan, np.nan
        return Fused(values, self._status(days), lambda: assess(self, days, deviation))

    def _fill(self, days: Days, out: Surface) -> None:
        images, settings = self.images, self.hyperparameters
        then, now = self.drift(images.fine_days), self.drift(days)
        centre = np.nan_to_num(np.nanmean(np.where(np.isfinite(then), then, np.nan), axis=0)) if then.size else 0.0
        common = common_covariance(days, images.fine_days, settings, images.order)
        own = np.diagonal(common, axis1=1, axis2=2)
        between = bridges(days, images.fine_days, settings.correlation_days, np.ascontiguousarray(own))
        prior = self.prior()
        usable = np.ones(1, bool) if self.usable is None else self.usable

        def task(first: int, last: int) -> None:
            rows = np.arange(first, last)
            width = images.fine.shape[3]
            strip = Strip(
                images.fine[:, :, first:last],
                images.order,
                np.broadcast_to(usable, (len(images.fine), images.fine.shape[2], width))[images.order, first:last]
                if usable.ndim == 1
                else usable[images.order, first:last],
                on_rows(then - centre, self.ratio, self.top, self.left, rows, width),
                on_rows(now - centre, self.ratio, self.top, self.left, rows, width),
            )
            kernels.krige(strip, prior, between, Surface(out.values[:, :, first:last], out.deviation[:, :, first:last]))

        over_strips(task, out.values.shape[2], STRIP, self.threads)

    def prior(self) -> Prior:
        """The constants as the kernels take them, scenes sorted by day."""
        settings, order = self.hyperparameters, self.images.order
        return Prior(
            settings.gain,
            1 / np.maximum(settings.gain_spread, LEAST_GAIN_SPREAD) ** 2,
            settings.variance,
            settings.kinds,
            settings.shares,
            correlations(self.images.fine_days, settings.correlation_days),
            settings.noise[order],
            settings.offset[order],
            float(settings.freedom),
        )

    @cached_property
    def has_drift(self) -> bool:
        """Whether any coarse pixel ever saw the ground."""
        return bool(np.isfinite(ground(self.images.coarse, self.coarse_snow)).any())

    def _status(self, days: Days) -> tuple[Status, ...]:
        if not np.isfinite(self.images.fine).any():
            return (Status.NO_FINE,) * len(days)
        return (Status.OK if self.has_drift else Status.NO_COARSE,) * len(days)


def ground(coarse: NDArray[np.floating[Any]], snow: NDArray[np.bool_] | None) -> NDArray[np.floating[Any]]:
    """Coarse images with NaN for what is missing (NaN or 0) or under snow."""
    missing = coarse == 0
    if snow is not None:
        missing = missing | snow[:, None]
    return np.where(missing, coarse.dtype.type(np.nan), coarse)


def lattice(size: int) -> NDArray[np.intp]:
    """Rows (or columns) of ``size`` from which hyper-parameters are learned."""
    return np.unique(np.linspace(0, size - 1, min(size, SAMPLE_SIDE) + 2).astype(np.intp)[1:-1])


def learn_from(
    images: Images,
    ratio: int,
    usable: NDArray[np.bool_] | None = None,
    coarse_snow: NDArray[np.bool_] | None = None,
    smoothing_days: float = SMOOTHING_DAYS,
) -> Learned:
    """Hyper-parameters of an area, from a lattice of its pixels; scenes of one day are one acquisition."""
    rows, columns = (lattice(size) for size in images.fine.shape[2:])
    seen = images.fine[images.order][:, :, rows][..., columns].astype(np.float64)
    if usable is not None:
        seen = np.where(usable[images.order][:, rows][..., columns][:, None], seen, np.nan)
    days, place = np.unique(images.fine_days, return_inverse=True)
    n, bands = len(days), images.bands
    known = np.isfinite(seen)
    total, count = np.zeros((n, *seen.shape[1:])), np.zeros((n, *seen.shape[1:]))
    np.add.at(total, place, np.where(known, seen, 0.0))
    np.add.at(count, place, known)
    values = np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(n, bands, -1)
    coarse = ground(images.coarse, coarse_snow)
    drift = None
    if np.isfinite(coarse).any():
        series = smoothed(coarse, images.coarse_days, days, smoothing_days)
        fine = upsample(series, coarse_grid(ratio, 0, 0, np.dtype(np.float64)), rows, images.fine.shape[3])
        drift = np.nan_to_num(fine[..., columns].reshape(n, bands, -1)).transpose(1, 2, 0).copy()
    return learn(Sample(days.astype(np.float64), values.transpose(1, 2, 0).copy(), drift))


def of_scenes(learned: Learned, images: Images) -> Hyperparameters:
    """What was learned by day, as ``Hyperparameters`` of the scenes in the order given.

    Scenes of one day share its noise: k of them have k times the variance each, so that together they count once.
    """
    from satfusion_assets.processing.kriging import hyperparameters as defaults

    _, place, repeats = np.unique(images.fine_days, return_inverse=True, return_counts=True)
    as_given = place[np.argsort(images.order)]
    models = np.array(learned.models)
    n, bands = len(images.fine), images.bands
    days = learned.noise.shape[1]
    covariance = learned.effects.covariance.reshape(days, bands, days, bands)
    return Hyperparameters(
        gain=models[:, 2],
        gain_spread=models[:, 3],
        variance=models[:, 1],
        correlation_days=models[:, 0],
        kinds=np.array(defaults.KINDS),
        shares=learned.shares,
        noise=learned.noise.T[as_given] * repeats[as_given][:, None],
        offset=learned.effects.offset[as_given].reshape(n, bands),
        offset_covariance=covariance[as_given][:, :, as_given],
        freedom=defaults.FREEDOM,
        band_correlation=learned.band_correlation,
        scenes=learned.days,
    )


__all__ = ["KrigingPlan", "learn_from", "of_scenes", "replace"]
