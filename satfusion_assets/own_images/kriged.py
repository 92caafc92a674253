"""Kriging of a folder of images: learned once from a strip of the area, then predicted block by block."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion import kriging
from satfusion_assets.fusion.efast.blocks import Block, blocks
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging import Hyperparameters, KrigingPlan, SnowFlags
from satfusion_assets.fusion.kriging.plan import acquisitions
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
    return kriging.plan(*(_dated(part) for part in arguments), ratio=ratio).hyperparameters


def plan_block(images: Images, block: Block, ratio: int, settings: Hyperparameters, threads: int) -> KrigingPlan:
    """Kriging of one block with what was learned; its images' coarse pixels have their halo."""
    snow = _snow(images, block, ratio)
    above, beside = block.halo
    merged, usable = acquisitions(images, None if snow is None else ~snow.fine)
    on_coarse = None if snow is None else snow.coarse
    return KrigingPlan(
        merged, ratio, settings, usable, on_coarse, top=above * ratio, left=beside * ratio, threads=threads
    )


def _snow(images: Images, block: Block, ratio: int) -> SnowFlags | None:
    """Flags of the block's fine pixels and of all its coarse ones."""
    if images.bands != len(BANDS):
        return None
    return SnowFlags(kriging.snow.snow(images.coarse), flags(_inner(images, block), ratio).fine)


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
