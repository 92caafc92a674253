"""What shapes each product besides its inputs: the version of its code, the thresholds it rests on, where the site is.

One record a product. Everything here is written into the product's manifest and compared with it, so that a product
made by other code, with other thresholds or for another place is known to be out of date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Recipe:
    """code_version: raised whenever the product's numbers change without a change of inputs, thresholds or settings;
    the committed digests of the reference products say when (``satfusion_assets_tests/reference``). thresholds: modules
    of the package whose constants shape it, a package standing for all its modules. placed: whether it depends on where
    the site lies and how large it is.
    """

    code_version: int
    thresholds: tuple[str, ...] = ()
    placed: bool = True


FIRST: Final = 1
"""The code version of every product whose manifest names none: all code was version 1 then, whatever it did."""

_SERIES: Final = ("processing.sampling", "processing.series", "processing.indices")
_PHENOLOGY: Final = ("processing.phenology",)
_SKILL: Final = (
    "processing.scores",
    "processing.season_dates",
    "processing.skill",
    "processing.bootstrap",
    "processing.whittaker",
    *_PHENOLOGY,
    *_SERIES,
)
_PREPARATION: Final = (
    "grid",
    "processing.clouds",
    "processing.composites",
    "processing.preparation",
    "processing.snow",
    "processing.transients",
    "processing.indices",
)
_FUSION: Final = ("grid", "processing.efast")
_GAPS: Final = (
    "processing.gaps",
    "processing.calibration",
    "processing.clouds",
    "processing.moments",
    "processing.preparation",
    "processing.tables",
    *_FUSION,
    *_SKILL,
)

RECIPES: Final[Mapping[str, Recipe]] = {
    "raw_s2": Recipe(2, ("grid", "archives.earth_search.offset")),
    "raw_s3": Recipe(2, ("grid", "archives.copernicus.cubes")),
    "raw_phenocam": Recipe(2, ("processing.camera",), placed=False),
    "camera_phenology": Recipe(2, _PHENOLOGY, placed=False),
    "preselected": Recipe(2, ("processing.preselection", "processing.preparation", "processing.clouds", *_SERIES)),
    "prepared_bti": Recipe(2, _PREPARATION),
    "prepared_itb": Recipe(2, _PREPARATION),
    "fused": Recipe(2, _FUSION),
    "processed": Recipe(2, ("grid", "processing.crop", *_SERIES)),
    "scenario_metrics": Recipe(2, ("processing.scores", "processing.whittaker", *_SERIES), placed=False),
    "metrics": Recipe(2, _SKILL, placed=False),
    "phenology": Recipe(
        2, ("stages.phenology", "processing.preparation", "processing.clouds", *_SERIES, *_PHENOLOGY, *_FUSION)
    ),
    "pack": Recipe(2, ("store.packs", "processing.crop"), placed=False),
    "gap_benchmark": Recipe(2, _GAPS),
    "gap_experiment": Recipe(2, _GAPS),
    "score_table": Recipe(3, placed=False),
    "gap_table": Recipe(3, placed=False),
}
"""By product. Raise a code version only here; the UI shows partitions made by an older one as unsynced."""


def code_version(product: str) -> int:
    """The code version of a product; the first for one without a recipe."""
    return RECIPES[product].code_version if product in RECIPES else FIRST
