"""The platform's two methods behind one call: EFAST, and kriging with the coarse series as external drift."""

from __future__ import annotations

from typing import Any, Literal, get_args

from numpy.typing import ArrayLike

from satfusion_assets.fusion import efast
from satfusion_assets.fusion.efast import Fused
from satfusion_assets.fusion.kriging import krige

Method = Literal["efast", "kriging"]


def fuse(
    prediction_days: ArrayLike,
    coarse: ArrayLike | None,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    *,
    ratio: int,
    method: Method = "efast",
    **options: Any,
) -> Fused:
    """Fused images of ``prediction_days``, by ``method``.

    prediction_days: (p,) datetime64[D], any order. coarse: (t, b, h, w) reflectance, NaN or 0 = missing; coarse_days:
    (t,) ascending. fine: (n, b, h * ratio, w * ratio) reflectance, NaN = missing; fine_days: (n,) may repeat and be
    unsorted. cloud_distance: (n, h, w) coarse pixels from the nearest cloud.

    Options of "efast": ``efast.fuse``. Options of "kriging": ``kriging.plan``; every hyper-parameter is one of them,
    and is learned when left out. Kriging has a value for every day and pixel that was ever seen, with a deviation; its
    ``quality`` is a ``KrigingQuality``, and coarse None or without images is kriging of the scenes alone.

    Raises ValueError, naming the argument, for shapes that do not fit, constants out of range and an unknown method;
    TypeError for an option that the method does not have.
    """
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, not {method!r}.")
    images = (coarse_days, fine, fine_days, cloud_distance)
    if method == "kriging":
        return krige(prediction_days, coarse, *images, ratio=ratio, **options)
    if coarse is None:
        raise ValueError("coarse is missing, without which method 'efast' has nothing to fuse; use method 'kriging'.")
    return efast.fuse(prediction_days, coarse, *images, ratio=ratio, **options)
