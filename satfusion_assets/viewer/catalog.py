"""What there is: the matrix of all site-seasons, and every day of every product of one of them.

Nothing is opened but small JSON files: days come from file names, so a catalogue of a hundred site-seasons takes
milliseconds and replaces probing for files from the browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pyproj import Transformer

from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.metrics.files import METRICS_FILE, SKILL_FILE
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_ROIS
from satfusion_assets.sampling.footprint import camera_view
from satfusion_assets.viewer import layout
from satfusion_assets.viewer.answers import (
    Daily,
    FoundFile,
    LayerAnswer,
    ListedSite,
    Overview,
    ScenarioFacts,
    Scores,
    ScreenedScene,
    SeasonAnswer,
    SeasonStatus,
    SiteFacts,
    Status,
)
from satfusion_assets.viewer.files import TABLES, Fence, iso_day
from satfusion_assets.viewer.layers import LAYER_FILE, band_numbers, layers_of
from satfusion_assets.viewer.rasters import read_tags
from satfusion_assets.viewer.shapes import Calibrated, CameraRecord, Metrics, Screened, Skill
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.links import STAGES, Stage
from satfusion_assets.vocabulary.scenarios import RECOMMENDED, SCENARIOS, SERIES_BANDS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteRegistry
from satfusion_assets.vocabulary.sources import Sensor

T = TypeVar("T")
_HEADLINE: Final = ("nse_pc", "r_squared", "pearson_r", "pearson_r2", "nrmse", "rmse", "mae", "n_samples")
_CALIBRATED: Final = ("nse", "rmse")
_UNITS: Final = {"s2": 1e-4, "s3": 1.0}
"""Reflectance of 1 in the pre-selection's series: Sentinel-2 is screened in digital numbers."""
_REACHED: Final[tuple[Status, ...]] = get_args(Status)
"""Least first."""
_DAILY: Final = frozenset({"s2", "s3", "scl", "fusion", "fusion_sigma30", "fusion_kriging"})
"""Folders of daily rasters, too many to list."""
_TABLES: Final = frozenset({".json", ".csv", ".parquet", ".tex"})
_MAPS: Final = frozenset({".tif", ".tiff", ".geotiff"})


