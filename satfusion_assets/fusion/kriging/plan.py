"""A season's kriging prepared once: what days, blocks and strips share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.fusion.efast.blocks import Block, cut
from satfusion_assets.fusion.efast.compiled import over_strips
from satfusion_assets.fusion.efast.fused import Fused, Status
from satfusion_assets.fusion.efast.inputs import Images, day_numbers
from satfusion_assets.fusion.efast.upsampling import coarse_grid, upsample
from satfusion_assets.fusion.kriging import hyperparameters as defaults
from satfusion_assets.fusion.kriging import kernels
from satfusion_assets.fusion.kriging.bridges import bridges, correlations
from satfusion_assets.fusion.kriging.drift import CHOICES, SMOOTHING_DAYS, on_rows, smoothed
from satfusion_assets.fusion.kriging.hyperparameters import Hyperparameters
from satfusion_assets.fusion.kriging.learning import Learned, learn
from satfusion_assets.fusion.kriging.operands import Prior, Strip, Surface
from satfusion_assets.fusion.kriging.quality import assess
from satfusion_assets.fusion.kriging.sample import Sample
from satfusion_assets.fusion.kriging.season_factor import on_days
from satfusion_assets.fusion.kriging.surface_filter import SurfaceFilter, common_change, levels
from satfusion_assets.fusion.kriging.surface_learning import learn_shares
from satfusion_assets.fusion.kriging.weights import common_covariance

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
    (t, h, w), true where the coarse series sees snow; those values are no drift. centre: of the drift, of a larger
    area. unknown: (b, H, W) variance of the detail that nobody knows (``detail``); None = 0. top and left: fine pixels
    by which the coarse grid begins before the fine one.
    """

    images: Images
    ratio: int
    hyperparameters: Hyperparameters
    usable: NDArray[np.bool_] | None = None
    coarse_snow: NDArray[np.bool_] | None = None
    centre: NDArray[np.float64] | None = None
    unknown: NDArray[np.floating[Any]] | None = None
    top: int = 0
    left: int = 0
    threads: int | None = None

    def block(self, block: Block) -> KrigingPlan:
        """The plan of a part of the area, with what was learned from the whole: its numbers are equal bit for bit."""
        rows, columns = block.fine(self.ratio)
        above, beside = block.halo
        return replace(
            self,
            images=cut(self.images, block, self.ratio),
            usable=None if self.usable is None else self.usable[:, rows, columns],
            coarse_snow=None if self.coarse_snow is None else self.coarse_snow[:, block.wide_rows, block.wide_columns],
            centre=self.drift_centre[..., block.wide_rows, block.wide_columns],
            unknown=None if self.unknown is None else self.unknown[:, rows, columns],
            top=self.top + above * self.ratio,
            left=self.left + beside * self.ratio,
        )

    @cached_property
    def drift_centre(self) -> NDArray[np.float64]:
        """Mean of c over the scene days (b, h, w), 0 where there is none; taken off c for the sake of rounding."""
        if self.centre is not None:
            return self.centre
        then = self.drift(self.images.fine_days)
        known = np.isfinite(then)
        return np.where(known, then, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)

    def drift(self, days: Days) -> NDArray[np.float64]:
        """c (d, b, h, w) on ``days``, NaN where a coarse pixel never saw the ground."""
        coarse = ground(self.images.coarse, self.coarse_snow)
        return smoothed(coarse, self.images.coarse_days, days, self.hyperparameters.smoothing_days)

    def fuse(self, prediction_days: ArrayLike) -> Fused:
        """Mean and standard deviation of ``prediction_days``."""
        days = day_numbers(prediction_days, "prediction_days")
        made = self.surface(days)
        return Fused(made.values, self.status(days), lambda: assess(self, days, made.deviation))

    def surface(self, days: Days) -> Surface:
        """The same without what else ``fuse`` can tell of them."""
        images = self.images
        values = np.empty((len(days), images.bands, *images.fine.shape[2:]), images.dtype)
        made = Surface(values, np.empty(values.shape, np.float32))
        if len(images.fine):
            self._fill(days, made)
        else:
            made.values[:], made.deviation[:] = np.nan, np.nan
        return made

    def _fill(self, days: Days, out: Surface) -> None:
        images, settings = self.images, self.hyperparameters
        then, now = self.drift(images.fine_days), self.drift(days)
        centre = self.drift_centre
        common = common_covariance(days, images.fine_days, settings, images.order)
        own = np.diagonal(common, axis1=1, axis2=2)
        factor = on_days(days, images.fine_days, settings.season_factor[images.order])
        between = bridges(days, images.fine_days, settings.correlation_days, own, factor, images.dtype)
        prior = self.prior()
        usable = np.broadcast_to(np.bool_(True), images.fine[:, 0].shape) if self.usable is None else self.usable
        width = images.fine.shape[3]
        unknown = np.zeros(images.fine.shape[1:], images.dtype) if self.unknown is None else self.unknown

        def task(first: int, last: int) -> None:
            drift_then, drift_now = (
                on_rows(series, self.ratio, self.top, self.left, np.arange(first, last), width)
                for series in ((then - centre).astype(images.dtype), (now - centre).astype(images.dtype))
            )
            strip = Strip(images.fine, images.order, usable, np.ascontiguousarray(unknown), drift_then, drift_now)
            kernels.krige(strip, prior, between, first, last, out)

        over_strips(task, out.values.shape[2], STRIP, self.threads)

    def prior(self) -> Prior:
        """The constants as the kernels take them, scenes sorted by day, in the type of the images."""
        settings, order, dtype = self.hyperparameters, self.images.order, self.images.dtype
        constants = {
            "gain": settings.gain,
            "gain_precision": 1 / np.maximum(settings.gain_spread, LEAST_GAIN_SPREAD) ** 2,
            "variance": settings.variance,
            "kinds": settings.kinds,
            "shares": settings.shares,
            "correlation": correlations(self.images.fine_days, settings.correlation_days),
            "noise": settings.noise[order],
            "offset": settings.offset[order],
            "contrast": settings.contrast[order],
            "centre": settings.centre,
        }
        typed = {name: constant.astype(dtype) for name, constant in constants.items()}
        return Prior(**typed, freedom=dtype.type(settings.freedom))

    @cached_property
    def has_drift(self) -> bool:
        """Whether any coarse pixel ever saw the ground."""
        return bool(np.isfinite(ground(self.images.coarse, self.coarse_snow)).any())

    def status(self, days: Days) -> tuple[Status, ...]:
        """Whether each day could be predicted at all."""
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
    smoothing_days: float | None = None,
) -> Learned:
    """Hyper-parameters of an area, from a lattice of its pixels; one scene a day (``acquisitions``)."""
    coarse = ground(images.coarse, coarse_snow)
    widths = (CHOICES if smoothing_days is None else (smoothing_days,)) if np.isfinite(coarse).any() else ()
    start = SMOOTHING_DAYS if smoothing_days is None else smoothing_days
    return learn(_sample(images, ratio, usable, coarse, widths, start))


