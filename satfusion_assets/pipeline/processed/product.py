""""""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.columns import BAND_COLUMNS, DAY, GCC, NDVI, Columns

COLUMNS: Final[Columns] = {
    "date": DAY,
    "filename": "string: image in the same folder",
    "ndvi": NDVI,
    "greenness_index": GCC,
    **BAND_COLUMNS,
}
