"""Small whole products of one site-season, as dictionaries of files that a test may spoil before they are published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from odc.geo.geobox import GeoBox

from satfusion_assets.phenology import TRANSITIONS
from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.metrics.files import METRICS_FILE
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.phenology.files import PhenologyLayout
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_ROIS, camera_picture
from satfusion_assets.pipeline.raw_s2.files import S2_SCENES, raw_scl
from satfusion_assets.pipeline.raw_s3.files import S3_OVERPASSES
from satfusion_assets.pipeline.stac_catalogue import files as stac
from satfusion_assets.pipeline.table_files import TableLayout
from satfusion_assets.store import ALL_SEASONS, Product, Store
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.store.rasters import encode_raster
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import BANDS, S2_BANDS, S3_BANDS, SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.vocabulary.sources import SOURCES

SITE = Site(name="innsbruck", latitude=47.116, longitude=11.32, seasons=(2024,), extent_m=600)
SEASON = SiteSeason("innsbruck", 2024)
GRID = site_grid(SITE)
DAYS = [SEASON.start + timedelta(n) for n in range(366)]
SCENE_DAYS = DAYS[::15]
BTI, ITB = SCENARIOS[0], SCENARIOS[2]
REFLECTANCE = np.array([0.04, 0.07, 0.05, 0.3], np.float32)

SOURCES_OF = {
    "score_table": (Product("metrics", SEASON),),
    "stac_catalogue": (Product("processed", SEASON, BTI.key),),
}
SCENE_NOISE = 0.01

Files = dict[str, Any]
"""Contract path -> Picture, bytes, or what becomes JSON or a Parquet table."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A raster before it is encoded (once, however many files share it); values: (bands, H, W)."""

    values: np.ndarray
    geobox: GeoBox
    nodata: float | None
    bands: tuple[str, ...]
    scale: float = 1.0

    @cached_property
    def encoded(self) -> bytes:
        return encode_raster(self.values, self.geobox, nodata=self.nodata, descriptions=self.bands, scale=self.scale)


def publish(store: Store, product: Product, files: Mapping[str, Any]) -> None:
    with ExitStack() as stack:
        # The criteria of a table ask which site-seasons it was made from.
        made_from = [stack.enter_context(store.read(one)) for one in SOURCES_OF.get(product.name, ())]
        draft = stack.enter_context(store.publish(product, inputs=made_from))
        for name, content in files.items():
            if isinstance(content, Picture):
                draft.write_bytes(name, content.encoded)
            elif isinstance(content, bytes):
                draft.write_bytes(name, content)
            elif name.endswith(".parquet"):
                pd.DataFrame(content).to_parquet(draft.path(name))
            else:
                draft.write_json(name, content)


def flat(geobox: GeoBox, values: np.ndarray, bands: tuple[str, ...], nodata: float | None = np.nan) -> Picture:
    """The same value everywhere, per band."""
    cube = np.broadcast_to(values[:, np.newaxis, np.newaxis], (len(bands), *geobox.shape)).copy()
    return Picture(cube, geobox, nodata, bands)


def noisy(picture: Picture) -> Picture:
    """The picture with the errors of a scene."""
    noise = np.random.default_rng(1).normal(0, SCENE_NOISE, picture.values.shape)
    return replace(picture, values=(picture.values + noise).astype(picture.values.dtype))


def scene_name(day: date) -> str:
    return f"{day:%Y%m%d}_0"


def raw_s2() -> Files:
    scenes = [_scene(day) for day in SCENE_DAYS]
    files: Files = {S2_SCENES: {"collection": "sentinel-2-l2a", "scenes": scenes, "set_aside": []}}
    bands = flat(GRID.fine, (REFLECTANCE * 10_000).astype(np.uint16), S2_BANDS, 0)
    scl = flat(GRID.scl, np.array([4], np.uint8), ("SCL",), 255)
    for name in map(scene_name, SCENE_DAYS):
        files |= {raw_scene("s2", name): bands, raw_scl(name): scl}
    return files


def _scene(day: date) -> dict[str, Any]:
    return {
        "name": scene_name(day),
        "platform": "sentinel-2a",
        "sensed": f"{day}T10:10:00+00:00",
        "tile": "32TPT",
        "relative_orbit": 22,
        "offset_subtracted": 1000,
        "offset_decision": "baseline 05.10",
        "pixels_at_or_below_zero": 0,
    }


