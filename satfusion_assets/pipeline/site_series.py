"""What a stack of images says at the site, as the contract's series: one file a kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from satfusion_assets.sampling.series import SiteSeries, band_records, index_records, sample_series
from satfusion_assets.sampling.window import site_pixel, window
from satfusion_assets.store import Draft
from satfusion_assets.store.stacks import Images
from satfusion_assets.vocabulary.scenarios import Mode
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets.vocabulary.sources import SeriesKind

KINDS: Final[dict[Mode, tuple[SeriesKind, ...]]] = {Mode.BTI: ("gcc", "ndvi", "bands"), Mode.ITB: ("gcc",)}
"""What images of a mode hold: GCC is all that Index-then-Blend has."""
_RECORDS: Final[dict[SeriesKind, Callable[[SiteSeries], list[dict[str, Any]]]]] = {
    "gcc": lambda series: index_records(series, "greenness_index"),
    "ndvi": lambda series: index_records(series, "ndvi"),
    "bands": band_records,
}
_OUTSIDE: Final = (-9, -9)
"""A pixel whose window holds nothing: that of a site beside the images."""


def read_at_site(
    images: Images | Sequence[NDArray[Any]],
    days: Sequence[date],
    names: Sequence[str],
    geobox: GeoBox,
    site: Site,
) -> SiteSeries:
    """The 3x3 window at ``site`` of each image (b, H, W) on ``geobox``; names: of the files that hold the images."""
    row, col = site_pixel(geobox, site.latitude, site.longitude) or _OUTSIDE
    here = rows, columns = window(geobox.shape, row, col)
    cut = [image[(..., *here)] for image in images] if isinstance(images, Sequence) else images[(..., *here)]
    filenames = [name.rsplit("/", 1)[-1] for name in names]
    stamps = np.array(days, dtype="datetime64[D]")
    return sample_series(cut, stamps, filenames, row - rows.start, col - columns.start)


def write_series(draft: Draft, mode: Mode, path: Callable[[SeriesKind], str], series: SiteSeries) -> None:
    """The series of every kind that ``mode`` has, at the ``path`` of each."""
    for kind in KINDS[mode]:
        draft.write_json(path(kind), _RECORDS[kind](series))
