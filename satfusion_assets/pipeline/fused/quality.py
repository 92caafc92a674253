"""Quality layers on disk: one pack a season, of which the season's pack has the same files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.quality import Quality
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.store import Draft
from satfusion_assets.store.layers import layer_type
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.vocabulary.grid import RATIO, SiteGrid
from satfusion_assets.vocabulary.scenarios import CHANNELS, Method

if TYPE_CHECKING:
    from satfusion_assets.fusion.kriging import Hyperparameters

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


def stored_rows(name: str, rows: NDArray[Any], first: int) -> NDArray[Any]:
    """Rows of layer ``name``, which begin with row ``first`` of the grid, in the integers that they are stored as."""
    return layer_type(name).encode(name, rows, row=first)


def write_quality(
    draft: Draft,
    layout: FusedLayout,
    grid: SiteGrid,
    days: Sequence[date],
    scene_days: NDArray[np.datetime64],
    quality: Quality,
    replaces: Path | None,
) -> None:
    """``quality.zarr`` beside the fused images, and what was learned of the season.

    scene_days: (n,) in the order in which the scenes were given to the method. replaces: the pack whose place it takes.
    """
    stamps, channels = np.array(days, "datetime64[D]"), CHANNELS[layout.scenario.mode]
    on_fine = np.repeat(np.repeat(quality.coarse_support, RATIO, axis=-2), RATIO, axis=-1)
    layers = [
        PackLayer("coarse_support", stamps, on_fine),
        PackLayer("days_to_scene", stamps, quality.days_to_scene),
        PackLayer("effective_scenes", stamps, quality.effective_scenes),
        PackLayer("standard_deviation", stamps, quality.standard_deviation, channels),
    ]
    noise = quality.error_model.scene_noise
    draft.write_json(layout.scene_noise, noise_of_scenes(noise, scene_days, channels))
    if layout.scenario.method is Method.KRIGING:
        from satfusion_assets.fusion.kriging import KrigingQuality

        assert isinstance(quality, KrigingQuality)
        layers.append(PackLayer("support", stamps, quality.support))
        draft.write_json(layout.hyperparameters, learned(quality.hyperparameters, channels))
    transform = tuple(grid.fine.affine)[:6]
    title = {"title": f"quality layers of {draft.product.key}", **draft.tags}
    write_pack(draft.path(layout.quality), layers, transform, grid.epsg, title, replaces)
