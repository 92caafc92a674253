"""A small product store in the layout's contract, for the viewer's tests: a landscape whose colours are known.

Reflectance at day d follows one green-up and one green-down; fields differ in amplitude and date. Clouds lie on known
Sentinel-2 days. Run as a module to make a full season by hand: ``python -m satfusion_assets_tests.viewer.make_data
FOLDER``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image, ImageDraw

from satfusion_assets.grid import SiteGrid, site_grid
from satfusion_assets.scenarios import SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.sites import Site, SiteRegistry, make_site
from satfusion_assets.store.packs import PackLayer, write_pack

CLOUDY = 4
"""Every fourth Sentinel-2 scene is cloudy."""
FEATURED = Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20)
ITB = Scenario(Strategy.AGGRESSIVE, Mode.ITB, 20)


@dataclass(frozen=True)
class Landscape:
    """Known reflectance (band, row, column) of every day."""

    grid: SiteGrid

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.grid.fine.shape
        return height, width

    def green(self, day: date) -> np.ndarray:
        """Vegetation cover, 0 to 1, per pixel."""
        rows, columns = np.indices(self.shape)
        patch = ((rows // 23) * 7 + (columns // 31) * 3) % 5
        doy = day.timetuple().tm_yday
        rise = 1 / (1 + np.exp(-(doy - (115 + 6 * patch)) / 8))
        fall = 1 / (1 + np.exp((doy - (285 - 5 * patch)) / 10))
        texture = 0.04 * np.sin(rows / 3.1) * np.cos(columns / 4.3)
        return np.clip(0.05 + (0.75 + 0.05 * patch) * rise * fall + texture, 0, 1)

    def reflectance(self, day: date) -> np.ndarray:
        """Blue, green, red, nir of the bare land and its vegetation; a river and a road."""
        cover = self.green(day)
        bare = np.array([0.07, 0.09, 0.115, 0.17])[:, None, None]
        leafy = np.array([0.028, 0.075, 0.032, 0.42])[:, None, None]
        land = bare + (leafy - bare) * cover
        rows, columns = np.indices(self.shape)
        river = np.abs(columns - (0.72 * self.shape[1] + 9 * np.sin(rows / 17))) < 3
        road = np.abs(rows - (0.35 * self.shape[0] + 0.18 * columns)) < 1.2
        land[:, river] = np.array([0.045, 0.05, 0.04, 0.03])[:, None]
        land[:, road] = np.array([0.13, 0.14, 0.15, 0.19])[:, None]
        return land

    def clouds(self, seed: int) -> np.ndarray:
        """Opacity of the cloud deck of one scene."""
        random = np.random.default_rng(seed)
        rows, columns = np.indices(self.shape)
        deck = np.zeros(self.shape)
        for _ in range(9):
            row, column, radius = (
                random.uniform(0, self.shape[0]),
                random.uniform(0, self.shape[1]),
                random.uniform(10, 38),
            )
            deck = np.maximum(deck, np.exp(-((((rows - row) ** 2 + (columns - column) ** 2) / radius**2) ** 2)))
        return deck


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
    _json(folder / "metrics.json", _metrics(scenarios))
    _gaps(folder, land, days)
    _phenology(folder, land, scenarios)


def is_cloudy(number: int) -> bool:
    return number % CLOUDY == 2


def _raw(folder: Path, land: Landscape, scenes: list[date], days: list[date]) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"s2": [], "s3": []}
    for number, day in enumerate(scenes):
        truth = land.reflectance(day)
        if is_cloudy(number):
            truth = truth + (0.62 - truth) * land.clouds(number)
        stored = np.rint(truth * 10_000).astype(np.uint16)
        stored[:, :4, :] = 0
        _write(folder / f"raw/s2/{day:%Y%m%d}_0.geotiff", stored, land, ("B02", "B03", "B04", "B8A"), nodata=0)
        rows["s2"].append(_screening(day, truth * 10_000, is_cloudy(number)))
    for day in days[::2]:
        coarse = _coarse(land.reflectance(day)) * 1.03
        _write(
            folder / f"raw/s3/{day:%Y%m%d}_0.geotiff", coarse.astype(np.float32), land, ("Oa04", "Oa06", "Oa08", "Oa17")
        )
        rows["s3"].append(_screening(day, land.reflectance(day), day.day == 11))
    for sensor, found in rows.items():
        _json(folder / f"raw/preselection/{sensor}_preselection.json", found)


def _screening(day: date, bands: np.ndarray, cloudy: bool) -> dict[str, Any]:
    means = bands[:, bands.shape[1] // 2, bands.shape[2] // 2]
    blue, green, red, nir = (round(float(value), 5) for value in means)
    ndvi = round((nir - red) / (nir + red), 5) if not cloudy else 0.08
    dark = cloudy and day.day % 2 == 0
    reason = ("dark" if dark else "low_ndvi") if cloudy else None
    return {
        "filename": f"{day:%Y%m%d}_0.geotiff", "date": f"{day}T00:00:00", "ndvi": ndvi,
        "b02": blue, "b03": green, "b04": red, "b8a": nir,
        "excluded_aggressive": cloudy, "excluded_nonaggressive": cloudy and dark,
        "reason_aggressive": reason, "reason_nonaggressive": reason if dark else None,
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
    _json(photos / "phenocam_gcc.json", series)
    _json(
        photos / "phenocam_phenology.json", {"green_up_50pct_date": "2024-05-02", "green_down_50pct_date": "2024-10-04"}
    )


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
    kind, names = ("GCC", ("gcc",)) if itb else ("REFL", ("B02", "B03", "B04", "B8A"))
    kept = [day for number, day in enumerate(scenes) if not is_cloudy(number)]
    noise = np.random.default_rng(7)

    def product(bands: np.ndarray) -> np.ndarray:
        values = bands[1:2] / bands[:3].sum(axis=0) if itb else bands
        return values.astype(np.float32)

    stacks: dict[str, list[np.ndarray]] = {"s2": [], "fused": [], "s3": []}
    for day in kept:
        clear = product(land.reflectance(day) * (1 + 0.01 * noise.standard_normal((4, 1, 1))))
        clear[:, -20:, :14] = np.nan
        stacks["s2"].append(clear)
        _write(prepared / f"s2/S2A_MSIL2A_{day:%Y%m%d}_{kind}.tif", clear, land, names)
        _write(processed / f"s2/{day:%Y%m%d}_0.geotiff", clear, land, names)
        if not itb:
            _write(
                prepared / f"s2/S2A_MSIL2A_{day:%Y%m%d}_DIST_CLOUD.tif",
                _distance(land),
                land,
                ("distance",),
                coarse=True,
            )
    for day in days:
        fused = product(land.reflectance(day))
        stacks["fused"].append(fused)
        sigma = "_sigma30" if scenario.sigma == 30 else ""
        _write(prepared / f"fusion{sigma}/{kind}_{day:%Y%m%d}.tif", fused, land, names)
        _write(processed / f"fusion/{day:%Y%m%d}_0.geotiff", fused, land, names)
    for day in days[::2]:
        coarse = product(_coarse(land.reflectance(day)))
        stacks["s3"].append(coarse)
        _write(prepared / f"s3/composite_{day:%Y%m%d}.tif", coarse[:, ::30, ::30], land, names, coarse=True)
        _write(processed / f"s3/{day:%Y%m%d}_0.geotiff", coarse, land, names)
    dates = {"s2": kept, "fused": days, "s3": days[::2]}
    for source, stack in stacks.items():
        _series(processed, "fusion" if source == "fused" else source, dates[source], np.stack(stack), itb)
    layers = [
        PackLayer(source, np.array(dates[source], "datetime64[D]"), np.stack(stack), names)
        for source, stack in stacks.items()
    ]
    quality = _quality(
        prepared / f"fusion{'_sigma30' if scenario.sigma == 30 else ''}/quality", land, kept, days, names
    )
    layers += [
        PackLayer(key, np.array(days, "datetime64[D]"), values, names if values.shape[1] > 1 else (key,))
        for key, values in quality.items()
    ]
    write_pack(folder / f"packs/{scenario.key}.zarr", layers, tuple(land.grid.fine.affine)[:6], land.grid.epsg)


def _quality(
    folder: Path, land: Landscape, kept: list[date], days: list[date], names: tuple[str, ...]
) -> dict[str, np.ndarray]:
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
    for name, values in cubes.items():
        words = [
            f"{day} {band}" if values.shape[1] > 1 else str(day) for day in days for band in names[: values.shape[1]]
        ]
        _write(folder / f"{name}.tif", values.reshape(-1, *shape), land, tuple(words))
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

    _json(processed / f"gcc/{source}/timeseries.json", rows({"greenness_index": gcc}))
    if not itb:
        ndvi = (window[:, 3] - window[:, 2]) / (window[:, 3] + window[:, 2])
        _json(processed / f"ndvi/{source}/timeseries.json", rows({"ndvi": ndvi}))
        _json(
            processed / f"bands/{source}/timeseries.json",
            rows(dict(zip(("b02", "b03", "b04", "b8a"), window.T, strict=True))),
        )


def _scores(shift: float) -> dict[str, Any]:
    return {
        "pearson_r": 0.972 - shift, "r_squared": 0.871 - shift, "nse": 0.871 - shift, "rmse": 0.0121 + shift / 10,
        "mae": 0.0093 + shift / 10, "nrmse": 0.11 + shift, "nse_pc": 0.844 - shift, "n_samples": 312,
        "date_range": {"start": "2024-01-01", "end": "2024-12-31"},
        "residual_vs_phenocam": {"mean": 0.0042 + shift, "std": 0.011, "mae": 0.0093, "rmse": 0.0121, "n_samples": 312},
    }  # fmt: skip


def _metrics(scenarios: tuple[Scenario, ...]) -> dict[str, Any]:
    temporal = {
        scenario.score_key: _scores(0.01 * number) for number, scenario in enumerate(SCENARIOS) if scenario in scenarios
    }
    strategies = [str(strategy) for strategy in Strategy]
    return {
        "phenocam_stats": {"mean": 0.389, "std": 0.041, "min": 0.318, "max": 0.447, "n_samples": 312},
        "temporal": temporal,
        "baseline": {
            "s2": _scores(0.31),
            **{
                name: {strategy: _scores(shift) for strategy in strategies}
                for name, shift in (("s2_cloudfree", 0.12), ("s2_whittaker_lambda400", 0.06), ("s3", 0.22))
            },
        },
        "derived": {
            "delta_nse_pc_sigma20_minus_sigma30": {m: dict.fromkeys(strategies, 0.0123) for m in ("bti", "itb")},
            "bti_vs_itb_mean_residual": [
                {"strategy": s, "sigma": sigma, "mean_residual_bti": 0.0042, "mean_residual_itb": None}
                for s in strategies
                for sigma in (20, 30)
            ],
        },
    }


def _gaps(folder: Path, land: Landscape, days: list[date]) -> None:
    day = days[len(days) // 2]
    here = "validation/fusion/gap_30_green_up"
    for name, factor in (("fused_gap", 1.06), ("fused_no_gap", 1.01), ("withheld", 1.0)):
        bands = (land.reflectance(day) * factor).astype(np.float32)
        _write(folder / here / f"{name}_{day:%Y%m%d}.tif", bands, land, ("B02", "B03", "B04", "B8A"))
    entry = {
        "transition": "green_up", "midpoint_rule": "green_up_50pct_date", "midpoint_date": "2024-05-02",
        "prediction_date": day.isoformat(), "withheld_s2_date": day.isoformat(),
        "withheld_s2_filename": f"{day:%Y%m%d}_0.geotiff",
    }  # fmt: skip
    windows = {
        gap: {"window_start": str(day - timedelta(gap // 2)), "window_end": str(day + timedelta(gap // 2))}
        for gap in (15, 30, 60, 90)
    }
    manifest = {
        "site_name": folder.parent.name, "season": 2024, "site_position_lat_lon": [47.1, 11.3],
        "s2_calendar_strategy": "aggressive",
        "entries": [{"gap_days": gap, **entry, **window} for gap, window in windows.items()],
    }  # fmt: skip
    scores = {"n_pixels": 22140, "mae": 0.004, "mean_bias": 0.001, "pearson_r": 0.93}

    def spatial(gap: int) -> dict[str, Any]:
        return {
            "gap": {**scores, "rmse": 0.004 + gap / 9000, "nse_s2": 0.92 - gap / 300},
            "no_gap": {**scores, "rmse": 0.0041, "nse_s2": 0.93},
            "delta_rmse": gap / 9000, "delta_nse": -gap / 300 - 0.01,
            "whittaker": {**scores, "rmse": 0.007, "nse_s2": 0.71},
        }  # fmt: skip

    results = [
        {
            "gap_days": gap, "transition": "green_up", "prediction_date": day.isoformat(),
            "withheld_s2_filename": entry["withheld_s2_filename"],
            "scenario": {"strategy": "aggressive", "sigma": 20, "mode": "bti"},
            "paths": {
                "fused_gap": f"{here}/fused_gap_{day:%Y%m%d}.tif",
                "fused_no_gap": f"{here}/fused_no_gap_{day:%Y%m%d}.tif",
                "withheld_s2_refl": f"{here}/withheld_{day:%Y%m%d}.tif",
            } if gap == 30 else {"fused_gap": None, "fused_no_gap": None, "withheld_s2_refl": None},
            "spatial": spatial(gap),
            "whittaker_crossover_row": {"gap_days": gap, "nse_s2_fusion": 0.92 - gap / 300, "nse_s2_whittaker": 0.71},
        }
        for gap in (15, 30, 60, 90)
    ]  # fmt: skip
    by_gap = [result["whittaker_crossover_row"] for result in results]
    _json(folder / "validation/gap_manifest.json", manifest)
    _json(folder / "validation/gap_validation_summary.json", {
        "site_name": folder.parent.name, "season": 2024, "scenario": "aggressive_sigma20",
        "manifest": manifest, "results": results,
        "whittaker_crossover": {"aggressive_sigma20": {
            "metric": "nse_s2", "whittaker_definition": "lambda 400, spatially constant",
            "first_gap_days_fusion_nse_below_whittaker": 90, "by_gap": by_gap,
        }},
    })  # fmt: skip
    gaps = [
        {
            "gap_days": gap, "transition": "green_up", "key": f"{gap}_green_up", **windows[gap],
            "n_withheld_scenes": gap // 5, "n_withheld_pixels": 22140,
            "phenology": None, "temporal": {}, "calibration": {},
            "spatial": {
                method: {"gcc": {**scores, "rmse": factor + gap / 9000, "nse_s2": 0.9, "estimated_share": 1.0}}
                for method, factor in (("aggressive_sigma20", 0.004), ("linear", 0.005), ("whittaker", 0.0045))
            },
        }
        for gap in (15, 30, 60, 90)
    ]  # fmt: skip
    _json(folder / "validation/gap_metrics.json", {"strategies": {"aggressive": {"gaps": gaps}}, "crossover": {}})


def _phenology(folder: Path, land: Landscape, scenarios: tuple[Scenario, ...]) -> None:
    rows, columns = np.indices(land.shape)
    patch = ((rows // 23) * 7 + (columns // 31) * 3) % 5
    for scenario in scenarios:
        for percent in (10, 25, 50):
            rising = (115 + 6 * patch - (50 - percent) * 0.5).astype(np.float32)
            falling = (285 - 5 * patch + (50 - percent) * 0.5).astype(np.float32)
            for direction, values in (("rising", rising), ("falling", falling)):
                _write(
                    folder / f"phenology_{scenario.key}/{direction}_{percent}.tif", values[None], land, ("day of year",)
                )


def _distance(land: Landscape) -> np.ndarray:
    height, width = land.grid.coarse.shape
    rows, columns = np.indices((height, width))
    return np.minimum(15, np.hypot(rows, columns)).astype(np.float32)[None]


def _coarse(bands: np.ndarray) -> np.ndarray:
    count, height, width = bands.shape
    means = bands.reshape(count, height // 30, 30, width // 30, 30).mean(axis=(2, 4))
    return means.repeat(30, axis=1).repeat(30, axis=2)


def _write(
    path: Path,
    values: np.ndarray,
    land: Landscape,
    names: tuple[str, ...],
    nodata: float = float("nan"),
    coarse: bool = False,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    box = land.grid.coarse if coarse else land.grid.fine
    with rasterio.open(
        path, "w", driver="GTiff", dtype=values.dtype, count=len(values), height=values.shape[1], width=values.shape[2],
        crs=f"EPSG:{land.grid.epsg}", transform=box.affine, nodata=nodata, compress="deflate",
    ) as dataset:  # fmt: skip
        dataset.write(values)
        dataset.descriptions = names


def _json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1), "utf-8")


if __name__ == "__main__":
    make_store(Path(sys.argv[1]))
