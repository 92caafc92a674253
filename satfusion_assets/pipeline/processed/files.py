"""Where processed images and series lie below a site-season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from satfusion_assets.vocabulary.days import stamp
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sources import SeriesKind, Source


@dataclass(frozen=True)
class ProcessedLayout:
    """Files of one processed scenario: rasters cropped to the valid window, and time series."""

    scenario: Scenario

    @property
    def folder(self) -> str:
        return f"processed_{self.scenario.key}"

    def image(self, source: Source, day: date) -> str:
        return f"{self.folder}/{source}/{stamp(day)}_0.geotiff"

    def series(self, kind: SeriesKind, source: Source) -> str:
        return f"{self.folder}/{kind}/{source}/timeseries.json"

    def export(self, source: Source, suffix: Literal["json", "csv"]) -> str:
        return f"{self.folder}/export/{source}/timeseries.{suffix}"

    @property
    def window(self) -> str:
        """The crop window in pixels of the site grid, and the pixel at the site."""
        return f"{self.folder}/window.json"

    @property
    def scores(self) -> str:
        return f"{self.folder}/scores.json"
