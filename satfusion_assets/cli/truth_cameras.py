"""Cameras on a known landscape: the one that its archive serves, and what others would see elsewhere."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from satfusion_assets.sampling.footprint import CameraView, camera_view, places
from satfusion_assets.truth.benefit import Cameras, true_series
from satfusion_assets.vocabulary.grid import site_grid

if TYPE_CHECKING:
    from satfusion_assets.sandbox.landscape import Landscape
    from satfusion_assets.truth.season import ScoredSeason

SPACING_M: Final = 150.0
"""From one place where a camera could stand to the next: two in a coarse pixel's width."""
MARGIN_M: Final = 210.0
"""From the grid's edge to the outermost mast: the longest footprint lies within."""
LOWEST_SUN: Final = 10.0
"""Degrees: PhenoCam's summaries leave out what was taken with a lower sun."""
LEAST_VEGETATED: Final = 0.8
"""Share of its footprint with plants on it from which a place is one for a camera."""


def its_camera(landscape: Landscape, season: ScoredSeason) -> Cameras:
    """The site's own camera, with its colours and faults, where the platform believes that it looks."""
    from satfusion_assets.sandbox.camera import SyntheticCamera

    year = season.days[0].item().year
    camera = SyntheticCamera(landscape, date(year - 1, 1, 1), date(year + 1, 12, 31))
    region = camera.rois[0]
    record = camera.record(camera.last)
    grid = site_grid(landscape.site).fine
    view = _view(landscape, record["sitemetadata"]["camera_orientation"], region.code, 0.0, 0.0)
    seen = [
        np.nan if camera.is_down(day) or camera.sun_at_noon(day) < LOWEST_SUN else camera.shot(region, day).gcc
        for day in season.days.tolist()
    ]
    weights = places([view], grid.affine, (grid.height, grid.width))
    return Cameras("camera", weights, (region.cover.name.lower(),), np.array(seen)[:, None])


def other_cameras(landscape: Landscape, season: ScoredSeason) -> Cameras:
    """The same camera on masts all over the site, without faults: the truth in the footprint wherever plants grow."""
    from satfusion_assets.sandbox.layout import CODES
    from satfusion_assets.sandbox.signatures import Cover

    grid = site_grid(landscape.site).fine
    reach = np.arange(MARGIN_M - landscape.site.extent_m / 2, landscape.site.extent_m / 2 - MARGIN_M + 1, SPACING_M)
    code = CODES[landscape.main]
    views = [_view(landscape, "N", code, east, north) for north in reach for east in reach]
    weights = places(views, grid.affine, (grid.height, grid.width))
    shares = np.stack([weights @ (season.truth.land_cover.ravel() == cover) for cover in CODES])
    kept = np.flatnonzero(shares.sum(axis=0) >= LEAST_VEGETATED)
    covers = [Cover(list(CODES)[n]).name.lower() for n in shares[:, kept].argmax(axis=0)]
    return Cameras("place", weights[kept], tuple(covers), true_series(season, weights[kept]))


def _view(landscape: Landscape, orientation: str, code: str, east: float, north: float) -> CameraView:
    """A camera so many metres east and north of the site."""
    from pyproj import Transformer

    site = landscape.site
    grid = site_grid(site)
    x, y = Transformer.from_crs(4326, grid.epsg, always_xy=True).transform(site.longitude, site.latitude)
    return camera_view((x + east, y + north), site.latitude, orientation, code)
