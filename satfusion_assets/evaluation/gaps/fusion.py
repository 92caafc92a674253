"""The platform's fusions as competitors: one scenario of one strategy's stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from satfusion_assets.evaluation.gaps.competitors import Prediction
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.vocabulary.scenarios import Method, Mode, Scenario


@dataclass(frozen=True)
class Fusion:
    """The fusion of a scenario, on reflectance (BtI) or on GCC (ItB).

    states_sd: also ask for the predictive standard deviation, which costs EFAST a look at every scene without itself.
    as_measured: predict what a withheld scene would have measured, which lacks the detail of bands that the sensor sees
    with larger pixels, and not the surface.
    """

    scenario: Scenario
    states_sd: bool = False
    as_measured: bool = False

    @property
    def name(self) -> str:
        return self.scenario.key

    @property
    def reach(self) -> int:
        """EFAST reads the coarse pixels beside; a part of a stack brings what kriging needs of them."""
        return 1 if self.scenario.method is Method.EFAST else 0

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        inputs = stack.gcc if self.scenario.mode is Mode.ITB else stack
        fused = inputs.fuse(self.scenario, days, as_measured=self.as_measured)
        # Without scenes there is neither an estimate nor anything to learn its error from.
        if not self.states_sd or not len(inputs.fine_days):
            return Prediction(fused.values)
        quality = fused.quality
        return Prediction(fused.values, quality.standard_deviation, np.sqrt(quality.error_model.noise_levels))
