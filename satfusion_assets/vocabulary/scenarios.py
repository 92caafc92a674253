"""The vocabulary of scenarios: strategy x mode x method (EFAST with a sigma, or kriging), and their bands."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


CHANNELS: Final = {Mode.BTI: BANDS, Mode.ITB: ("gcc",)}
"""Band descriptions of each mode's images."""


class Method(StrEnum):
    """How a season is fused."""

    EFAST = "efast"
    KRIGING = "kriging"


@dataclass(frozen=True)
class Scenario:
    """One of the ways to fuse a season. sigma: of EFAST's blending in days; None = kriging, which has none."""

    strategy: Strategy
    mode: Mode
    sigma: Sigma | None

    @property
    def method(self) -> Method:
        return Method.KRIGING if self.sigma is None else Method.EFAST

    @property
    def variant(self) -> str:
        """Method and sigma in one word: ``sigma20``, ``kriging``."""
        return str(self.method) if self.sigma is None else f"sigma{self.sigma}"

    @property
    def key(self) -> str:
        """Partition key and folder suffix: ``aggressive_sigma20``, ``aggressive_itb_kriging``."""
        itb = "_itb" if self.mode is Mode.ITB else ""
        return f"{self.strategy}{itb}_{self.variant}"

    @property
    def score_key(self) -> str:
        """Name in ``temporal`` of metrics.json; of EFAST in the contract's spelling: ``aggressive_sigma20``,
        ``aggressive_sigma30_itb``. Everything else says ``key``; ``scenario_keys`` in metrics.json has both."""
        itb = "_itb" if self.mode is Mode.ITB else ""
        return f"{self.strategy}_{self.variant}{itb}" if self.method is Method.EFAST else self.key

    def in_mode(self, mode: Mode) -> Scenario:
        """The same method on the other order of blending and index."""
        return replace(self, mode=mode)

    @classmethod
    def parse(cls, key: str) -> Scenario:
        """The scenario of a partition key; InvalidInput lists the valid ones."""
        try:
            return _BY_KEY[key]
        except KeyError:
            valid = ", ".join(_BY_KEY)
            raise InvalidInput(f"{key!r} is not a scenario; use one of {valid}.") from None


EFAST_SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    Scenario(strategy, mode, sigma) for strategy in Strategy for mode in Mode for sigma in SIGMAS
)
"""The eight of the contract."""
KRIGING_SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    Scenario(strategy, mode, None) for strategy in Strategy for mode in Mode
)
SCENARIOS: Final = EFAST_SCENARIOS + KRIGING_SCENARIOS


def of_mode(mode: Mode) -> tuple[Scenario, ...]:
    """The scenarios of ``mode``."""
    return tuple(scenario for scenario in SCENARIOS if scenario.mode is mode)


RECOMMENDED: Final = Scenario(Strategy.NONAGGRESSIVE, Mode.BTI, None)
"""The scenario to look at first, named before any site's numbers are seen."""
RECOMMENDED_BECAUSE: Final = (
    "it keeps every usable scene, leaves clouds to the mask of each pixel, has all four bands, and estimates "
    "every day, with a deviation"
)
_BY_KEY: Final = {scenario.key: scenario for scenario in SCENARIOS}
