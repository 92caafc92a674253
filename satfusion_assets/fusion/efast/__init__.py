"""EFAST: clear fine images on any day from cloudy fine and daily coarse images.

Senty et al. 2024, "Fast Fusion of Sentinel-2 and Sentinel-3 Time Series over Rangelands", Remote Sensing 16, 1833
(doi 10.3390/rs16111833), eq. 2:

    F(t) = U(C(t)) + sum_i U(w_i) (F_i - U(C(t_i))) / sum_i U(w_i)

with fine images F_i on days t_i, coarse values C interpolated in time, bilinear upsampling U, and weights w_i that
fall with the days and with the nearness of clouds.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from satfusion_assets.fusion.efast.conformance import fuse_like_the_package
from satfusion_assets.fusion.efast.fused import Fused, Status
from satfusion_assets.fusion.efast.inputs import Parameters, check_images, day_numbers
from satfusion_assets.fusion.efast.plan import FusionPlan

__all__ = ["Fused", "FusionPlan", "Parameters", "Status", "check_images", "fuse"]


def fuse(
    prediction_days: ArrayLike,
    coarse: ArrayLike,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    *,
    ratio: int,
    sigma: float = 20.0,
    max_days: float = 30,
    cloud_distance_limit: float = 15.0,
    minimum_acquisition_importance: float = 0.0,
    conformance: bool = False,
) -> Fused:
    """Fused images of ``prediction_days``.

    prediction_days: (p,) datetime64[D], any order. coarse: (t, b, h, w) reflectance, NaN or 0 = missing; coarse_days:
    (t,) ascending. fine: (n, b, h * ratio, w * ratio) reflectance, NaN = missing; fine_days: (n,) may repeat and be
    unsorted. cloud_distance: (n, h, w) coarse pixels from the nearest cloud, 0 = cloud.

    Other arguments: ``Parameters``. ``conformance`` evaluates every step as the authors' package does, with zeros in
    the first fine band as nodata and zeros in coarse as data. The inputs are never modified.

    Raises ValueError, naming the argument, for shapes that do not fit, repeated or unsorted ``coarse_days`` and
    parameters out of range. A day without images is a ``status``, not an error.
    """
    parameters = Parameters(ratio, sigma, max_days, cloud_distance_limit, minimum_acquisition_importance)
    images = check_images(coarse, coarse_days, fine, fine_days, cloud_distance, parameters.ratio)
    if conformance:
        return fuse_like_the_package(day_numbers(prediction_days, "prediction_days"), images, parameters)
    return FusionPlan(images).fuse(prediction_days, parameters)
