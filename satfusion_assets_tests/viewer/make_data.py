"""A small product store in the layout's contract, for the viewer's tests: a landscape whose colours are known.

Reflectance at day d follows one green-up and one green-down; fields differ in amplitude and date. Clouds lie on known
Sentinel-2 days. Run as a module to make a full season by hand: ``python -m satfusion_assets_tests.viewer.make_data
FOLDER``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import CHANNELS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteRegistry, make_site
from satfusion_assets_tests.viewer.landscape import Landscape, cloud_distance, coarse, write_json, write_raster
from satfusion_assets_tests.viewer.tables import metrics, skill, write_gaps

FEATURED = Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20)
ITB = Scenario(Strategy.AGGRESSIVE, Mode.ITB, 20)


def make_store(root: Path, *, days: int = 366, step: int = 1, scenarios: Iterable[Scenario] = (FEATURED, ITB)) -> None:
    """A store at ``root``: innsbruck 2024 complete for ``scenarios``, five more sites registered and empty.

    days: how many days of the fused season from 1 March on (366 = the calendar year); step: every step-th of them.
    """
    root.mkdir(parents=True, exist_ok=True)
    registry = SiteRegistry.load(root / "sites.geojson")
    for site in registry.sites:
        registry = registry.add(site)
    site = registry.site("innsbruck")
    first = date(2024, 1, 1) if days >= 366 else date(2024, 3, 1)
    season = [first + timedelta(n) for n in range(0, days, step)]
    make_season(root, site, 2024, season, tuple(scenarios))
    southern = make_site("test", name="southern", latitude=-35.3, longitude=149.1, seasons=(2024,), extent_m=600)
    registry.add(southern)
    make_season(root, southern, 2024, season[:6], (FEATURED,))


def make_season(root: Path, site: Site, season: int, days: list[date], scenarios: tuple[Scenario, ...]) -> None:
    """All products of one site-season for ``days``."""
    folder = root / site.name / str(season)
    land = Landscape(site_grid(site))
    scenes = [day for number, day in enumerate(days) if (day - days[0]).days % 5 == 0]
    _raw(folder, land, scenes, days)
    _camera(folder, land, days)
    for scenario in scenarios:
        _scenario(folder, land, scenario, scenes, days)
    write_json(folder / "metrics.json", metrics(scenarios))
    if len(scenarios) > 1:
        write_json(folder / "skill.json", skill(scenarios))
    write_gaps(folder, land, days)
    _phenology(folder, land, scenarios)


def rule_of(number: int) -> str | None:
    """Which rule excludes the season's n-th Sentinel-2 scene: clouds lower the NDVI of some, others are dark."""
    return {2: "low_ndvi", 6: "dark"}.get(number % 8)


def _raw(folder: Path, land: Landscape, scenes: list[date], days: list[date]) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"s2": [], "s3": []}
    for number, day in enumerate(scenes):
        truth = land.reflectance(day)
        rule = rule_of(number)
        if rule == "low_ndvi":
            truth = truth + (0.62 - truth) * land.clouds(number)
        elif rule == "dark":
            truth = truth * 0.08
        stored = np.rint(truth * 10_000).astype(np.uint16)
        stored[:, :4, :] = 0
        write_raster(folder / f"raw/s2/{day:%Y%m%d}_0.geotiff", stored, land, ("B02", "B03", "B04", "B8A"), nodata=0)
        classes = np.where(land.clouds(number) > 0.3, 9, 4) if rule == "low_ndvi" else np.full(land.shape, 4)
        write_raster(folder / f"raw/scl/{day:%Y%m%d}_0.geotiff", classes[None].astype(np.uint8), land, ("SCL",), 0)
        rows["s2"].append(_screening(day, truth * 10_000, rule))
    for day in days[::2]:
        means = coarse(land.reflectance(day)) * 1.03
        write_raster(
            folder / f"raw/s3/{day:%Y%m%d}_0.geotiff", means.astype(np.float32), land, ("Oa04", "Oa06", "Oa08", "Oa17"),
            tags={"QUANTITY": "top-of-atmosphere reflectance", "SOURCES": SOURCES},
        )  # fmt: skip
        rows["s3"].append(_screening(day, land.reflectance(day), "low_ndvi" if day.day == 11 else None))
    for sensor, found in rows.items():
        write_json(folder / f"raw/preselection/{sensor}_preselection.json", found)


SOURCES = "SENTINEL3_OLCI_L1B: licence CC0-1.0; synthetic data | sentinel-2-l2a: licence CC0-1.0; synthetic data"