class Catalog:
    """The product store of one data root, read afresh on every question."""

    def __init__(self, fence: Fence, sites_file: Path) -> None:
        self._fence = fence
        self._sites_file = sites_file

    def registry(self) -> SiteRegistry:
        """The sites, as the registry file has them now."""
        return SiteRegistry.load(self._sites_file)

    def seasons(self, site: Site) -> tuple[int, ...]:
        """Registered seasons and those that have products."""
        there = {int(name) for name in self._names(self._fence.root / site.name) if name.isdecimal() and len(name) == 4}
        return tuple(sorted(there | set(site.seasons)))

    def overview(self) -> Overview:
        """Sites, seasons and scenarios with how far each has come and its scores."""
        return {
            "sites": [self._site(site) for site in self.registry().sites],
            "scenarios": [_describe(scenario) for scenario in SCENARIOS],
            "tables": sorted(f"{TABLES}/{name}" for name in self._names(self._fence.root / TABLES) if _is_table(name)),
        }

    def _site(self, site: Site) -> ListedSite:
        seasons = [self._season_status(site.name, season) for season in self.seasons(site)]
        return {**_site_facts(site), "seasons": seasons}

    def _season_status(self, site: str, season: int) -> SeasonStatus:
        """How far each scenario has come. A file that cannot be used is said in ``problem`` and hides nothing else."""
        folder = self._fence.season(site, season)
        problems: list[str] = []
        top = set(self._listed(folder, problems))
        metrics = self._usable(folder / METRICS_FILE, Metrics, problems) or Metrics()
        skill = self._usable(folder / SKILL_FILE, Skill, problems)
        transitions = self._usable(folder / PHENOCAM_PHENOLOGY, dict[str, str | None], problems)
        scenes = self._listed(folder / "raw" / "s2", problems) if "raw" in top else []
        others = [name for name in ("phenocam", "s3") if "raw" in top and self._fence.is_folder(folder / "raw" / name)]
        fetched = others + ["s2"] * bool(scenes)
        return {
            "season": season,
            "raw": "s2" in fetched,
            "fetched": fetched,
            "camera": metrics.phenocam_stats,
            "transitions": transitions,
            "problem": " ".join(problems) or None,
            "scenarios": {
                scenario.key: {
                    "status": self._status(folder, top, fetched, scenario, metrics),
                    "scores": _headline(metrics, skill, scenario),
                    "intervals": _intervals(skill, scenario),
                }
                for scenario in SCENARIOS
            },
        }

    def _names(self, folder: Path) -> list[str]:
        return self._listed(folder, [])

    def _listed(self, folder: Path, problems: list[str]) -> list[str]:
        """Names in ``folder``; none where it cannot be listed, which is a problem."""
        try:
            return self._fence.listed(folder)
        except OSError as error:
            problems.append(f"{folder.name} cannot be listed ({error.strerror}); look at it on the disk.")
            return []

    def _status(self, folder: Path, top: set[str], fetched: list[str], scenario: Scenario, metrics: Metrics) -> Status:
        """The furthest stage reached: none, raw (images, not the camera), prepared, fused, processed or scored."""
        if _headline(metrics, None, scenario) is not None:
            return "scored"
        if ProcessedLayout(scenario).folder in top:
            return "processed"
        if self._fence.is_folder(folder / FusedLayout(scenario).folder):
            return "fused"
        if PreparedLayout(scenario.strategy, scenario.mode).folder in top:
            return "prepared"
        return "raw" if {"s2", "s3"} & set(fetched) else "none"

    def _usable(self, path: Path, shape: type[T], problems: list[str]) -> T | None:
        try:
            return self._fence.checked(path, shape)
        except (ProductCorrupt, ProductMissing) as error:
            problems.append(str(error))
            return None

    def season(self, name: str, season: int, scenario: Scenario) -> SeasonAnswer:
        """Everything that exists of one site-season under ``scenario``: days, files, layers, tables."""
        site = self.registry().site(name)
        folder = self._fence.season(site.name, season)
        grid = site_grid(site)
        products, box = list(self._walk(folder, scenario)), grid.fine.extent.boundingbox
        east, north = Transformer.from_crs(4326, grid.epsg, always_xy=True).transform(site.longitude, site.latitude)
        return {
            "site": {**_site_facts(site), "seasons": list(self.seasons(site))},
            "season": season,
            "scenario": scenario.key,
            "epsg": grid.epsg,
            "marker": (east, north),
            "extent": (box.left, box.bottom, box.right, box.top),
            "footprint": self._footprint(folder, site, east, north),
            "statuses": self._season_status(site.name, season),
            "stages": {stage: self._stage(folder, stage, scenario) for stage in STAGES},
            "coarse_quantity": self._said(folder, scenario, ("raw", "s3"), "QUANTITY"),
            "sources": self._said(folder, scenario, ("processed", "fused"), "SOURCES")
            or self._said(folder, scenario, ("raw", "s3"), "SOURCES"),
            "excluded": {"s2": self._excluded(folder, "s2"), "s3": self._excluded(folder, "s3")},
            "quality": self._quality(folder, scenario),
            "photos": self._files(folder / layout.PHOTOS, layout.PHOTO),
            "pack": self._fence.is_folder(folder / pack_folder(scenario)),
            "tables": [item for item in products if Path(item["path"]).suffix in _TABLES],
            "maps": [item for item in products if Path(item["path"]).suffix in _MAPS],
        }

    def _footprint(self, folder: Path, site: Site, east: float, north: float) -> list[tuple[float, float]] | None:
        """Border of the ground that the camera shows, metres of the grid; None where no camera is known.

        A record that cannot be read costs the border and no more.
        """
        record = self._usable(folder / PHENOCAM_ROIS, CameraRecord, [])
        if record is None:
            return None
        vegetation = next((region.vegetation for region in record.regions if region.name == record.chosen), None)
        return camera_view((east, north), site.latitude, record.orientation, vegetation or site.vegetation).outline()

    def _stage(self, folder: Path, stage: Stage, scenario: Scenario) -> dict[layout.Source, Daily]:
        products: dict[layout.Source, Daily] = {}
        for source in get_args(layout.Source):
            product = layout.folder(stage, source, scenario)
            if product is not None:
                products[source] = self._files(folder / product.path, product.names)
        return products

    def _said(self, folder: Path, scenario: Scenario, which: tuple[Stage, layout.Source], tag: str) -> str | None:
        """What the images of a stage and source say of themselves: the tag of their first."""
        product = layout.folder(*which, scenario)
        names = [] if product is None else sorted(filter(product.names.fullmatch, self._names(folder / product.path)))
        if product is None or not names:
            return None
        return read_tags(self._fence.real(folder / product.path / names[0])).get(tag)

    def default_scenario(self, site: str, season: int) -> Scenario:
        """The scenario to open first: the furthest come; of those the recommended, else one with colours and the
        best nse_pc."""
        found = self._season_status(site, season)["scenarios"]

        def merit(scenario: Scenario) -> tuple[int, bool, bool, float]:
            status = found[scenario.key]
            score = (status["scores"] or {}).get("nse_pc")
            reached = _REACHED.index(status["status"])
            return (
                reached,
                scenario == RECOMMENDED,
                scenario.mode is Mode.BTI,
                float("-inf") if score is None else score,
            )

        return max(SCENARIOS, key=merit)

    def _files(self, folder: Path, pattern: re.Pattern[str]) -> Daily:
        """The daily files of one folder: its address, and the files' days and names side by side."""
        found = [(match["day"], name) for name in self._names(folder) if (match := pattern.fullmatch(name))]
        days = sorted(found)
        return {
            "folder": self._fence.relative(folder),
            "days": [iso_day(day) for day, _ in days],
            "names": [name for _, name in days],
        }

    def _excluded(self, folder: Path, sensor: Sensor) -> list[ScreenedScene]:
        """One row a raw scene: its numbers and the rule that excluded it, per strategy (or None)."""
        scenes = self._fence.checked(folder / preselection(sensor, "json"), list[Screened]) or []
        return [_screened(scene.model_dump(), _UNITS[sensor]) for scene in scenes]

    def _quality(self, folder: Path, scenario: Scenario) -> list[LayerAnswer]:
        pack = folder / FusedLayout(scenario).quality
        if not self._fence.is_file(pack / LAYER_FILE):
            return []
        found = layers_of(self._fence.real(pack), self._fence.relative(pack))
        return [
            {
                "key": f"{layer.key}_{band}" if band else layer.key,
                "label": f"{layer.label}, {band}" if band else layer.label,
                "unit": layer.unit,
                "explanation": layer.explanation,
                "path": self._fence.relative(pack / layer.key / LAYER_FILE),
                "days": [*found[layer.key].days],
                "bands": numbers,
            }
            for layer in layout.QUALITY
            if layer.key in found
            for band, numbers in band_numbers(found[layer.key]).items()
        ]

    def _walk(self, folder: Path, scenario: Scenario) -> Iterator[FoundFile]:
        """Tables and maps of the season and the scenario: never the daily rasters or the packs."""
        here = (f"prepared_{scenario.strategy}", ProcessedLayout(scenario).folder)
        for name in sorted(self._names(folder)):
            if name.startswith((".", "packs")) or (name.startswith(("prepared_", "processed_")) and name not in here):
                continue
            yield from self._entries(folder / name, 4)

    def _entries(self, path: Path, depth: int) -> Iterator[FoundFile]:
        if self._fence.is_file(path):
            yield {"path": self._fence.relative(path), "bytes": self._fence.size(path)}
        elif depth and not _is_daily(path):
            for name in sorted(self._names(path)):
                if not name.startswith("."):
                    yield from self._entries(path / name, depth - 1)