def raw_s3() -> Files:
    days = DAYS[::5]
    overpasses = [{"name": scene_name(day), "time": f"{day}T09:30:00"} for day in days]
    files: Files = {S3_OVERPASSES: {"overpasses": overpasses, "set_aside": []}}
    names = [raw_scene("s3", scene_name(day)) for day in days]
    return files | dict.fromkeys(names, flat(GRID.coarse, REFLECTANCE, S3_BANDS))


def raw_phenocam() -> Files:
    greenness = 0.36 + 0.08 * np.sin(np.linspace(0, np.pi, len(DAYS)))
    rows = [{"date": day.isoformat(), "greenness_index": float(g)} for day, g in zip(DAYS, greenness, strict=True)]
    table = "".join(f"{row['date']},{row['greenness_index']},10,,,1\n" for row in rows)
    return {
        f"{PHENOCAM_GCC}.json": rows,
        f"{PHENOCAM_GCC}.csv": f"date,greenness_index,image_count,snow,outlier,used\n{table}".encode(),
        PHENOCAM_ROIS: {"pictures": {f"{DAYS[0]:%Y%m%d}": "/data/a.jpg"}},
        camera_picture(DAYS[0]): b"jpeg",
    }


def preselected() -> Files:
    def rows(days: list[date]) -> list[dict[str, Any]]:
        verdicts = {f"excluded_{strategy}": False for strategy in Strategy}
        return [{"filename": f"{scene_name(day)}.geotiff", "date": str(day), **verdicts} for day in days]

    return {preselection("s2", "json"): rows(SCENE_DAYS), preselection("s3", "json"): rows(DAYS[::5])}


def prepared(mode: Mode, strategy: Strategy = Strategy.AGGRESSIVE) -> Files:
    layout = PreparedLayout(strategy, mode)
    values, bands = channels(mode)
    rows = [{"date": day.isoformat(), "valid_fraction": 0.8} for day in SCENE_DAYS]
    files: Files = {layout.summary: {"s2": rows, "s3": []}}
    fine, coarse = noisy(flat(GRID.fine, values, bands)), flat(GRID.coarse, values, bands)
    distance = flat(GRID.coarse, np.array([5], np.float32), ("distance",))
    for day in SCENE_DAYS:
        files |= {layout.fine(day): fine, layout.cloud_distance(day): distance, layout.coarse(day): coarse}
    return files


def channels(mode: Mode) -> tuple[np.ndarray, tuple[str, ...]]:
    """A pixel's values and its bands."""
    return (np.array([0.42], np.float32), ("gcc",)) if mode is Mode.ITB else (REFLECTANCE, BANDS)


def fused(scenario: Scenario) -> Files:
    layout = FusedLayout(scenario)
    values, bands = channels(scenario.mode)
    files: Files = {layout.status: {day.isoformat(): "ok" for day in DAYS}}
    files |= quality(scenario, SCENE_NOISE)
    files[layout.scene_noise] = {day.isoformat(): dict.fromkeys(bands, 0.0) for day in SCENE_DAYS}
    return files | dict.fromkeys(map(layout.image, DAYS), flat(GRID.fine, values, bands))


def quality(scenario: Scenario, deviation: float) -> Files:
    """The same deviation everywhere on the days of scenes."""
    bands = channels(scenario.mode)[1]
    values = np.full((len(SCENE_DAYS), len(bands), *GRID.fine.shape), deviation, np.float32)
    layer = PackLayer("standard_deviation", np.array(SCENE_DAYS, "datetime64[D]"), values, bands)
    return _packed(FusedLayout(scenario).quality, [layer], tuple(GRID.fine.affine)[:6])


def processed(scenario: Scenario) -> Files:
    layout = ProcessedLayout(scenario)
    values, bands = channels(scenario.mode)
    cut = GRID.fine[:40, :50]
    window = {"row": 0, "col": 0, "height": 40, "width": 50, "epsg": GRID.epsg, "site_pixel": [20, 20]}
    files: Files = {layout.window: window}
    for source in SOURCES:
        files |= dict.fromkeys((layout.image(source, day) for day in SCENE_DAYS), flat(cut, values, bands))
        files[layout.series("gcc", source)] = [{"date": str(day), "greenness_index": 0.42} for day in SCENE_DAYS]
    return files


def scenario_metrics(scenario: Scenario) -> Files:
    return {ProcessedLayout(scenario).scores: {"temporal": {"pearson_r": 0.9, "nse": 0.7, "n_samples": 300}}}


def metrics() -> Files:
    return {METRICS_FILE: {"temporal": {scenario.score_key: {"nse": 0.7} for scenario in SCENARIOS}}}


