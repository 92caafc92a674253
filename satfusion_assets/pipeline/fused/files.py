"""Where fused images lie below a site-season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.vocabulary.days import stamp
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sources import SeriesKind


@dataclass(frozen=True)
class FusedLayout:
    """Files of one fused scenario."""

    scenario: Scenario

    @property
    def folder(self) -> str:
        prepared = PreparedLayout(self.scenario.strategy, self.scenario.mode).folder
        return f"{prepared}/fusion" + ("" if self.scenario.sigma == 20 else f"_{self.scenario.variant}")

    def image(self, day: date) -> str:
        kind = PreparedLayout(self.scenario.strategy, self.scenario.mode).kind
        return f"{self.folder}/{kind}_{stamp(day)}.tif"

    def series(self, kind: SeriesKind) -> str:
        """The images read at the site, before they are cut to the valid window."""
        prepared, name = self.folder.split("/")
        return f"{prepared}/{kind}/{name}/timeseries.json"

    @property
    def quality(self) -> str:
        """The quality layers of every day on the whole grid, a pack of their own."""
        return f"{self.folder}/quality.zarr"

    @property
    def scene_noise(self) -> str:
        """Standard deviation of each scene's own noise, by day and channel."""
        return f"{self.folder}/quality/scene_noise.json"

    @property
    def hyperparameters(self) -> str:
        """What kriging learned of the season."""
        return f"{self.folder}/hyperparameters.json"

    @property
    def status(self) -> str:
        """One word a day: ok, no_coarse or no_fine."""
        return f"{self.folder}/status.json"
