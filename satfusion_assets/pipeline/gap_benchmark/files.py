"""Where the gap benchmark and experiments of its kind lie below a site-season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.vocabulary.days import stamp
from satfusion_assets.vocabulary.scenarios import Scenario


@dataclass(frozen=True)
class GapLayout:
    """Files of the gap benchmark, or of an experiment of its kind in a folder of its own.

    The benchmark's own paths are the contract's and hold the best BtI scenario.
    """

    folder: str = "validation"

    @classmethod
    def experiment(cls, name: str) -> GapLayout:
        return cls(f"validation/experiments/{name}")

    @property
    def manifest(self) -> str:
        return f"{self.folder}/gap_manifest.json"

    @property
    def withheld(self) -> str:
        return f"{self.folder}/gap_withheld_images.json"

    @property
    def metrics(self) -> str:
        return f"{self.folder}/gap_metrics.json"

    def summary(self, scenario: Scenario | None) -> str:
        """The summary of one scenario; None = the best one, at the contract's path."""
        folder = self.folder if scenario is None else f"{self.folder}/scenarios/{scenario.key}"
        return f"{folder}/gap_validation_summary.json"

    def image(self, gap: str, scenario: Scenario, day: date) -> str:
        """The fused image of a gap's prediction day, made without the withheld scenes."""
        kind = PreparedLayout(scenario.strategy, scenario.mode).kind
        return f"{self.folder}/fusion/gap_{gap}/{kind}_{stamp(day)}.tif"

    def competitor(self, gap: str, method: str, day: date) -> str:
        """What a competitor gives of the same day from the same scenes."""
        return f"{self.folder}/competitors/gap_{gap}/{method}_{stamp(day)}.tif"
