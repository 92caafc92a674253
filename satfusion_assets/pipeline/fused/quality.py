"""Quality layers on disk: one compact raster a season and layer, a band per day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.quality import Quality
from satfusion_assets.fusion.kriging import Hyperparameters, KrigingQuality
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.store import Draft
from satfusion_assets.store.layers import layer_type
from satfusion_assets.vocabulary.grid import SiteGrid
from satfusion_assets.vocabulary.scenarios import CHANNELS

LEARNED: Final = ("gain", "gain_spread", "variance", "correlation_days")
"""Hyper-parameters of kriging that have one number a channel."""


def learned(settings: Hyperparameters, channels: Sequence[str]) -> dict[str, Any]:
    """Hyper-parameters for people: what the season taught, by channel."""
    by_channel = {name: dict(zip(channels, getattr(settings, name).tolist(), strict=True)) for name in LEARNED}
    return {"scenes": settings.scenes, "smoothing_days": settings.smoothing_days, **by_channel}


def noise_of_scenes(
    variance: NDArray[np.float64], scene_days: NDArray[np.datetime64], channels: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """Standard deviation of each scene's noise by day and channel, null where it is unknown.

    variance: (n, b) of ``scene_days`` (n,); it comes on top of a fused value's own where a scene is compared with it.
    """
    deviations = np.sqrt(variance)
    return {
        str(day): {
            channel: float(f"{noise:.4g}") if np.isfinite(noise) else None
            for channel, noise in zip(channels, row, strict=True)
        }
        for day, row in zip(scene_days, deviations, strict=True)
    }


def write_quality(
    draft: Draft,
    layout: FusedLayout,
    grid: SiteGrid,
    days: Sequence[date],
    scene_days: NDArray[np.datetime64],
    quality: Quality,
) -> None:
    """``quality/*.tif`` beside the fused images; band descriptions are the days, with the channel where there are
    several. ``coarse_support`` lies on the coarse grid, everything else on the fine one.

    scene_days: (n,) in the order in which the scenes were given to the method.
    """
    stamps = [day.isoformat() for day in days]
    channels = CHANNELS[layout.scenario.mode]
    deviation = quality.standard_deviation.reshape(-1, *quality.standard_deviation.shape[2:])
    layers: dict[str, tuple[NDArray[Any], list[str]]] = {
        "days_to_scene": (quality.days_to_scene, stamps),
        "effective_scenes": (quality.effective_scenes, stamps),
        "coarse_support": (quality.coarse_support, stamps),
        "standard_deviation": (deviation, [f"{stamp} {channel}" for stamp in stamps for channel in channels]),
    }
    noise = quality.error_model.scene_noise
    draft.write_json(layout.scene_noise, noise_of_scenes(noise, scene_days, channels))
    if isinstance(quality, KrigingQuality):
        layers["support"] = (quality.support, stamps)
        draft.write_json(layout.hyperparameters, learned(quality.hyperparameters, channels))
    for name, (values, descriptions) in layers.items():
        stored_as = layer_type(name)
        geobox = grid.coarse if name == "coarse_support" else grid.fine
        draft.write_raster(
            layout.quality(name),
            stored_as.encode(name, values),
            geobox,
            nodata=stored_as.missing,
            scale=stored_as.step,
            descriptions=descriptions,
        )
