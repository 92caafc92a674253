""""""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.columns import BAND_COLUMNS, DAY, GCC, NDVI, Columns
from satfusion_assets.vocabulary.scenarios import Strategy

COLUMNS: Final[Columns] = {
    "filename": "string: raw scene",
    "date": DAY,
    "ndvi": NDVI,
    **BAND_COLUMNS,
    **{f"excluded_{strategy}": f"bool: the {strategy} strategy leaves the scene out" for strategy in Strategy},
    "greenness_index": GCC,
    **{f"reason_{strategy}": "string: no_ndvi, dark or low_ndvi; empty = kept" for strategy in Strategy},
}
