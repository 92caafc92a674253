"""What a sample of pixels saw, which is what is learned from, and what its scenes say before anything is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging import hyperparameters as defaults
from satfusion_assets.fusion.kriging.folds import Model, scene_equations
from satfusion_assets.fusion.kriging.scene_effects import SceneEffects, scene_effects
from satfusion_assets.fusion.kriging.scene_noise import LEAST_SEEN, wide

Array = NDArray[np.float64]

SAME: Final = 1e-6
"""Of a band's mean: what 32-bit numbers cannot tell apart."""
INDEPENDENT_PIXELS: Final = 10.0
"""How many pixels a sample is worth: neighbours and covers change alike."""


@dataclass(frozen=True)
class Sample:
    """What a sample of k pixels saw on n days, ascending and unique.

    days: (n,). values: (b, k, n), NaN = missing. drifts: (b, k, n) by the days over which the coarse series is
    smoothed; none = no coarse series at all. smoothing_days: which of them counts.
    """

    days: Array
    values: Array
    drifts: Mapping[float, Array]
    smoothing_days: float

    @property
    def drift(self) -> Array | None:
        return self.drifts.get(self.smoothing_days)

    @property
    def telling(self) -> NDArray[np.bool_]:
        """Days (n,) on which at least ``LEAST_SEEN`` of the pixels were seen."""
        telling: NDArray[np.bool_] = np.isfinite(self.values).all(axis=0).mean(axis=0) >= LEAST_SEEN
        return telling

    @property
    def tells_enough(self) -> bool:
        """Whether ``LEAST_SCENES`` days tell, and every band differs anywhere or at any time by more than rounding."""
        if int(self.telling.sum()) < defaults.LEAST_SCENES:
            return False
        flat = self.values.reshape(len(self.values), -1)
        return bool((np.nanstd(flat, axis=1) > SAME * np.abs(np.nanmean(flat, axis=1))).all())

    def of(self, chosen: NDArray[np.bool_]) -> Sample:
        """The sample of the ``chosen`` days (n,)."""
        drifts = {width: np.ascontiguousarray(drift[:, :, chosen]) for width, drift in self.drifts.items()}
        values = np.ascontiguousarray(self.values[:, :, chosen])
        return replace(self, days=self.days[chosen], values=values, drifts=drifts)


def effects_of(sample: Sample, models: Sequence[Model], noise: Array, shares: Array | None) -> SceneEffects:
    """What scenes add to every pixel; with shares (b, k): to a pixel of share 1, each having its own."""
    return scene_effects(sample.days, *equations_of(sample, models, noise, shares))


def equations_of(
    sample: Sample, models: Sequence[Model], noise: Array, shares: Array | None = None
) -> tuple[Array, Array]:
    """What the pixels say of a value that each scene adds to all of them: matrices (b, n, n) and right sides (b, n)."""
    equations = [
        scene_equations(
            sample.days,
            values,
            drift_of(sample, band),
            wide(noise[band], values),
            models[band],
            None if shares is None else shares[band],
        )
        for band, values in enumerate(sample.values)
    ]
    worth = INDEPENDENT_PIXELS / sample.values.shape[1]
    return np.stack([matrix for matrix, _ in equations]) * worth, np.stack([right for _, right in equations]) * worth


def start_of(values: Array, gain: tuple[float, float]) -> tuple[Model, float]:
    """Model and noise variance from which the search begins: the defaults, in the scale of the values."""
    level = np.nansum(values, axis=1) / np.maximum(np.isfinite(values).sum(axis=1), 1)
    known = np.abs(values - level[:, None])[np.isfinite(values)]
    spread = max(1.4826 * float(np.median(known)) if known.size else 0.0, 1e-4)
    return (defaults.CORRELATION_DAYS, spread**2, *gain), (defaults.NOISE_SHARE * spread) ** 2


def drift_of(sample: Sample, band: int) -> Array:
    return np.zeros_like(sample.values[band]) if sample.drift is None else sample.drift[band]
