"""One strategy's season on a known landscape, with every method's estimates of the judged days beside the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.benchmark import Images, quantities
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, GapMethod, Prediction
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.truth.scoring import BoolArray, Truth, days_to_clear
from satfusion_assets.vocabulary.scenarios import Scenario, Strategy

ALONE = tuple(method.name for method in PIXEL_METHODS)
"""Methods that know Sentinel-2 alone; every other one is a fusion."""


def family_of(fusion: str) -> str:
    """The method behind a scenario's key: ``efast`` or ``kriging``."""
    return str(Scenario.parse(fusion).method)


def families(fusions: Iterable[str]) -> list[str]:
    """The methods behind some scenarios' keys, each once."""
    return sorted({family_of(fusion) for fusion in fusions})


@dataclass(frozen=True)
class ScoredSeason:
    """What is compared. days: (p,). Images of truth and methods are (p, H, W) by quantity."""

    strategy: Strategy
    stack: SeasonStack
    truth: Truth
    days: Days
    predictions: Mapping[str, Prediction]

    @classmethod
    def of(
        cls, strategy: Strategy, stack: SeasonStack, truth: Truth, days: Days, methods: Sequence[GapMethod]
    ) -> ScoredSeason:
        """Ask every method once."""
        return cls(strategy, stack, truth, days, {method.name: method.predict(stack, days) for method in methods})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.predictions)

    @property
    def fusions(self) -> tuple[str, ...]:
        return tuple(name for name in self.predictions if name not in ALONE)

    @cached_property
    def images(self) -> dict[str, Images]:
        return {name: quantities(prediction) for name, prediction in self.predictions.items()}

    @cached_property
    def true(self) -> Images:
        return quantities(Prediction(self.truth.reflectance(self.days).astype(np.float32)))

    @cached_property
    def snow_free(self) -> BoolArray:
        """(p, H, W). Snow is masked in every Sentinel-2 image, so no method can know it."""
        return ~self.truth.snowy(self.days)

    @cached_property
    def distance(self) -> npt.NDArray[np.int64]:
        """(p, H, W) days to the pixel's nearest clear scene."""
        return days_to_clear(self.stack, self.days)
