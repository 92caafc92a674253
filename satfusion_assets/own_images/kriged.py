"""Kriging of a folder of images: learned once from a strip of the area, then predicted block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion import kriging
from satfusion_assets.fusion.efast.blocks import Block, blocks
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging import Hyperparameters, KrigingPlan, SnowFlags
from satfusion_assets.fusion.kriging.detail import MARGIN, Steady, sharpen, unknown
from satfusion_assets.fusion.kriging.plan import acquisitions, surface_of
from satfusion_assets.fusion.kriging.snow import flags
from satfusion_assets.vocabulary.scenarios import BANDS

LEARNED_ROWS: Final = 4
"""Rows of coarse pixels, in the middle of the area, from which hyper-parameters are learned: whatever the memory and
the blocks, they and so all numbers are the same."""


def learning_block(height: int, width: int) -> Block:
    """The part of an area of ``height`` x ``width`` coarse pixels that is learned from."""
    rows = min(LEARNED_ROWS, height)
    strips = list(blocks(height, width, rows, width))
    return strips[len(strips) // 2]


def learn(images: Images, block: Block, ratio: int) -> Hyperparameters:
    """Hyper-parameters from the images of one block, coarse ones with their halo."""
    inner = _inner(images, block)
    arguments = (inner.coarse, inner.coarse_days, inner.fine, inner.fine_days, inner.cloud_distance)
    learned = kriging.plan(*(_dated(part) for part in arguments), ratio=ratio).hyperparameters
    first = [part.start for part in block.fine(ratio)]
    return replace(learned, detail=learned.detail and learned.detail.from_pixel(first[0], first[1]))


def seen_window(block: Block, ratio: int, size: Sequence[int], settings: Hyperparameters) -> tuple[slice, slice]:
    """Rows and columns of fine pixels, of ``size`` in all, that a block looks at: its own, and those that tell detail
    beside."""
    margin = 0 if settings.detail is None else MARGIN
    rows, columns = (
        slice(max(part.start - margin, 0), min(part.stop + margin, limit))
        for part, limit in zip(block.fine(ratio), size, strict=True)
    )
    return rows, columns


def plan_block(
    images: Images, seen: tuple[slice, slice], block: Block, ratio: int, settings: Hyperparameters, threads: int
) -> KrigingPlan:
    """Kriging of one block with what was learned; its images' coarse pixels have their halo, its fine ones are those of
    ``seen_window``."""
    images, missing = _with_detail(images, seen, block.fine(ratio), settings)
    snow = _snow(images, block, ratio)
    above, beside = block.halo
    merged, usable = acquisitions(images, None if snow is None else ~snow.fine)
    on_coarse = None if snow is None else snow.coarse
    if settings.surface is not None:
        merged = surface_of(merged, settings.surface, on_coarse)
    return KrigingPlan(
        merged,
        ratio,
        settings,
        usable,
        on_coarse,
        unknown=missing,
        top=above * ratio,
        left=beside * ratio,
        threads=threads,
    )


def _with_detail(
    images: Images, seen: tuple[slice, slice], own: tuple[slice, slice], settings: Hyperparameters
) -> tuple[Images, NDArray[np.floating[Any]] | None]:
    """The images of ``own`` pixels, with the detail of coarser bands, out of those of ``seen``, and the variance of
    what of it nobody knows. They take the place of the others in memory."""
    detail = settings.detail
    if detail is None:
        return images, None
    wide = images.fine
    rows, columns = (slice(o.start - s.start, o.stop - s.start) for o, s in zip(own, seen, strict=True))
    shape = (len(wide), images.bands, rows.stop - rows.start, columns.stop - columns.start)
    explained = Steady(shape[1:])
    for day, scene in zip(images.fine_days, images.order, strict=True):
        explained.add(sharpen(wide[scene], int(day), detail, seen[0].start, seen[1].start)[:, rows, columns])
    fine = wide.reshape(-1)[: math.prod(shape)].reshape(shape)
    for scene in range(len(wide)):  # Ascending: no scene is written over before it has moved.
        fine[scene] = wide[scene, :, rows, columns].copy()
    return replace(images, fine=fine), unknown(explained, detail).astype(fine.dtype)


def _snow(images: Images, block: Block, ratio: int) -> SnowFlags | None:
    """Flags of the block's fine pixels and of all its coarse ones.

    Of a row of coarse pixels at a time: what is asked of a pixel is asked in its cell, and takes as much memory as the
    scenes themselves.
    """
    if images.bands != len(BANDS):
        return None
    inner = _inner(images, block)
    fine = np.empty(inner.fine[:, 0].shape, np.bool_)
    for row in range(inner.coarse.shape[2]):
        cells, pixels = slice(row, row + 1), slice(row * ratio, (row + 1) * ratio)
        strip = replace(
            inner,
            coarse=inner.coarse[..., cells, :],
            fine=inner.fine[..., pixels, :],
            cloud_distance=inner.cloud_distance[..., cells, :],
        )
        fine[:, pixels] = flags(strip, ratio).fine
    return SnowFlags(kriging.snow.snow(images.coarse), fine)


def _inner(images: Images, block: Block) -> Images:
    """Without the halo of the coarse images."""
    above, beside = block.halo
    rows = slice(above, above + block.rows.stop - block.rows.start)
    columns = slice(beside, beside + block.columns.stop - block.columns.start)
    return replace(
        images,
        coarse=images.coarse[..., rows, columns],
        cloud_distance=images.cloud_distance[..., rows, columns],
    )


def _dated(part: NDArray[np.generic]) -> NDArray[np.generic]:
    return part.astype("datetime64[D]") if part.ndim == 1 else part
