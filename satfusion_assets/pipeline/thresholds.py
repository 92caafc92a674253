"""Which modules' constants shape which products: modules of the package, a package standing for all its modules.

Everything named here is written into the product's manifest and compared with it, so that a product that was made with
other thresholds is known to be out of date (``provenance``).
"""

from __future__ import annotations

from typing import Final

SITE_SERIES: Final = ("sampling.window", "sampling.series", "vocabulary.indices")
PHENOLOGY_METHOD: Final = (
    "phenology.crossings",
    "phenology.evidence",
    "phenology.fields",
    "phenology.labels",
    "phenology.maps",
    "phenology.noise",
    "phenology.scene_errors",
    "phenology.series",
    "phenology.smoothing",
    "phenology.timesat",
    "phenology.turns",
)
SCORING: Final = (
    "evaluation.scores",
    "evaluation.skill",
    "evaluation.bootstrap",
    "evaluation.season_dates",
    "phenology.whittaker",
    *PHENOLOGY_METHOD,
    *SITE_SERIES,
)
PREPARATION: Final = (
    "vocabulary.grid",
    "vocabulary.indices",
    "screening.clouds",
    "screening.composites",
    "screening.preparation",
    "screening.snow",
    "screening.transients",
)
EFAST: Final = ("fusion.efast",)
KRIGING: Final = ("fusion.kriging",)
GAPS: Final = (
    "evaluation.gaps",
    "evaluation.calibration",
    "evaluation.moments",
    "export.gap_reports",
    "export.gap_tables",
    "export.score_tables",
    "screening.clouds",
    "screening.preparation",
    "vocabulary.grid",
    *EFAST,
    *KRIGING,
    *SCORING,
)
