"""Snow, which is neither the ground nor a coarse change of it: recognised by brightness without greenness."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.vocabulary.scenarios import BANDS

BRIGHT: Final = 0.15
"""Blue reflectance below which a surface holds little snow (a tenth of it over soil, a sixth over forest)."""
TIMES: Final = 2.0
"""How much brighter in blue than the ground's darker days: sand and salt are always bright, snow is not."""
DARK_QUANTILE: Final = 0.2
NEAR_DAYS: Final = 5
"""A coarse observation so near counts as one of the day's own time: a composite's length."""
GREEN: Final = 0.3
"""NDVI from which a surface is seen through its snow rather than hidden."""
SNOWY: Final = 0.1
"""Share of what a scene shows of a coarse cell that is plainly snow from which all that is bright there is taken for
snow too: thin snow, and snow under trees. Both passes and the share as in the snow maps of Gascoin et al. (2019), with
the cell for their band of elevation."""

_BLUE, _RED, _NIR = (BANDS.index(band) for band in ("blue", "red", "nir"))


class SnowFlags(NamedTuple):
    """Where images show snow. coarse: (t, h, w). fine: (n, H, W), scenes in the order given."""

    coarse: NDArray[np.bool_]
    fine: NDArray[np.bool_]

    def scenes(self, chosen: NDArray[np.bool_]) -> SnowFlags:
        """With only the scenes (n,) that are chosen."""
        return SnowFlags(self.coarse, self.fine[chosen])

    def part(self, rows: slice, columns: slice, fine_rows: slice, fine_columns: slice) -> SnowFlags:
        """Of a part of the area, in coarse and in fine pixels."""
        return SnowFlags(self.coarse[:, rows, columns], self.fine[:, fine_rows, fine_columns])


def flags(images: Images, ratio: int) -> SnowFlags:
    """Snow of images with the bands of ``BANDS``. A pixel of a scene needs less to be snow where the coarse series sees
    snow about its day, or the scene itself in the pixel's cell."""
    coarse = snow(images.coarse)
    bright = brighter(images.fine, images.coarse)
    plain = hidden(images.fine) & (bright | snow_about(images, coarse, ratio))
    return SnowFlags(coarse, plain | (bright & snowy(images.fine, plain, ratio)))


def dark_level(images: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Blue of the darker days (h, w) of images (n, 4, h, w); infinite where a pixel was never seen."""
    if not len(images):
        return np.full(images.shape[2:], np.inf)
    blue = images[:, _BLUE]
    seen = np.isfinite(blue).sum(axis=0)
    rank = (np.maximum(seen - 1, 0) * DARK_QUANTILE).astype(np.intp)
    found = np.take_along_axis(np.sort(blue, axis=0), rank[None], axis=0)[0]  # NaN sorts last
    return np.where(seen > 0, found, np.inf)


def snow(images: NDArray[np.floating[Any]], ground: NDArray[np.floating[Any]] | None = None) -> NDArray[np.bool_]:
    """Where images (n, 4, h, w) of the bands of ``BANDS`` show snow (or what looks like it): (n, h, w); ground: as in
    ``brighter``."""
    return brighter(images, ground) & hidden(images)


def brighter(images: NDArray[np.floating[Any]], ground: NDArray[np.floating[Any]] | None = None) -> NDArray[np.bool_]:
    """Where images (n, 4, h, w) are ``TIMES`` as bright in blue as each pixel's own darker days: (n, h, w).

    Where those of ``ground`` (t, 4, h / k, w / k) of another sensor are darker still they count: its series goes on
    where scenes of the ground are few.
    """
    if not len(images):
        return np.zeros((0, *images.shape[2:]), bool)
    dark = dark_level(images)
    if ground is not None and len(ground):
        level = dark_level(ground)
        wide = np.repeat(level, dark.shape[0] // level.shape[0], axis=0)
        dark = np.minimum(dark, np.repeat(wide, dark.shape[1] // level.shape[1], axis=1))
    found: NDArray[np.bool_] = images[:, _BLUE] > TIMES * dark
    return found


def snowy(images: NDArray[np.floating[Any]], plain: NDArray[np.bool_], ratio: int) -> NDArray[np.bool_]:
    """Pixels (n, H, W) of the coarse cells of which ``plain`` snow covers ``SNOWY`` of what a scene shows."""
    seen = np.isfinite(images[:, _BLUE])
    found, shown = (_in_cells(each, ratio) for each in (plain & seen, seen))
    return np.repeat(np.repeat(found > SNOWY * shown, ratio, axis=1), ratio, axis=2)


def _in_cells(flags: NDArray[np.bool_], ratio: int) -> NDArray[np.intp]:
    """How many of ``flags`` (n, H, W) each coarse cell holds: (n, h, w)."""
    n, height, width = flags.shape
    counts: NDArray[np.intp] = flags.reshape(n, height // ratio, ratio, width // ratio, ratio).sum(axis=(2, 4))
    return counts


def hidden(images: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Where images (n, 4, h, w) are bright in blue and not green: (n, h, w); snow, if it is snow's time."""
    blue, red, nir = images[:, _BLUE], images[:, _RED], images[:, _NIR]
    found: NDArray[np.bool_] = (blue > BRIGHT) & (nir - red < GREEN * (nir + red))
    return found


def snow_about(images: Images, coarse_snow: NDArray[np.bool_], ratio: int) -> NDArray[np.bool_]:
    """Fine pixels (n, H, W) whose coarse cell shows snow in its observation nearest to each scene's day.

    coarse_snow: (t, h, w). An observation more than ``NEAR_DAYS`` away says nothing.
    """
    days = np.empty_like(images.fine_days)
    days[images.order] = images.fine_days
    about = nearest_snow(days, images.coarse, images.coarse_days, coarse_snow)
    return np.repeat(np.repeat(about, ratio, axis=1), ratio, axis=2)


def nearest_snow(
    days: NDArray[np.int64],
    coarse: NDArray[np.floating[Any]],
    coarse_days: NDArray[np.int64],
    coarse_snow: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Where the coarse observation nearest to each day, at most ``NEAR_DAYS`` away, saw snow: (d, h, w)."""
    about = np.zeros((len(days), *coarse.shape[2:]), bool)
    if not coarse_snow.any():
        return about
    known = np.isfinite(coarse).any(axis=1)
    for place in np.ndindex(*coarse.shape[2:]):
        seen = known[(slice(None), *place)]
        if seen.any():
            at = coarse_days[seen]
            nearest = np.abs(days[:, None] - at[None, :]).argmin(axis=1)
            close = np.abs(days - at[nearest]) <= NEAR_DAYS
            about[(slice(None), *place)] = coarse_snow[(seen, *place)][nearest] & close
    return about
