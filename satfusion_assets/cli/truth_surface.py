"""The true surface of a site-season on the sandbox's landscape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    from satfusion_assets.sandbox.landscape import SurfaceView as Surface
    from satfusion_assets.truth.scoring import Truth


def surface_of(platform: Platform, site_season: SiteSeason, seed: int, landscape: str = "plain") -> Surface:
    from satfusion_assets.sandbox.effects import Effects
    from satfusion_assets.sandbox.landscape import Landscape
    from satfusion_assets.vocabulary.grid import site_grid

    site = platform.site(site_season)
    grid = site_grid(site)
    return Landscape(site, seed, Effects.parse(landscape)).view(grid.fine.affine, (grid.fine.height, grid.fine.width))


def known_truth(surface: Surface) -> Truth:
    from satfusion_assets.sandbox.signatures import Cover
    from satfusion_assets.truth.scoring import Truth

    return Truth(
        reflectance=lambda days: np.stack([surface.reflectance(day.item()) for day in days]),
        land_cover=surface.land_cover,
        names={int(cover): cover.name.lower() for cover in Cover},
        snow=lambda days: np.stack([surface.snow(day.item()) for day in days]),
    )
