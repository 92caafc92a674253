"""Where prepared images lie below a site-season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from satfusion_assets.vocabulary.days import stamp
from satfusion_assets.vocabulary.scenarios import Mode, Strategy
from satfusion_assets.vocabulary.sources import Sensor, SeriesKind


@dataclass(frozen=True)
class PreparedLayout:
    """Files of one strategy and mode on the site grid, ready to be fused."""

    strategy: Strategy
    mode: Mode

    @property
    def folder(self) -> str:
        return f"prepared_{self.strategy}" + ("_itb" if self.mode is Mode.ITB else "")

    @property
    def kind(self) -> str:
        """``REFL`` for reflectance, ``GCC`` for the index."""
        return "GCC" if self.mode is Mode.ITB else "REFL"

    def fine(self, day: date) -> str:
        return f"{self.folder}/s2/S2A_MSIL2A_{stamp(day)}_{self.kind}.tif"

    def cloud_distance(self, day: date) -> str:
        return f"{self.folder}/s2/S2A_MSIL2A_{stamp(day)}_DIST_CLOUD.tif"

    def coarse(self, day: date) -> str:
        return f"{self.folder}/s3/composite_{stamp(day)}.tif"

    def series(self, kind: SeriesKind, sensor: Sensor) -> str:
        """The images read at the site, margins of the season included."""
        return f"{self.folder}/{kind}/{sensor}/timeseries.json"

    @property
    def summary(self) -> str:
        """What went into each day: scenes merged, share masked, composites used."""
        return f"{self.folder}/preparation.json"
