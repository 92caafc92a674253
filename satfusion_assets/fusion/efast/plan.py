"""A season's fusion prepared once: what days, weights and modes of prediction share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.fusion.efast import kernels
from satfusion_assets.fusion.efast.assessment import assess
from satfusion_assets.fusion.efast.coarse import coarse_on, coarse_support
from satfusion_assets.fusion.efast.compiled import over_strips
from satfusion_assets.fusion.efast.fused import Fused, Status
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
        support = coarse_support(days, images.coarse, images.coarse_days, parameters.coarse_reach)
        now = coarse_on(days, images.coarse, images.coarse_days)
        now[support == 0] = np.nan
        self.blend(now, weights, parameters.ratio, values)
        return Fused(
            values,
            self._status(days, parameters, support),
            lambda keep: assess(self, days, parameters, weights, values, keep),
        )

    def blend(self, now: NDArray[Any], weights: SceneWeights, ratio: int, values: NDArray[np.floating[Any]]) -> None:
        """Fill ``values`` (p, b, H, W) with eq. 2, from coarse values ``now`` (p, b, h, w) on the prediction days."""
        images = self.images
        grid = self.grid(ratio, images.dtype)
        sources = Sources(images.fine, images.order, self.coarse_then, now, weights.packed, grid)
        over_strips(
            lambda first, last: kernels.blend(sources, first, last, values), values.shape[2], ratio, self.threads
        )
        cells = _incomplete_cells(now, self.coarse_then)
        if len(cells):
            over_strips(
                lambda first, last: kernels.reblend_cells(sources, cells[first:last], values),
                len(cells),
                64,
                self.threads,
            )

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
