"""What the Sentinel-2 processor gets wrong in some scenes, and flags in none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from satfusion_assets.sandbox.effects import Effects
from satfusion_assets.sandbox.geometry import generator

UNCERTAINTY: Final = (0.05, 0.005)
"""Relative and absolute part of the uncertainty to which surface reflectance is held, one standard deviation (Doxani
et al. 2018, Remote Sens. 10, 352)."""
STRETCH_SHARE: Final = 0.05
"""Part of the scenes whose stretch is wrong, and their error in such standard deviations: beyond two lie 5 % of a
normal distribution."""
STRETCH_SIZE: Final = (2.0, 3.0)
HAZE_SHARE: Final = 0.10
"""Part of the scenes with haze left in them: an assumption, no count is published."""
HAZE_DEPTH: Final = (0.10, 0.20)
"""Optical depth left: retrieved and measured depth differ by about 0.1 to 0.2 of RMS (Doxani et al. 2018)."""


@dataclass(frozen=True)
class Slip:
    """What is wrong in one scene: reflectance is multiplied by ``gain``, raised by ``bias``, veiled by ``haze``."""

    gain: float = 1.0
    bias: float = 0.0
    haze: float = 0.0


def slip(effects: Effects, *key: int | str) -> Slip:
    """The slip of the scene of ``key``."""
    gain, bias, haze = 1.0, 0.0, 0.0
    if effects.stretch:
        rng = generator(*key, "stretch")
        if rng.random() < STRETCH_SHARE:
            size = float(rng.uniform(*STRETCH_SIZE) * rng.choice([-1, 1]))
            gain, bias = 1 + UNCERTAINTY[0] * size, UNCERTAINTY[1] * size
    if effects.residual_haze:
        rng = generator(*key, "residual haze")
        if rng.random() < HAZE_SHARE:
            haze = float(rng.uniform(*HAZE_DEPTH))
    return Slip(gain, bias, haze)
