"""What the kernels take: bundles of arrays, as tuples that compiled code can unpack."""

from __future__ import annotations

from typing import Any, NamedTuple


class BlendGrid(NamedTuple):
    """How coarse (h', w') and fine (H, W) pixels lie to each other.

    The coarse grid begins ``top`` and ``left`` fine pixels before the fine one. fractions: weights of the second
    coarse centre at the ``ratio`` fine pixels of a cell, filled up to a multiple of ``LANES``.
    """

    ratio: int
    top: int
    left: int
    fractions: Any


class Weights(NamedTuple):
    """Weights (k, h', w') of scenes: those of day p begin at ``offsets[p]``, for scenes ``first[p]:last[p]``."""

    values: Any
    offsets: Any
    first: Any
    last: Any


class Sources(NamedTuple):
    """What a blend is made of.

    fine: (n, b, H, W), scene s of the sorted days at ``order[s]``. coarse_then: (n, b, h', w') on scene days.
    coarse_now: (p, b, h', w') on prediction days.
    """

    fine: Any
    order: Any
    coarse_then: Any
    coarse_now: Any
    weights: Weights
    grid: BlendGrid


class SceneEvidence(NamedTuple):
    """What scenes say of each other, sorted by day.

    fine, order, coarse_then: as in ``Sources``. left_out: weights with which the others predict each scene. shared:
    (n, h', w') sums of their squares. typical: (b,) squared error of a scene of which nothing is known.
    """

    fine: Any
    order: Any
    coarse_then: Any
    left_out: Weights
    shared: Any
    typical: Any
    grid: BlendGrid


class DayEvidence(NamedTuple):
    """What prediction days add to it.

    lags: (p, n) ``t_i - t`` in days. noise: (p, b, h', w') coarse variance that reaches the fine pixels. drift: (b,).
    values: (p, b, r, W) the estimates, of some rows or all. corners: (p, 21, h', w') sums over scenes at coarse
    centres (``tallies``).
    """

    lags: Any
    noise: Any
    drift: Any
    values: Any
    weights: Weights
    corners: Any


class Layers(NamedTuple):
    """days_to_scene and effective_scenes (p, H, W), standard_deviation (p, b, H, W), as in ``Quality``."""

    days_to_scene: Any
    effective_scenes: Any
    standard_deviation: Any
