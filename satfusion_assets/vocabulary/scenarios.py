"""The vocabulary of scenarios: strategy x sigma x mode, and the bands they are about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, get_args

from satfusion_assets.vocabulary.errors import InvalidInput

Sigma = Literal[20, 30]
SIGMAS: Final[tuple[Sigma, ...]] = get_args(Sigma)

BANDS: Final = ("blue", "green", "red", "nir")
"""Band order everywhere: Sentinel-2 B02 B03 B04 B8A, OLCI Oa04 Oa06 Oa08 Oa17."""
S2_BANDS: Final = ("B02", "B03", "B04", "B8A")
S3_BANDS: Final = ("Oa04", "Oa06", "Oa08", "Oa17")
SERIES_BANDS: Final = ("b02", "b03", "b04", "b8a")
"""Names of the bands in the JSON series of the layout's contract."""


class Strategy(StrEnum):
    """How eagerly whole scenes are excluded by the pre-selection."""

    AGGRESSIVE = "aggressive"
    NONAGGRESSIVE = "nonaggressive"


class Mode(StrEnum):
    """Order of blending and index: Blend-then-Index fuses reflectance, Index-then-Blend fuses GCC."""

    BTI = "bti"
    ITB = "itb"


@dataclass(frozen=True, order=True)
class Scenario:
    """One of the eight ways to fuse a season."""

    strategy: Strategy
    mode: Mode
    sigma: Sigma

    @property
    def key(self) -> str:
        """Partition key and folder suffix: ``aggressive_sigma20``, ``aggressive_itb_sigma30``."""
        itb = "_itb" if self.mode is Mode.ITB else ""
        return f"{self.strategy}{itb}_sigma{self.sigma}"

    @property
    def score_key(self) -> str:
        """Name in ``temporal`` of metrics.json, the contract's spelling: ``aggressive_sigma20``,
        ``aggressive_sigma30_itb``. Everything else says ``key``; ``scenario_keys`` in metrics.json has both."""
        itb = "_itb" if self.mode is Mode.ITB else ""
        return f"{self.strategy}_sigma{self.sigma}{itb}"

    @classmethod
    def parse(cls, key: str) -> Scenario:
        """The scenario of a partition key; InvalidInput lists the valid ones."""
        try:
            return _BY_KEY[key]
        except KeyError:
            valid = ", ".join(_BY_KEY)
            raise InvalidInput(f"{key!r} is not a scenario; use one of {valid}.") from None


SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    Scenario(strategy, mode, sigma) for strategy in Strategy for mode in Mode for sigma in SIGMAS
)
RECOMMENDED: Final = Scenario(Strategy.NONAGGRESSIVE, Mode.BTI, 20)
"""The scenario to look at first, named before any site's numbers are seen."""
RECOMMENDED_BECAUSE: Final = (
    "it keeps every usable scene, leaves clouds to the mask of each pixel, has all four bands, and weighs time as the "
    "method's authors do (sigma 20 days)"
)
_BY_KEY: Final = {scenario.key: scenario for scenario in SCENARIOS}
