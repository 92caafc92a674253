"""Small stacks of images for the tests of the fusion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from satfusion_assets.fusion.efast import Fused, fuse

DAY = np.datetime64("2024-06-15")
RATIO = 4


@dataclass(frozen=True)
class Stack:
    """Arguments of ``fuse`` by name."""

    coarse: np.ndarray
    coarse_days: np.ndarray
    fine: np.ndarray
    fine_days: np.ndarray
    cloud_distance: np.ndarray
    ratio: int = RATIO

    def fuse(self, days: Any = DAY, **options: Any) -> Fused:
        return fuse(
            np.atleast_1d(days),
            self.coarse,
            self.coarse_days,
            self.fine,
            self.fine_days,
            self.cloud_distance,
            ratio=self.ratio,
            **options,
        )

    def replace(self, **changes: Any) -> Stack:
        return replace(self, **changes)

    def of_scenes(self, chosen: np.ndarray) -> Stack:
        """The same stack with the ``chosen`` scenes only, in that order."""
        return replace(
            self,
            fine=self.fine[chosen],
            fine_days=self.fine_days[chosen],
            cloud_distance=self.cloud_distance[chosen],
        )

    def cut(self, rows: slice, columns: slice) -> Stack:
        """The same stack over a smaller area, given in coarse pixels."""
        fine_rows, fine_columns = (slice(s.start * self.ratio, s.stop * self.ratio) for s in (rows, columns))
        return replace(
            self,
            coarse=self.coarse[..., rows, columns],
            fine=self.fine[..., fine_rows, fine_columns],
            cloud_distance=self.cloud_distance[..., rows, columns],
        )


def constant(value: float = 0.2, *, shape: tuple[int, int] = (4, 5), bands: int = 2, scenes: int = 5) -> Stack:
    """Both sensors see ``value`` everywhere; coarse daily, fine every 10 days around DAY, no clouds."""
    height, width = shape
    coarse_days = DAY + np.arange(-60, 61)
    fine_days = DAY + 10 * (np.arange(scenes) - scenes // 2) + 1
    return Stack(
        np.full((len(coarse_days), bands, height, width), value, np.float32),
        coarse_days,
        np.full((scenes, bands, height * RATIO, width * RATIO), value, np.float32),
        fine_days,
        np.full((scenes, height, width), 16, np.float32),
    )


def random(seed: int, **options: Any) -> Stack:
    """Noise around a spatial pattern, partly cloudy: nothing about it is regular."""
    stack = constant(**options)
    rng = np.random.default_rng(seed)

    def noisy(array: np.ndarray) -> np.ndarray:
        return (array + rng.normal(0, 0.03, array.shape)).astype(np.float32)

    return stack.replace(
        coarse=noisy(stack.coarse),
        fine=noisy(stack.fine),
        cloud_distance=rng.uniform(0, 20, stack.cloud_distance.shape).astype(np.float32),
    )
