"""Which folder and file name belongs to which product: the viewer's reading of the layout, in one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from satfusion_assets.scenarios import Mode, Scenario
from satfusion_assets.viewer.links import Stage

Source = Literal["s2", "fused", "s3", "distance"]

_DAILY: Final = re.compile(r"(?P<day>\d{8})_(?P<rank>\d+)\.(?:geotiff|tiff?)")
_PREPARED_S2: Final = re.compile(r"S2\w_MSIL2A_(?P<day>\d{8})_(?:REFL|GCC)\.tif")
_DISTANCE: Final = re.compile(r"S2\w_MSIL2A_(?P<day>\d{8})_DIST_CLOUD\.tif")
_COMPOSITE: Final = re.compile(r"composite_(?P<day>\d{8})\.tif")
_FUSED: Final = re.compile(r"(?:REFL|GCC)_(?P<day>\d{8})\.tif")
PHOTO: Final = re.compile(r"(?P<day>\d{8})(?!.*_IR_)\w*\.jpe?g")


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
    QualityLayer("effective_scenes", "Effective scenes", "", "effective number of scenes, (sum w)^2 / sum w^2"),
    QualityLayer("coarse_support", "Coarse support", "", "0 none, 1 observed, 2 interpolated, 3 extrapolated"),
    QualityLayer("standard_deviation", "Standard deviation", "", "predictive standard deviation of the fused value"),
)

PHOTOS: Final = "raw/phenocam"
PACK: Final = "packs/{scenario}.zarr"


def folder(stage: Stage, source: Source, scenario: Scenario) -> Folder | None:
    """Where ``source`` lies at ``stage`` under ``scenario``; None when the stage has no such product."""
    return _folders(stage, scenario).get(source)


def _folders(stage: Stage, scenario: Scenario) -> dict[Source, Folder]:
    prepared = prepared_folder(scenario)
    match stage:
        case "raw":
            return {"s2": Folder("raw/s2", _DAILY), "s3": Folder("raw/s3", _DAILY)}
        case "prepared":
            return {
                "s2": Folder(f"{prepared}/s2", _PREPARED_S2),
                "distance": Folder(f"{prepared.removesuffix('_itb')}/s2", _DISTANCE),
                "s3": Folder(f"{prepared}/s3", _COMPOSITE),
            }
        case "fusion":
            return {
                "s2": Folder(f"{prepared}/s2", _PREPARED_S2),
                "fused": Folder(fusion_folder(scenario), _FUSED),
                "s3": Folder(f"{prepared}/s3", _COMPOSITE),
            }
        case "processed":
            base = f"processed_{scenario.key}"
            return {
                "s2": Folder(f"{base}/s2", _DAILY),
                "fused": Folder(f"{base}/fusion", _DAILY),
                "s3": Folder(f"{base}/s3", _DAILY),
            }


def prepared_folder(scenario: Scenario) -> str:
    """``prepared_aggressive`` or, for Index-then-Blend, ``prepared_aggressive_itb``."""
    return f"prepared_{scenario.strategy}" + ("_itb" if scenario.mode is Mode.ITB else "")


def fusion_folder(scenario: Scenario) -> str:
    """Folder of the fused days: sigma 20 is the default and bears no suffix."""
    return f"{prepared_folder(scenario)}/fusion" + ("_sigma30" if scenario.sigma == 30 else "")


def quality_file(scenario: Scenario, layer: str) -> str:
    """The season's file of one quality layer."""
    return f"{fusion_folder(scenario)}/quality/{layer}.tif"


def series_files(scenario: Scenario, source: Source) -> tuple[str, ...]:
    """The series of a processed product, sampled in the 3x3 window at the site: GCC, NDVI and bands."""
    name = "fusion" if source == "fused" else source
    return tuple(f"processed_{scenario.key}/{kind}/{name}/timeseries.json" for kind in ("gcc", "ndvi", "bands"))
