"""Columns of the tables that people take away: what a field is and in which unit."""

from __future__ import annotations

from typing import Final

from satfusion_assets.vocabulary.scenarios import S2_BANDS, SERIES_BANDS

Columns = dict[str, str]


DAY: Final = "date: the site's local day of sensing"


BAND_COLUMNS: Final = {
    name: f"float: mean of the 3 x 3 pixels at the camera's field, band {band} or its Sentinel-3 match"
    for name, band in zip(SERIES_BANDS, S2_BANDS, strict=True)
}


NDVI: Final = "float: normalised difference vegetation index at the camera's field, -1 to 1"


GCC: Final = "float: green chromatic coordinate, green / (red + green + blue), at the camera's field"