def _screening(day: date, bands: np.ndarray, rule: str | None) -> dict[str, Any]:
    means = bands[:, bands.shape[1] // 2, bands.shape[2] // 2]
    blue, green, red, nir = (round(float(value), 5) for value in means)
    return {
        "filename": f"{day:%Y%m%d}_0.geotiff", "date": f"{day}T00:00:00",
        "ndvi": 0.08 if rule == "low_ndvi" else round((nir - red) / (nir + red), 5),
        "b02": blue, "b03": green, "b04": red, "b8a": nir,
        "excluded_aggressive": rule is not None, "excluded_nonaggressive": rule == "dark",
        "reason_aggressive": rule, "reason_nonaggressive": rule if rule == "dark" else None,
    }  # fmt: skip


def _camera(folder: Path, land: Landscape, days: list[date]) -> None:
    photos = folder / "raw/phenocam"
    photos.mkdir(parents=True, exist_ok=True)
    series = []
    for number, day in enumerate(days):
        cover = float(land.green(day).mean())
        series.append(
            {"date": day.isoformat(), "greenness_index": round(0.325 + 0.12 * cover + 0.004 * np.sin(number), 5)}
        )
        if number % 7 != 5:
            _photo(photos / f"{day:%Y%m%d}.jpg", cover, day)
    write_json(photos / "phenocam_gcc.json", series)
    write_json(
        photos / "phenocam_phenology.json", {"green_up_50pct_date": "2024-05-02", "green_down_50pct_date": "2024-10-04"}
    )
    region = {"name": "innsbruck_GR_1000", "vegetation": "GR"}
    write_json(photos / "rois.json", {"orientation": "E", "chosen": region["name"], "regions": [region]})
    write_json(photos / "camera_dates.json", {"camera": _dates(0)})


def _photo(path: Path, cover: float, day: date) -> None:
    picture = Image.new("RGB", (640, 420), (146, 184, 228))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, 230), (150, 120), (300, 220), (430, 90), (640, 230)], fill=(122, 122, 126))
    draw.rectangle([0, 225, 640, 420], fill=(int(150 - 105 * cover), int(125 + 25 * cover), int(80 - 40 * cover)))
    for x in range(20, 640, 45):
        draw.ellipse([x - 16, 200, x + 18, 246], fill=(int(95 - 50 * cover), int(80 + 30 * cover), 50))
    draw.text((8, 6), f"made data {day} 12:00 UTC", fill=(255, 255, 255))
    picture.save(path, quality=82)


def _scenario(folder: Path, land: Landscape, scenario: Scenario, scenes: list[date], days: list[date]) -> None:
    strategy = scenario.strategy
    itb = scenario.mode is Mode.ITB
    prepared = folder / (f"prepared_{strategy}" + ("_itb" if itb else ""))
    processed = folder / f"processed_{scenario.key}"
    kind, names = ("GCC" if itb else "REFL"), tuple(CHANNELS[scenario.mode])
    kept = [day for number, day in enumerate(scenes) if rule_of(number) is None]
    noise = np.random.default_rng(7)

    def product(bands: np.ndarray) -> np.ndarray:
        values = bands[1:2] / bands[:3].sum(axis=0) if itb else bands
        return values.astype(np.float32)

    stacks: dict[str, list[np.ndarray]] = {"s2": [], "fused": [], "s3": []}
    for day in kept:
        clear = product(land.reflectance(day) * (1 + 0.01 * noise.standard_normal((4, 1, 1))))
        clear[:, -20:, :14] = np.nan
        stacks["s2"].append(clear)
        write_raster(prepared / f"s2/S2A_MSIL2A_{day:%Y%m%d}_{kind}.tif", clear, land, names)
        write_raster(processed / f"s2/{day:%Y%m%d}_0.geotiff", clear, land, names)
        if not itb:
            write_raster(
                prepared / f"s2/S2A_MSIL2A_{day:%Y%m%d}_DIST_CLOUD.tif",
                cloud_distance(land),
                land,
                ("distance",),
                on_coarse=True,
            )
    for day in days:
        fused = product(land.reflectance(day))
        stacks["fused"].append(fused)
        sigma = "_sigma30" if scenario.sigma == 30 else ""
        write_raster(prepared / f"fusion{sigma}/{kind}_{day:%Y%m%d}.tif", fused, land, names)
        write_raster(processed / f"fusion/{day:%Y%m%d}_0.geotiff", fused, land, names)
    for day in days[::2]:
        means = product(coarse(land.reflectance(day)))
        stacks["s3"].append(means)
        write_raster(prepared / f"s3/composite_{day:%Y%m%d}.tif", means[:, ::30, ::30], land, names, on_coarse=True)
        write_raster(processed / f"s3/{day:%Y%m%d}_0.geotiff", means, land, names)
    dates = {"s2": kept, "fused": days, "s3": days[::2]}
    for source, stack in stacks.items():
        _series(processed, "fusion" if source == "fused" else source, dates[source], np.stack(stack), itb)
    layers = [
        PackLayer(source, np.array(dates[source], "datetime64[D]"), np.stack(stack), names)
        for source, stack in stacks.items()
    ]
    quality = [
        PackLayer(
            key,
            np.array(days, "datetime64[D]"),
            *((values, names) if key == "standard_deviation" else (values[:, 0], ())),
        )
        for key, values in _quality(land, kept, days, names).items()
    ]
    place = tuple(land.grid.fine.affine)[:6], land.grid.epsg
    write_pack(folder / FusedLayout(scenario).quality, quality, *place)
    write_pack(folder / f"packs/{scenario.key}.zarr", layers + quality, *place)