def camera_phenology() -> Files:
    return {PHENOCAM_PHENOLOGY: {"green_up_50pct_date": "2024-05-01", "green_down_50pct_date": "2024-10-01"}}


def phenology(scenario: Scenario) -> Files:
    layout = PhenologyLayout(scenario)
    days = dict(zip(TRANSITIONS, (90, 100, 120, 310, 290, 270), strict=True))
    bands = ("day of year", "lower end of the 95 % interval", "upper end of the 95 % interval")
    files: Files = {layout.labels: flat(GRID.fine, np.ones(7, np.uint8), (*TRANSITIONS, "seasons"), 255)}
    for transition, day in days.items():
        files[layout.dates(transition)] = flat(GRID.fine, np.array([day, day - 5, day + 5], np.float32), bands)
    return files


def pack(scenario: Scenario) -> Files:
    days, values = np.array(SCENE_DAYS, "datetime64[D]"), np.full((len(SCENE_DAYS), 4, 4, 5), 0.1)
    layers = [PackLayer(name, days, values, BANDS) for name in ("fused", "s2", "s3")]
    return _packed(pack_folder(scenario), layers, (10.0, 0.0, 600000.0, 0.0, -10.0, 5200000.0))


def _packed(name: str, layers: list[PackLayer], transform: tuple[float, ...]) -> Files:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "pack.zarr"
        write_pack(root, layers, transform, GRID.epsg)
        files = [path for path in root.rglob("*") if path.is_file()]
        return {f"{name}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in files}


def score_table() -> Files:
    rows = [
        {"site": SEASON.site, "season": SEASON.season, "region": "GR_1000", "series": series, "own_region": True}
        for series in ("s2", BTI.score_key)
    ]
    return {TableLayout.scores("parquet"): [{**row, "nse_pc": 0.7} for row in rows]}


def stac_catalogue() -> Files:
    rows = [{"id": f"{SEASON.key}_{BTI.key}_{day:%Y%m%d}"} for day in DAYS[:2]]
    return {stac.item(SEASON, BTI): {"id": f"{SEASON.key}_{BTI.key}"}, stac.INDEX: rows}


def gap_benchmark() -> Files:
    layout = GapLayout()
    spatial = {
        BTI.key: {"gcc": {"n_pixels": 9, "estimated_share": 0.9, "nse_s2": 0.5}},
        "linear": {"gcc": {"n_pixels": 9}},
    }
    gap = {"key": "30_peak", "gap_days": 30, "transition": "peak", "n_withheld_pixels": 10, "spatial": spatial}
    summaries = {layout.summary(None if scenario == BTI else scenario): {} for scenario in SCENARIOS}  # type: ignore[var-annotated]
    return {layout.metrics: {"strategies": {"aggressive": {"gaps": [gap]}}}, **summaries}


def gap_table() -> Files:
    row = {"site": SEASON.site, "season": SEASON.season, "strategy": "aggressive", "transition": "peak", "gap_days": 30}
    methods = ("linear", BTI.key)
    return {TableLayout.gaps("parquet"): [{**row, "method": method, "quantity": "gcc"} for method in methods]}


MAKERS: dict[Product, Callable[[], Files]] = {
    Product("raw_s2", SEASON): raw_s2,
    Product("raw_s3", SEASON): raw_s3,
    Product("raw_phenocam", SEASON): raw_phenocam,
    Product("preselected", SEASON): preselected,
    Product("prepared_bti", SEASON, "aggressive"): lambda: prepared(Mode.BTI),
    Product("prepared_itb", SEASON, "aggressive"): lambda: prepared(Mode.ITB),
    Product("fused", SEASON, BTI.key): lambda: fused(BTI),
    Product("fused", SEASON, ITB.key): lambda: fused(ITB),
    Product("processed", SEASON, BTI.key): lambda: processed(BTI),
    Product("scenario_metrics", SEASON, BTI.key): lambda: scenario_metrics(BTI),
    Product("metrics", SEASON): metrics,
    Product("score_table", ALL_SEASONS): score_table,
    Product("stac_catalogue", ALL_SEASONS): stac_catalogue,
    Product("camera_phenology", SEASON): camera_phenology,
    Product("phenology", SEASON, BTI.key): lambda: phenology(BTI),
    Product("pack", SEASON, BTI.key): lambda: pack(BTI),
    Product("gap_benchmark", SEASON): gap_benchmark,
    Product("gap_table", ALL_SEASONS): gap_table,
}
"""How a good product of every kind is made."""
