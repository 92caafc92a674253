"""What the kernels take: bundles of arrays, as tuples that compiled code can unpack."""

from __future__ import annotations

from typing import Any, NamedTuple


class Strip(NamedTuple):
    """An area, and the drift of some of its rows.

    fine: (n, b, H, W) in the order given, scene s of the sorted days at ``order[s]``. usable: (n, H, W) in the order
    given, false where a value is not of the ground (snow). unknown: (b, H, W) variance of detail that is part of every
    day's error. drift_then and drift_now: coarse series c on r rows of fine
    pixels, on sorted scene days (n, b, r, W) and prediction days (p, b, r, W), 0 where there is none.
    """

    fine: Any
    order: Any
    usable: Any
    unknown: Any
    drift_then: Any
    drift_now: Any


class Prior(NamedTuple):
    """The model's constants, scenes sorted by day, in the type of the images.

    gain and gain_precision: (b,) of g. variance: (b,) of r. kinds: (k,) factors of it that pixels may have, and shares:
    (b, k) how often they do. correlation: (b, n) of r between a scene day and the one before. noise: (n, b) variance of
    a pixel's value, infinite = no part. offset: (n, b) the scene's own effect, and contrast: (n, b) its
    part in proportion to a pixel's level about ``centre`` (b,). freedom: degrees of freedom of the
    Student t of values.
    """

    gain: Any
    gain_precision: Any
    variance: Any
    kinds: Any
    shares: Any
    correlation: Any
    noise: Any
    offset: Any
    contrast: Any
    centre: Any
    freedom: Any


class Bridges(NamedTuple):
    """r on prediction days from its values on the scene days around them.

    before and after: (p,) scenes, the same where there is only one side or the day is a scene's. ahead and behind:
    (p, b) their coefficients. remainder: (p, b) what is left of the variance of r, as its share. common: (p, b)
    variance of the error that all pixels share, from the scenes' effects. factor: (p, b) of the variance of what a
    pixel has to itself, by the season.
    """

    before: Any
    after: Any
    ahead: Any
    behind: Any
    remainder: Any
    common: Any
    factor: Any


class Surface(NamedTuple):
    """values and deviation: (p, b, H, W)."""

    values: Any
    deviation: Any
