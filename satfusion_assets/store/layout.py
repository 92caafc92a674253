"""The contract's paths: where each product's files lie below a site-season folder.

Users' tools (the thesis' viewer, table exports) read these names; see the layout in README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from satfusion_assets.vocabulary.scenarios import Mode, Scenario, Strategy

Sensor = Literal["s2", "s3"]
Source = Literal["s2", "s3", "fusion"]
SeriesKind = Literal["gcc", "ndvi", "bands"]
SENSORS: Final[tuple[Sensor, ...]] = ("s2", "s3")
SOURCES: Final[tuple[Source, ...]] = ("s2", "s3", "fusion")

S2_SCENES: Final = "raw/s2/scenes.json"
S3_OVERPASSES: Final = "raw/s3/overpasses.json"
PHENOCAM_ROIS: Final = "raw/phenocam/rois.json"
PHENOCAM_GCC: Final = "raw/phenocam/phenocam_gcc"
PHENOCAM_GCC_3Y: Final = "raw/phenocam/phenocam_gcc_3y.json"
PHENOCAM_REGIONS: Final = "raw/phenocam/phenocam_gcc_regions.json"
PHENOCAM_PHENOLOGY: Final = "raw/phenocam/phenocam_phenology.json"
CAMERA_DATES: Final = "raw/phenocam/camera_dates.json"
"""The camera's dates with their intervals, in the shape of ``PhenologyLayout.site``."""
METRICS: Final = "metrics.json"
SKILL: Final = "skill.json"


def stamp(day: date) -> str:
    """``20240131``: how days are written in file names."""
    return f"{day:%Y%m%d}"


def raw_scene(sensor: Sensor, scene: str) -> str:
    """Raster of one raw scene or overpass, ``scene`` = ``20240131_0``."""
    return f"raw/{sensor}/{scene}.geotiff"


def raw_scl(scene: str) -> str:
    """Scene classification of one Sentinel-2 scene, with the cloud margin around the site."""
    return f"raw/scl/{scene}.geotiff"


def preselection(sensor: Sensor, suffix: Literal["json", "csv"]) -> str:
    return f"raw/preselection/{sensor}_preselection.{suffix}"


def camera_picture(day: date) -> str:
    return f"raw/phenocam/{stamp(day)}.jpg"


PREPARED: Final = {Mode.BTI: "prepared_bti", Mode.ITB: "prepared_itb"}
"""Product name of each mode's prepared images."""


@dataclass(frozen=True)
class PreparedLayout:
    """Files of one strategy and mode on the site grid, ready to be fused."""

    strategy: Strategy
    mode: Mode

    @property
    def folder(self) -> str:
        return f"prepared_{self.strategy}" + ("_itb" if self.mode is Mode.ITB else "")

    @property
    def kind(self) -> str:
        """``REFL`` for reflectance, ``GCC`` for the index."""
        return "GCC" if self.mode is Mode.ITB else "REFL"

    def fine(self, day: date) -> str:
        return f"{self.folder}/s2/S2A_MSIL2A_{stamp(day)}_{self.kind}.tif"

    def cloud_distance(self, day: date) -> str:
        return f"{self.folder}/s2/S2A_MSIL2A_{stamp(day)}_DIST_CLOUD.tif"

    def coarse(self, day: date) -> str:
        return f"{self.folder}/s3/composite_{stamp(day)}.tif"

    def series(self, kind: SeriesKind, sensor: Sensor) -> str:
        """The images read at the site, margins of the season included."""
        return f"{self.folder}/{kind}/{sensor}/timeseries.json"

    @property
    def summary(self) -> str:
        """What went into each day: scenes merged, share masked, composites used."""
        return f"{self.folder}/preparation.json"


