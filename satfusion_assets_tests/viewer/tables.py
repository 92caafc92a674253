"""Scores and gap benchmarks in the contract's shapes, with numbers made to be recognised."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from satfusion_assets.evaluation.season_dates import season_period
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.viewer.landscape import Landscape, write_json, write_raster

PERIOD = season_period(SiteSeason("innsbruck", 2024), {"rising_50": date(2024, 5, 2), "falling_50": date(2024, 9, 20)})


def _scores(shift: float) -> dict[str, Any]:
    return {
        "pearson_r": 0.972 - shift, "r_squared": 0.871 - shift, "nse": 0.871 - shift, "rmse": 0.0121 + shift / 10,
        "mae": 0.0093 + shift / 10, "nrmse": 0.11 + shift, "nse_pc": 0.844 - shift, "n_samples": 312,
        "date_range": {"start": "2024-01-01", "end": "2024-12-31"},
        "residual_vs_phenocam": {"mean": 0.0042 + shift, "std": 0.011, "mae": 0.0093, "rmse": 0.0121, "n_samples": 312},
    }  # fmt: skip


def metrics(scenarios: tuple[Scenario, ...]) -> dict[str, Any]:
    temporal = {
        scenario.score_key: _scores(0.01 * number) for number, scenario in enumerate(SCENARIOS) if scenario in scenarios
    }
    strategies = [str(strategy) for strategy in Strategy]
    return {
        "period": PERIOD,
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


def skill(scenarios: tuple[Scenario, ...]) -> dict[str, Any]:
    """skill.json with two regions of interest, of which the second scores worse."""

    def one(shift: float) -> dict[str, Any]:
        return {
            "n_samples": 312, "camera_bias": -0.02, "camera_gain": 1.11 + shift,
            "calibrated": {
                "rmse": 0.0093 + shift / 10, "mae": 0.007, "bias": -0.0004, "nse": 0.926 - shift,
                "rmse_interval": [0.0071 + shift / 10, 0.0113 + shift / 10],
                "nse_interval": [0.856 - shift, 0.961 - shift],
            },
            "spearman_r": 0.953 - shift, "spearman_r_interval": [0.93 - shift, 0.966 - shift],
            "lag": {"lag_days": -2, "pearson_r": 0.97, "pearson_r_unshifted": 0.96, "at_limit": False},
            "phases": {"green_up": {"n_samples": 28, "rmse": 0.0055 + shift, "bias": 0.0024, "pearson_r": 0.99}},
        }  # fmt: skip

    regions = {
        region: {
            "vegetation": "Grassland",
            "camera_days": 312,
            "baselines": {"s2_cloudfree_aggressive": one(worse + 0.4)},
            "scenarios": {scenario.key: one(worse + 0.02 * n) for n, scenario in enumerate(scenarios)},
        }
        for region, worse in (("innsbruck_GR_1000", 0.0), ("innsbruck_GR_2000", 0.3))
    }
    keys = [scenario.key for scenario in scenarios]
    comparisons = [
        {
            "first": keys[0], "second": second, "n_samples": 312, "rmse_difference": -0.0034,
            "interval": [-0.005, -0.001], "p": 0.001, "p_holm": 0.004, "different": True,
        }
        for second in keys[1:]
    ]  # fmt: skip
    gains = [{**comparisons[0], "first": key, "second": "s2_cloudfree_aggressive"} for key in keys]
    return {
        "parameters": {"folds": 5},
        "regions": regions,
        "comparisons": comparisons,
        "against_baselines": gains,
    }


def write_gaps(folder: Path, land: Landscape, days: list[date]) -> None:
    day = days[len(days) // 2]
    here = "validation/fusion/gap_30_green_up"
    rivals = "validation/competitors/gap_30_green_up"
    for name, factor in (
        (f"{here}/fused_gap", 1.06),
        (f"{here}/fused_no_gap", 1.01),
        (f"{here}/withheld", 1.0),
        (f"{rivals}/linear", 0.97),
        (f"{rivals}/whittaker", 1.04),
    ):
        bands = land.reflectance(day).astype(np.float32)
        bands[1] *= factor
        write_raster(folder / f"{name}_{day:%Y%m%d}.tif", bands, land, ("B02", "B03", "B04", "B8A"))
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
    write_json(folder / "validation/gap_manifest.json", manifest)
    write_json(folder / "validation/gap_validation_summary.json", {
        "site_name": folder.parent.name, "season": 2024, "scenario": "aggressive_sigma20", "period": PERIOD,
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
    write_json(folder / "validation/gap_metrics.json", {"strategies": {"aggressive": {"gaps": gaps}}, "crossover": {}})