def _is_table(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix in _TABLES


def _is_daily(folder: Path) -> bool:
    return folder.name in _DAILY and folder.parent.name.startswith(("raw", "prepared_", "processed_"))


def _site_facts(site: Site) -> SiteFacts:
    return {
        "name": site.name,
        "latitude": site.latitude,
        "longitude": site.longitude,
        "elevation": site.elevation,
        "description": site.description,
        "vegetation_type": site.vegetation_type,
        "registered": list(site.seasons),
    }


def _describe(scenario: Scenario) -> ScenarioFacts:
    return {
        "key": scenario.key,
        "strategy": scenario.strategy,
        "mode": scenario.mode,
        "method": scenario.method,
        "sigma": scenario.sigma,
    }


def _headline(metrics: Metrics, skill: Skill | None, scenario: Scenario) -> Scores | None:
    """Scores of the contract, and beside them those without the camera's own colours, null where there are none."""
    scores = (metrics.temporal or {}).get(scenario.score_key)
    if scores is None or not scores.model_fields_set:
        return None
    calibrated = _calibrated(skill, scenario)
    return {
        **{name: getattr(scores, name) for name in _HEADLINE},
        **{f"{name}_calibrated": getattr(calibrated, name) for name in _CALIBRATED},
    }


def _intervals(skill: Skill | None, scenario: Scenario) -> dict[str, tuple[float, float] | None]:
    """95 % intervals of the calibrated scores, null where there is none."""
    calibrated = _calibrated(skill, scenario)
    return {f"{name}_calibrated": getattr(calibrated, f"{name}_interval") for name in _CALIBRATED}


def _calibrated(skill: Skill | None, scenario: Scenario) -> Calibrated:
    """Against the camera's region that metrics.json is scored against, the first."""
    regions = (skill.regions if skill is not None else None) or {}
    region = next(iter(regions.values()), None)
    skilled = (region.scenarios if region is not None else None) or {}
    found = skilled.get(scenario.key)
    return (found.calibrated if found is not None else None) or Calibrated()


def _screened(scene: dict[str, Any], unit: float) -> ScreenedScene:
    """One scene's window in reflectance, and the rule that excluded it, per strategy."""
    rules: dict[str, str | None] = {}
    for strategy in Strategy:
        excluded = scene.get(f"excluded_{strategy}")
        reason = scene.get(f"reason_{strategy}")
        rules[str(strategy)] = (reason or _reason(scene)) if excluded else None
    band = {key: None if scene.get(key) is None else scene[key] * unit for key in SERIES_BANDS}
    return {
        "date": str(scene["date"])[:10],
        "filename": scene.get("filename"),
        "ndvi": scene.get("ndvi"),
        "b02": band["b02"],
        "b03": band["b03"],
        "b04": band["b04"],
        "b8a": band["b8a"],
        "rules": rules,
    }


def _reason(scene: dict[str, Any]) -> str:
    """The rule, where the file does not name it: only a missing NDVI can be told apart from the rest for certain."""
    return "no_ndvi" if scene.get("ndvi") is None else "excluded"
