""""""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.columns import Columns

COLUMNS: Final[Columns] = {
    "date": "date: day of the camera, its local time",
    "greenness_index": "float: gcc_90, 90th percentile of the day's GCC in the region of interest",
    "image_count": "int: pictures that went into the day",
    "snow": "int: 1 = the archive flags snow, 0 = none, empty = not said",
    "outlier": "string: who flagged the day, archive or detector; empty = nobody",
    "used": "int: 1 = the day counts in the series",
}