def learn_surface(
    images: Images, ratio: int, usable: NDArray[np.bool_] | None = None, coarse_snow: NDArray[np.bool_] | None = None
) -> SurfaceFilter | None:
    """What the coarse series says of the surface of an area, from the same lattice; None = its bands as they are."""
    coarse = ground(images.coarse, coarse_snow)
    if images.bands < 2 or not len(images.fine) or not np.isfinite(coarse).any(axis=(0, 2, 3)).all():
        return None
    change = common_change(coarse)
    apart = coarse - change[:, :, None, None].astype(coarse.dtype)
    sample = _sample(images, ratio, usable, apart, (SMOOTHING_DAYS,), SMOOTHING_DAYS)
    then = smoothed(change[..., None, None], images.coarse_days, images.fine_days, SMOOTHING_DAYS)[..., 0, 0]
    shares = learn_shares(sample, then)
    if shares is None:
        return None
    offset = shares.level - np.nanmean(levels(coarse, change), axis=(1, 2))
    return SurfaceFilter(images.coarse_days, change, shares.common, shares.places, offset)


def surface_of(images: Images, surface: SurfaceFilter, coarse_snow: NDArray[np.bool_] | None) -> Images:
    """``images`` with the surface in the place of the coarse series; under snow, which is no surface, as they were.

    ValueError where the filter is of other days.
    """
    if not np.array_equal(surface.days, images.coarse_days):
        raise ValueError("hyperparameters are of coarse images of other days than those of the images.")
    coarse = surface.surface(ground(images.coarse, coarse_snow))
    if coarse_snow is not None:
        coarse = np.where(coarse_snow[:, None], images.coarse, coarse)
    return replace(images, coarse=coarse)


