"""EFAST as a competitor: one mode and sigma of one strategy's stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from satfusion_assets.evaluation.gaps.competitors import Prediction
from satfusion_assets.evaluation.gaps.stack import Days, SeasonStack
from satfusion_assets.fusion.efast import fuse
from satfusion_assets.vocabulary.scenarios import Mode, Scenario


@dataclass(frozen=True)
class Fusion:
    """The engine with a scenario's sigma, on reflectance (BtI) or on GCC (ItB).

    states_sd: also ask for the predictive standard deviation, which costs a look at every scene without itself.
    """

    scenario: Scenario
    states_sd: bool = False
    reach: int = 1

    @property
    def name(self) -> str:
        return self.scenario.key

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        inputs = stack.gcc if self.scenario.mode is Mode.ITB else stack
        fused = fuse(
            days,
            inputs.coarse,
            inputs.coarse_days,
            inputs.fine,
            inputs.fine_days,
            inputs.cloud_distance,
            ratio=inputs.ratio,
            sigma=float(self.scenario.sigma),
        )
        # Without scenes there is neither an estimate nor anything to learn its error from.
        if not self.states_sd or not len(inputs.fine_days):
            return Prediction(fused.values)
        quality = fused.quality
        return Prediction(fused.values, quality.standard_deviation, np.sqrt(quality.error_model.noise_levels))
