"""Curves of a drawn area: mean and spread over its pixels, day by day, read from the pack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.store.pack_reader import PackBox, PixelLayer, read_box
from satfusion_assets.viewer import layout
from satfusion_assets.viewer.answers import AreaSeason
from satfusion_assets.viewer.files import Fence
from satfusion_assets.viewer.rasters import index_of
from satfusion_assets.viewer.series import rounded
from satfusion_assets.vocabulary.errors import InvalidInput, ProductMissing
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import SERIES_BANDS, Scenario
from satfusion_assets.vocabulary.sites import Site

CORNERS: Final = (3, 64)
"""Fewest and most corners of an area."""
_SOURCES: Final[tuple[layout.Source, ...]] = ("fused", "s2")
"""Those whose pixels are smaller than what is drawn; 300 m pixels have no spread in a field."""
_STRIP_M: Final = 300.0
"""Rows that are read at a time: a season of them stays below 64 MB of numbers."""
_LINE_M: Final = 1.0
"""An outline that is narrower all along is a line; the smallest pixels have ten times that."""

Ring = list[tuple[float, float]]


def area_season(fence: Fence, site: Site, season: int, scenario: Scenario, ring: Ring) -> AreaSeason:
    """Mean, standard deviation and count over the pixels whose centres lie in ``ring`` (metres in the site's zone).

    Indices are made pixel by pixel. The deviation is that of the pixels from each other on the day, not an error.
    Raises InvalidInput for a ring that is none or holds no pixel, ProductMissing without a pack.
    """
    polygon = _polygon(ring)
    folder = fence.season(site.name, season)
    pack = folder / pack_folder(scenario)
    real, name = fence.real(pack), fence.relative(pack)
    if not real.is_dir():
        raise ProductMissing(f"{name} is not there; an area's season is read from it. Materialise it, then reload.")
    bounds = site_grid(site).fine.extent.boundingbox
    west, south, east, north = polygon.bounds
    above = max(0.0, bounds.top - north) // _STRIP_M  # whole strips, so that none ends within a row
    top, bottom = bounds.top - above * _STRIP_M, max(south, bounds.bottom)
    sums = {source: _Sums() for source in _SOURCES}
    pixels = 0
    while top > bottom:
        box = read_box(real, name, (west, max(bottom, top - _STRIP_M), east, top), _SOURCES)
        top -= _STRIP_M
        if box is None:
            continue
        inside = _inside(polygon, box)
        pixels += int(inside.sum())
        for source, one in sums.items():
            if source in box.layers:
                one.add(box.layers[source], inside)
    if not pixels:
        raise InvalidInput("The area holds no pixel of this season; draw a larger one, within the maps.")
    return {"sources": {source: one.columns() for source, one in sums.items() if one.days}, "pixels": pixels}


def _polygon(ring: Ring) -> shapely.Polygon:
    if not CORNERS[0] <= len(ring) <= CORNERS[1]:
        raise InvalidInput(f"An area has {CORNERS[0]} to {CORNERS[1]} corners, this one {len(ring)}.")
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid:
        hull = shapely.MultiPoint(ring).convex_hull
        if 2 * hull.area < _LINE_M * hull.length:
            raise InvalidInput("The area's corners lie on one line, so that it has no area; draw it around the field.")
        raise InvalidInput("The area's outline crosses itself; draw it around the field, corner by corner.")
    return polygon


def _inside(polygon: shapely.Polygon, box: PackBox) -> np.ndarray:
    """(h, w) whether a pixel's centre lies in the polygon."""
    return np.asarray(shapely.contains_xy(polygon, *np.meshgrid(box.x, box.y)))


@dataclass
class _Sums:
    """Count, sum and sum of squares of each quantity, a value a day."""

    days: list[str] = field(default_factory=list)
    counts: dict[str, np.ndarray] = field(default_factory=dict)
    totals: dict[str, np.ndarray] = field(default_factory=dict)
    squares: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, layer: PixelLayer, inside: np.ndarray) -> None:
        """The pixels (h, w) of a layer's values (t, b, h, w) that lie inside."""
        self.days = layer.days
        bands = np.moveaxis(layer.values[..., inside].astype(float), 1, 0)
        for key, values in _quantities(bands).items():
            present = np.isfinite(values)
            kept = np.where(present, values, 0.0)
            for sums, one in ((self.counts, present), (self.totals, kept), (self.squares, kept**2)):
                sums[key] = sums.get(key, 0) + one.sum(axis=-1)

    def columns(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {"date": self.days}
        for key, count in self.counts.items():
            n = np.where(count > 0, count, np.nan)
            mean = self.totals[key] / n
            spread = np.sqrt(np.maximum(self.squares[key] / n - mean**2, 0.0))
            found |= {key: rounded(mean), f"{key}_spread": rounded(spread), f"{key}_n": count.astype(int).tolist()}
        return found


def _quantities(bands: np.ndarray) -> dict[str, np.ndarray]:
    """Indices and bands (t, p) of pixels (b, t, p); one band is GCC."""
    found = {"gcc": index_of(bands, "gcc")}
    if len(bands) >= 4:
        found |= {"ndvi": index_of(bands, "ndvi"), **dict(zip(SERIES_BANDS, bands, strict=False))}
    return found