def _sample(
    images: Images,
    ratio: int,
    usable: NDArray[np.bool_] | None,
    coarse: NDArray[np.floating[Any]],
    widths: Sequence[float],
    start: float,
) -> Sample:
    """What the lattice's pixels saw, with ``coarse`` smoothed over each of ``widths`` days; ``start`` counts first."""
    rows, columns = (lattice(size) for size in images.fine.shape[2:])
    seen = images.fine[images.order][:, :, rows][..., columns].astype(np.float64)
    if usable is not None:
        seen = np.where(usable[images.order][:, rows][..., columns][:, None], seen, np.nan)
    days = images.fine_days
    n, bands = len(days), images.bands
    values = seen.reshape(n, bands, -1)
    drifts = {}
    for smoothing in widths:
        series = smoothed(coarse, images.coarse_days, days, smoothing)
        fine = upsample(series, coarse_grid(ratio, 0, 0, np.dtype(np.float64)), rows, images.fine.shape[3])
        drifts[smoothing] = np.nan_to_num(fine[..., columns].reshape(n, bands, -1)).transpose(1, 2, 0).copy()
    return Sample(days.astype(np.float64), values.transpose(1, 2, 0).copy(), drifts, start)


def acquisitions(images: Images, usable: NDArray[np.bool_] | None) -> tuple[Images, NDArray[np.bool_] | None]:
    """One scene a day, sorted: the mean of a day's scenes, where several are.

    A sun-synchronous satellite passes once a day, so they are tiles or processings of one acquisition, whose noise they
    share. What is ``usable`` (n, H, W) of them goes into the mean.
    """
    days, first, place = np.unique(images.fine_days, return_index=True, return_inverse=True)
    if len(days) == len(images.fine_days):
        return images, usable
    total = np.zeros((len(days), *images.fine.shape[1:]), np.float64)
    count = np.zeros(total.shape, np.uint16)
    for day, scene in zip(place, images.order, strict=True):
        known = np.isfinite(images.fine[scene])
        if usable is not None:
            known &= usable[scene]
        total[day] += np.where(known, images.fine[scene], 0)
        count[day] += known
    with np.errstate(invalid="ignore"):
        mean = (total / count).astype(images.dtype)
    merged = replace(
        images,
        fine=mean,
        fine_days=days,
        order=np.arange(len(days)),
        cloud_distance=images.cloud_distance[images.order[first]],
    )
    return merged, None


def of_scenes(learned: Learned, images: Images) -> Hyperparameters:
    """What was learned by day, as ``Hyperparameters`` of the scenes in the order given, one a day."""
    as_given = np.argsort(images.order)
    models = np.array(learned.models)
    n, bands = len(images.fine), images.bands
    covariance = learned.effects.covariance.reshape(n, bands, n, bands)
    return Hyperparameters(
        gain=models[:, 2],
        gain_spread=models[:, 3],
        variance=models[:, 1],
        correlation_days=models[:, 0],
        kinds=np.array(defaults.KINDS),
        shares=learned.shares,
        noise=learned.noise.T[as_given],
        offset=learned.effects.offset[as_given],
        contrast=learned.contrast[as_given],
        centre=learned.centre,
        offset_covariance=covariance[as_given][:, :, as_given],
        season_factor=learned.season_factor[as_given],
        freedom=defaults.FREEDOM,
        band_correlation=learned.band_correlation,
        smoothing_days=learned.smoothing_days,
        scenes=learned.days,
    )
