"""How the viewer reads the layout: which folder and file names show a source at a stage, and the quality layers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.vocabulary.links import Stage
from satfusion_assets.vocabulary.scenarios import Scenario

Source = Literal["s2", "fused", "s3", "distance", "scl"]

_DAILY: Final = re.compile(r"(?P<day>\d{8})_(?P<rank>\d+)\.(?:geotiff|tiff?)")
_PREPARED_S2: Final = re.compile(r"S2\w_MSIL2A_(?P<day>\d{8})_(?:REFL|GCC)\.tif")
_DISTANCE: Final = re.compile(r"S2\w_MSIL2A_(?P<day>\d{8})_DIST_CLOUD\.tif")
_COMPOSITE: Final = re.compile(r"composite_(?P<day>\d{8})\.tif")
_FUSED: Final = re.compile(r"(?:REFL|GCC)_(?P<day>\d{8})\.tif")
PHOTO: Final = re.compile(r"(?P<day>\d{8})(?!.*_IR_)\w*\.jpe?g")
PHOTOS: Final = "raw/phenocam"


@dataclass(frozen=True)
class Folder:
    """One product: the folder below a site-season and the names of its daily files."""

    path: str
    names: re.Pattern[str]


@dataclass(frozen=True)
class QualityLayer:
    """A layer beside the fused image: one multi-band file a season, a band per day described by its ISO date."""

    key: str
    label: str
    unit: str
    explanation: str


QUALITY: Final = (
    QualityLayer(
        "days_to_scene", "Days to nearest clear scene", "d", "days to the nearest clear Sentinel-2 scene used"
    ),
    QualityLayer("effective_scenes", "Effective scenes", "", "effective number of scenes, (Σw)² / Σw²"),
    QualityLayer("coarse_support", "Coarse support", "", "how the coarse value came about"),
    QualityLayer(
        "support", "Support", "", "what a kriged value rests on: scenes around the day, Sentinel-3, or its level"
    ),
    QualityLayer("standard_deviation", "Standard deviation", "", "predictive standard deviation of the fused value"),
)


def folder(stage: Stage, source: Source, scenario: Scenario) -> Folder | None:
    """Where ``source`` lies at ``stage`` under ``scenario``; None when the stage has no such product."""
    prepared = PreparedLayout(scenario.strategy, scenario.mode).folder
    processed = ProcessedLayout(scenario).folder
    places: dict[tuple[Stage, Source], Folder] = {
        ("raw", "s2"): Folder("raw/s2", _DAILY),
        ("raw", "scl"): Folder("raw/scl", _DAILY),
        ("raw", "s3"): Folder("raw/s3", _DAILY),
        ("prepared", "s2"): Folder(f"{prepared}/s2", _PREPARED_S2),
        ("prepared", "distance"): Folder(f"{prepared}/s2", _DISTANCE),
        ("prepared", "s3"): Folder(f"{prepared}/s3", _COMPOSITE),
        ("fusion", "s2"): Folder(f"{prepared}/s2", _PREPARED_S2),
        ("fusion", "fused"): Folder(FusedLayout(scenario).folder, _FUSED),
        ("fusion", "s3"): Folder(f"{prepared}/s3", _COMPOSITE),
        ("processed", "s2"): Folder(f"{processed}/s2", _DAILY),
        ("processed", "fused"): Folder(f"{processed}/fusion", _DAILY),
        ("processed", "s3"): Folder(f"{processed}/s3", _DAILY),
    }
    return places.get((stage, source))


def series_files(scenario: Scenario, source: Source) -> list[str]:
    """The series of a processed product, sampled in the 3x3 window at the site: GCC, NDVI and bands."""
    layout = ProcessedLayout(scenario)
    published: Literal["s2", "s3", "fusion"] = "s3" if source == "s3" else "s2" if source == "s2" else "fusion"
    return [layout.series("gcc", published), layout.series("ndvi", published), layout.series("bands", published)]
