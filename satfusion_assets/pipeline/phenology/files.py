"""Where date maps lie below a site-season."""

from __future__ import annotations

from dataclasses import dataclass

from satfusion_assets.vocabulary.scenarios import Scenario


@dataclass(frozen=True)
class PhenologyLayout:
    """Date maps of one scenario, and the dates at the site."""

    scenario: Scenario

    @property
    def folder(self) -> str:
        return f"phenology_{self.scenario.key}"

    def dates(self, transition: str) -> str:
        """One transition (``rising_50``) in three bands: day of year, lower and upper end of the 95 % interval."""
        return f"{self.folder}/{transition}.tif"

    @property
    def labels(self) -> str:
        """How each date came about, a band per transition, and the number of seasons."""
        return f"{self.folder}/labels.tif"

    @property
    def site(self) -> str:
        return f"{self.folder}/site.json"

    @property
    def transitions(self) -> str:
        """The dates at the site in the columns of PhenoCam's files."""
        return f"{self.folder}/transitions.csv"