def _quality(land: Landscape, kept: list[date], days: list[date], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Layers (day, band, row, column); the standard deviation has a band a channel."""
    shape = land.shape
    distance = np.array([min(abs((day - scene).days) for scene in kept) for day in days], np.float32)
    ramp = np.linspace(0, 1, shape[1], dtype=np.float32)[None, None, :] * np.ones((1, shape[0], 1), np.float32)
    layers = {
        "days_to_scene": np.ones((1, *shape), np.float32) * distance[:, None, None],
        "effective_scenes": 2 + 4 * ramp * np.ones((len(days), 1, 1), np.float32),
        "coarse_support": np.ones((len(days), *shape), np.float32) + (np.arange(len(days)) % 2)[:, None, None],
    }
    cubes = {name: values[:, None].astype(np.float32) for name, values in layers.items()}
    spread = (0.0006 + 0.0003 * distance[:, None, None]) * (0.6 + ramp)
    cubes["standard_deviation"] = np.repeat(spread[:, None], len(names), axis=1).astype(np.float32)
    return cubes


def _series(processed: Path, source: str, days: list[date], stack: np.ndarray, itb: bool) -> None:
    row, column = stack.shape[2] // 2, stack.shape[3] // 2
    window = np.nanmean(stack[:, :, row - 1 : row + 2, column - 1 : column + 2], axis=(2, 3)).astype(float)
    gcc = window[:, 0] if itb else window[:, 1] / window[:, :3].sum(axis=1)

    def rows(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
        return [
            {
                "date": day.isoformat(),
                "filename": f"{day:%Y%m%d}_0.geotiff",
                **{k: round(float(v[n]), 6) for k, v in columns.items()},
            }
            for n, day in enumerate(days)
        ]

    write_json(processed / f"gcc/{source}/timeseries.json", rows({"greenness_index": gcc}))
    if not itb:
        ndvi = (window[:, 3] - window[:, 2]) / (window[:, 3] + window[:, 2])
        write_json(processed / f"ndvi/{source}/timeseries.json", rows({"ndvi": ndvi}))
        write_json(
            processed / f"bands/{source}/timeseries.json",
            rows(dict(zip(("b02", "b03", "b04", "b8a"), window.T, strict=True))),
        )


def _phenology(folder: Path, land: Landscape, scenarios: tuple[Scenario, ...]) -> None:
    rows, columns = np.indices(land.shape)
    patch = ((rows // 23) * 7 + (columns // 31) * 3) % 5
    for scenario in scenarios:
        for percent in (10, 25, 50):
            rising = (115 + 6 * patch - (50 - percent) * 0.5).astype(np.float32)
            falling = (285 - 5 * patch + (50 - percent) * 0.5).astype(np.float32)
            for limb, days in (("rising", rising), ("falling", falling)):
                bands = np.stack([days, days - 4, days + 5])
                words = ("day of year", "lower end of the 95 % interval", "upper end of the 95 % interval")
                write_raster(folder / f"phenology_{scenario.key}/{limb}_{percent}.tif", bands, land, words)
        write_json(folder / f"phenology_{scenario.key}/site.json", {"fused": _dates(3), "s2": _dates(-2)})
        names = tuple(f"{limb}_{percent}" for limb in ("rising", "falling") for percent in (10, 25, 50))
        labels = np.stack([patch % 5] * len(names)).astype(np.uint8)
        write_raster(folder / f"phenology_{scenario.key}/labels.tif", labels, land, names, nodata=255)


def _dates(late: int) -> dict[str, Any]:
    """Rising and falling 50 % dates of a series, ``late`` days after the camera's."""

    def dated(day: date) -> dict[str, str]:
        return {"date": str(day), "lower": str(day - timedelta(4)), "upper": str(day + timedelta(5)), "label": "ok"}

    up, down = date(2024, 5, 2) + timedelta(late), date(2024, 10, 4) + timedelta(late)
    return {"label": "ok", "rising": {"50": dated(up)}, "falling": {"50": dated(down)}}


if __name__ == "__main__":
    make_store(Path(sys.argv[1]))
