"""Small seasons for the tests of kriging: a surface that moves, scenes with effects of their own, clouds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import satfusion_assets
from satfusion_assets.processing.efast import Fused

START = np.datetime64("2024-03-01")
RATIO = 4


@dataclass(frozen=True)
class Season:
    """Arguments of ``fuse`` by name, and the surface that scenes show: truth (d, b, H, W) of days 0 ... d - 1."""

    coarse: np.ndarray
    coarse_days: np.ndarray
    fine: np.ndarray
    fine_days: np.ndarray
    truth: np.ndarray
    ratio: int = RATIO

    def fuse(self, days: Any = None, **options: Any) -> Fused:
        wanted = START + np.arange(len(self.truth)) if days is None else np.atleast_1d(days)
        height, width = (size // self.ratio for size in self.fine.shape[2:])
        clear = np.full((len(self.fine), height, width), 255, np.float32)
        return satfusion_assets.fuse(
            wanted,
            self.coarse,
            self.coarse_days,
            self.fine,
            self.fine_days,
            clear,
            ratio=self.ratio,
            method="kriging",
            **options,
        )

    def replace(self, **changes: Any) -> Season:
        return replace(self, **changes)

    def of_scenes(self, chosen: Any) -> Season:
        return replace(self, fine=self.fine[chosen], fine_days=self.fine_days[chosen])


FIXED = {"gain": 0.6, "gain_spread": 0.4, "variance": 4e-4, "correlation_days": 25.0, "noise": 4e-5}
"""Hyper-parameters of which nothing is left to learn."""


def season(
    seed: int = 0,
    *,
    shape: tuple[int, int] = (3, 4),
    bands: int = 2,
    scenes: int = 16,
    days: int = 120,
    clouds: float = 0.3,
    dtype: Any = np.float64,
) -> Season:
    """A green-up that pixels follow by different amounts, on one day in ``days / scenes``."""
    rng = np.random.default_rng(seed)
    height, width = shape
    time = np.arange(days)
    course = 0.1 / (1 + np.exp(-(time - days / 2) / 8))
    fine_shape = (bands, height * RATIO, width * RATIO)
    level, share = rng.uniform(0.05, 0.3, fine_shape), rng.uniform(0, 1.6, fine_shape)
    truth = level + share * course[:, None, None, None]
    coarse = truth.reshape(days, bands, height, RATIO, width, RATIO).mean(axis=(3, 5))
    coarse = coarse + rng.normal(0, 0.002, coarse.shape)
    seen = np.sort(rng.choice(days, scenes, replace=False))
    fine = truth[seen] + rng.normal(0, 0.004, (scenes, bands, 1, 1)) + rng.normal(0, 0.001, (scenes, *fine_shape))
    fine = np.where(rng.random((scenes, 1, *fine_shape[1:])) < clouds, np.nan, fine)
    return Season(coarse.astype(dtype), START + time, fine.astype(dtype), START + seen, truth)
