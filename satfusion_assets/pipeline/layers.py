"""The layer definition that QGIS opens a folder of daily images with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath

from satfusion_assets.export.qgis import DEFINITION, DayImage, season_layers
from satfusion_assets.store import Draft


def write_layers(draft: Draft, names: Sequence[str], days: Sequence[date], bands: Sequence[str]) -> None:
    """``season.qlr`` beside the images ``names`` of ``days``, all of one folder; nothing where there is none."""
    if not names:
        return
    images = [DayImage(PurePosixPath(name).name, day) for name, day in zip(names, days, strict=True)]
    draft.write_bytes(str(PurePosixPath(names[0]).with_name(DEFINITION)), season_layers(images, bands))