@dataclass(frozen=True)
class FusedLayout:
    """Files of one fused scenario."""

    scenario: Scenario

    @property
    def folder(self) -> str:
        prepared = PreparedLayout(self.scenario.strategy, self.scenario.mode).folder
        return f"{prepared}/fusion" + ("" if self.scenario.sigma == 20 else f"_sigma{self.scenario.sigma}")

    def image(self, day: date) -> str:
        kind = PreparedLayout(self.scenario.strategy, self.scenario.mode).kind
        return f"{self.folder}/{kind}_{stamp(day)}.tif"

    def series(self, kind: SeriesKind) -> str:
        """The images read at the site, before they are cut to the valid window."""
        prepared, name = self.folder.split("/")
        return f"{prepared}/{kind}/{name}/timeseries.json"

    def quality(self, layer: str) -> str:
        """One raster a season and layer, a band per day."""
        return f"{self.folder}/quality/{layer}.tif"

    @property
    def status(self) -> str:
        """One word a day: ok, no_coarse or no_fine."""
        return f"{self.folder}/status.json"


@dataclass(frozen=True)
class ProcessedLayout:
    """Files of one processed scenario: rasters cropped to the valid window, and time series."""

    scenario: Scenario

    @property
    def folder(self) -> str:
        return f"processed_{self.scenario.key}"

    def image(self, source: Source, day: date) -> str:
        return f"{self.folder}/{source}/{stamp(day)}_0.geotiff"

    def series(self, kind: SeriesKind, source: Source) -> str:
        return f"{self.folder}/{kind}/{source}/timeseries.json"

    def export(self, source: Source, suffix: Literal["json", "csv"]) -> str:
        return f"{self.folder}/export/{source}/timeseries.{suffix}"

    @property
    def window(self) -> str:
        """The crop window in pixels of the site grid, and the pixel at the site."""
        return f"{self.folder}/window.json"

    @property
    def scores(self) -> str:
        return f"{self.folder}/scores.json"


def pack_folder(scenario: Scenario) -> str:
    """The season of one scenario as one analysis-ready Zarr group."""
    return f"packs/{scenario.key}.zarr"


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


@dataclass(frozen=True)
class PhenologyLayout:
    """Date maps of one scenario, and the dates at the site."""

    scenario: Scenario

    @property
    def folder(self) -> str:
        return f"phenology_{self.scenario.key}"

    def dates(self, transition: str) -> str:
        """One transition (``rising_50``) in three bands: day of year, lower and upper end of the 95 % interval."""
        return f"{self.folder}/{transition}.tif"

    @property
    def labels(self) -> str:
        """How each date came about, a band per transition, and the number of seasons."""
        return f"{self.folder}/labels.tif"

    @property
    def site(self) -> str:
        return f"{self.folder}/site.json"


class TableLayout:
    """Files of the tables over all site-seasons, below ``tables/`` of the data root."""

    @staticmethod
    def scores(suffix: Literal["csv", "parquet", "tex"]) -> str:
        """Every scored series of every site-season."""
        return f"scores.{suffix}"

    @staticmethod
    def gaps(suffix: Literal["csv", "parquet"]) -> str:
        """Gap benchmark, spatial tier."""
        return f"gaps.{suffix}"

    @staticmethod
    def gap_seasons(suffix: Literal["csv", "parquet"]) -> str:
        """Gap benchmark, temporal and phenology tier."""
        return f"gaps_season.{suffix}"

    @staticmethod
    def gap_summary(suffix: Literal["csv", "tex"]) -> str:
        """Spatial tier by strategy, method, quantity and gap length."""
        return f"gaps_summary.{suffix}"


def day_of(name: str) -> date:
    """The day in a contract file name: ``..._20240131_REFL.tif``, ``20240131_0.geotiff``."""
    base = name.rsplit("/", 1)[-1]
    for part in base.replace(".", "_").split("_"):
        if len(part) == 8 and part.isdigit():
            return date(int(part[:4]), int(part[4:6]), int(part[6:]))
    raise ValueError(f"{name} carries no day")
