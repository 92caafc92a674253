"""Quality layers on disk: one pack a season, of which the season's pack has the same files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.fused import FusedRows
from satfusion_assets.fusion.efast.quality import Quality
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.store import Draft
from satfusion_assets.store.packs import EncodedLayer, PackLayer, rows_encoder, write_pack
from satfusion_assets.vocabulary.grid import RATIO, SiteGrid
from satfusion_assets.vocabulary.scenarios import CHANNELS, Method

if TYPE_CHECKING:
    from satfusion_assets.fusion.kriging import Hyperparameters

LEARNED: Final = ("gain", "gain_spread", "variance", "correlation_days")
"""Hyper-parameters of kriging that have one number a channel."""


def learned(settings: Hyperparameters, channels: Sequence[str]) -> dict[str, Any]:
    """Hyper-parameters for people: what the season taught, by channel."""
    by_channel = {name: dict(zip(channels, getattr(settings, name).tolist(), strict=True)) for name in LEARNED}
    said = {"scenes": settings.scenes, "smoothing_days": settings.smoothing_days, **by_channel}
    if settings.surface is not None:
        said["surface"] = {name: _shares(getattr(settings.surface, name), channels) for name in ("common", "places")}
    return said


def _shares(of_bands: NDArray[np.float64], channels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Of each channel of the surface, the part of every channel of the coarse series."""
    return {
        channel: dict(zip(channels, row.tolist(), strict=True)) for channel, row in zip(channels, of_bands, strict=True)
    }


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


def _support_on_fine(days: NDArray[np.datetime64], support: NDArray[np.uint8]) -> EncodedLayer:
    """What supports the coarse pixels (p, h, w), on the fine grid."""
    encoder = rows_encoder("coarse_support", (*support.shape[:1], *(RATIO * size for size in support.shape[1:])))
    for row in range(support.shape[1]):
        rows = np.repeat(np.repeat(support[:, row : row + 1], RATIO, axis=-2), RATIO, axis=-1)
        encoder.take(row * RATIO, rows)
    return EncodedLayer("coarse_support", days, (), encoder.encoded())


def write_quality(
    draft: Draft,
    layout: FusedLayout,
    grid: SiteGrid,
    scene_days: NDArray[np.datetime64],
    kept: Sequence[EncodedLayer],
    about: FusedRows | Quality,
    replaces: Path | None,
) -> None:
    """``quality.zarr`` beside the fused images, and what was learned of the season.

    scene_days: (n,) in the order in which the scenes were given to the method. kept: the layers that were encoded as
    they came. about: what else is known of the season. replaces: the pack whose place it takes.
    """
    stamps, channels = kept[0].days, CHANNELS[layout.scenario.mode]
    layers: list[PackLayer | EncodedLayer] = [_support_on_fine(stamps, about.coarse_support), *kept]
    noise = about.error_model.scene_noise
    draft.write_json(layout.scene_noise, noise_of_scenes(noise, scene_days, channels))
    if layout.scenario.method is Method.KRIGING:
        from satfusion_assets.fusion.kriging import KrigingQuality

        assert isinstance(about, KrigingQuality)
        layers.append(PackLayer("support", stamps, about.support))
        draft.write_json(layout.hyperparameters, learned(about.hyperparameters, channels))
    transform = tuple(grid.fine.affine)[:6]
    title = {"title": f"quality layers of {draft.product.key}", **draft.tags}
    write_pack(draft.path(layout.quality), layers, transform, grid.epsg, title, replaces)
