"""A season's fusion prepared once: what days, weights and modes of prediction share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.fusion.efast import kernels
from satfusion_assets.fusion.efast.assessment import KEPT_ROWS, Rooms, assess, study
from satfusion_assets.fusion.efast.coarse import coarse_on, coarse_support
from satfusion_assets.fusion.efast.compiled import over_strips
from satfusion_assets.fusion.efast.fused import Begin, Fused, FusedRows, Status
from satfusion_assets.fusion.efast.inputs import Images, Parameters, day_numbers
from satfusion_assets.fusion.efast.operands import BlendGrid, Sources
from satfusion_assets.fusion.efast.uncertainty import ErrorModel
from satfusion_assets.fusion.efast.upsampling import coarse_grid
from satfusion_assets.fusion.efast.weights import SceneWeights, scene_weights
from satfusion_assets.fusion.efast.windows import DayNumbers, windows


@dataclass(frozen=True)
class FusionPlan:
    """Images of one area, ready to be fused for any days and parameters.

    The coarse values on the scenes' days are formed once and serve every call of ``fuse``. ``top`` and ``left``:
    fine pixels by which the coarse grid begins before the fine one (the halo of a block; 0 for a whole area).
    """

    images: Images
    top: int = 0
    left: int = 0
    threads: int | None = None
    error_model: ErrorModel | None = None
    """Learned from a larger area; None = from the plan's own scenes when quality layers are asked for."""

    def grid(self, ratio: int, dtype: np.dtype[Any]) -> BlendGrid:
        return coarse_grid(ratio, self.top, self.left, dtype)

    @cached_property
    def coarse_then(self) -> NDArray[np.floating[Any]]:
        """``C(t_i)``: coarse values (n, b, h, w) on the scenes' days."""
        return coarse_on(self.images.fine_days, self.images.coarse, self.images.coarse_days)

    def fuse(self, prediction_days: ArrayLike, parameters: Parameters) -> Fused:
        """Fused images of ``prediction_days`` (Senty et al. 2024, eq. 2)."""
        days = day_numbers(prediction_days, "prediction_days")
        images = self.images
        values = np.empty((len(days), images.bands, *images.fine.shape[2:]), images.dtype)
        weights = scene_weights(days, images, parameters)
        now, support = self._coarse_now(days, parameters)
        self.blend(now, weights, parameters.ratio, values)
        return Fused(
            values,
            self._status(days, parameters, support),
            lambda: assess(self, days, parameters, weights, values),
        )

    def fuse_rows(self, prediction_days: ArrayLike, parameters: Parameters, begin: Begin) -> FusedRows:
        """As ``fuse`` with its quality layers, the same numbers, handed over a few rows at a time: those of one row of
        coarse pixels before those of the next, so that who wants these together has one row of them open.
        """
        days = day_numbers(prediction_days, "prediction_days")
        weights = scene_weights(days, self.images, parameters)
        now, support = self._coarse_now(days, parameters)
        sources, cells = self._sources(now, weights, parameters.ratio), _incomplete_cells(now, self.coarse_then)
        studied, model = study(self, days, parameters, weights)
        bands, height, width = self.images.fine.shape[1:]
        cells_begin = cells[:, 2] * parameters.ratio + parameters.ratio // 2 - self.top
        status = self._status(days, parameters, support)
        take = begin(status)
        rooms = Rooms((len(days), bands, KEPT_ROWS, width), self.images.dtype)

        def fuse_some(first: int, last: int) -> None:
            values, layers = rooms.of(last - first)
            kernels.blend(sources, first, last, first, values)
            here = (cells_begin < last) & (cells_begin + parameters.ratio > first)
            kernels.reblend_cells(sources, cells[here], first, values)
            studied.assess(values, first, last, first, layers)
            take(first, values, layers)

        for top in range(0, height, parameters.ratio):
            over_strips(fuse_some, min(top + parameters.ratio, height), KEPT_ROWS, self.threads, top)
        return FusedRows(status, support.min(axis=1), model)

    def blend(self, now: NDArray[Any], weights: SceneWeights, ratio: int, values: NDArray[np.floating[Any]]) -> None:
        """Fill ``values`` (p, b, H, W) with eq. 2, from coarse values ``now`` (p, b, h, w) on the prediction days."""
        sources = self._sources(now, weights, ratio)
        over_strips(
            lambda first, last: kernels.blend(sources, first, last, 0, values), values.shape[2], ratio, self.threads
        )
        cells = _incomplete_cells(now, self.coarse_then)
        if len(cells):
            over_strips(
                lambda first, last: kernels.reblend_cells(sources, cells[first:last], 0, values),
                len(cells),
                64,
                self.threads,
            )

    def _sources(self, now: NDArray[Any], weights: SceneWeights, ratio: int) -> Sources:
        images = self.images
        grid = self.grid(ratio, images.dtype)
        return Sources(images.fine, images.order, self.coarse_then, now, weights.packed, grid)

    def _coarse_now(self, days: DayNumbers, parameters: Parameters) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Coarse values (p, b, h, w) on ``days``, NaN where nothing supports one, and what supports them."""
        images = self.images
        support = coarse_support(days, images.coarse, images.coarse_days, parameters.coarse_reach)
        now = coarse_on(days, images.coarse, images.coarse_days)
        now[support == 0] = np.nan
        return now, support

    def _status(self, days: DayNumbers, parameters: Parameters, support: NDArray[np.uint8]) -> tuple[Status, ...]:
        images = self.images
        has_weight = [bool((images.cloud_distance[i] > 1).any()) and _any_finite(images.fine[i]) for i in images.order]
        supported: NDArray[np.bool_] = np.any(support > 0, axis=(1, 2, 3))
        scenes = windows(days, images.fine_days[has_weight], parameters.max_days).sizes
        return tuple(
            Status.NO_COARSE if not c else Status.NO_FINE if not f else Status.OK
            for c, f in zip(supported, scenes, strict=True)
        )


def _any_finite(image: NDArray[np.floating[Any]]) -> bool:
    return any(bool(np.isfinite(row).any()) for band in image for row in band)


def _incomplete_cells(now: NDArray[Any], then: NDArray[Any]) -> NDArray[np.int64]:
    """(c, 4) day, band, row, column of the cells with some, but not all, of the coarse pixels known on scene days."""
    if not len(then):
        return np.empty((0, 4), np.int64)
    pad = ((0, 0), (0, 0), (1, 1), (1, 1))
    here = np.pad(np.isfinite(now), pad, mode="edge")
    known = np.pad(np.isfinite(then[:1]), pad, mode="edge")

    def corners(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.stack([mask[..., :-1, :-1], mask[..., :-1, 1:], mask[..., 1:, :-1], mask[..., 1:, 1:]])

    lacking = (corners(known) & ~corners(here)).any(axis=0)
    cells = np.argwhere(lacking & corners(here).any(axis=0))
    cells[:, 2:] -= 1
    return cells.astype(np.int64)
