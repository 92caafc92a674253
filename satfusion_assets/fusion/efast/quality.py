"""How each fused value came about: layers beside the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.operands import Layers
from satfusion_assets.fusion.efast.tallies import NO_SCENE
from satfusion_assets.fusion.efast.uncertainty import ErrorModel

__all__ = ["NO_SCENE", "Quality", "TakeRows"]

TakeRows = Callable[[int, NDArray[Any], Layers], None]
"""Who takes some rows of a season as they are computed: the first one's number, values (p, b, r, W), and the layers of
them. So a season can be had in a smaller type without having been there in its own. Several threads may call it; the
arrays are used again after that."""


@dataclass(frozen=True)
class Quality:
    """Layers of the days of one ``Fused``.

    days_to_scene: (p, H, W) uint8, days to the nearest scene with weight and value there, ``NO_SCENE`` without any.
    effective_scenes: (p, H, W) float32, ``(sum w)^2 / sum w^2``, 0 without any.
    coarse_support: (p, h, w) uint8, ``CoarseSupport``. An estimate over a coarse pixel of support NONE rests on the
    finite coarse pixels beside it.
    standard_deviation: (p, b, H, W) float32, of estimate minus true surface; NaN where there is no estimate or too few
    scenes to learn from. Around a scene, the variance ``error_model.scene_noise`` of that scene comes on top.
    """

    days_to_scene: NDArray[np.uint8]
    effective_scenes: NDArray[np.float32]
    coarse_support: NDArray[np.uint8]
    standard_deviation: NDArray[np.float32]
    error_model: ErrorModel
