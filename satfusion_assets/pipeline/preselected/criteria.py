"""What good means for the pre-selection."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, rounded, verdict
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.records import ProductRecord
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets.vocabulary.sources import SENSORS, Sensor

RAW: Final[dict[Sensor, ProductRecord]] = {"s2": RAW_S2, "s3": RAW_S3}
MOST_EXCLUDED: Final = 0.9


def every_scene_screened(checked: CheckedProduct) -> Verdict:
    bad, total = [], 0
    for sensor in SENSORS:
        screened_names = [row["filename"] for row in checked.view.read_json(preselection(sensor, "json"))]
        raw = checked.store.manifest(RAW[sensor].of(checked.product.site_season))
        names = {name.rsplit("/", 1)[-1] for name in raw.files if name.startswith(f"raw/{sensor}/")} if raw else set()
        scenes = {name for name in names if name.endswith(".geotiff")}
        total += len(scenes)
        bad += [
            {"sensor": sensor, "scene": name, "why": "was not screened"} for name in sorted(scenes - {*screened_names})
        ]
        bad += [
            {"sensor": sensor, "scene": name, "why": "is no raw scene"} for name in sorted({*screened_names} - scenes)
        ]
        if len(screened_names) != len(set(screened_names)):
            bad.append({"sensor": sensor, "scene": "", "why": "a scene was screened twice"})
    return verdict(bad, total, "raw scenes", {"scenes": total})


def share_excluded(checked: CheckedProduct) -> Verdict:
    import numpy as np

    numbers: dict[str, float | int] = {}
    for sensor in _sensors(checked):
        rows = checked.view.read_json(preselection(sensor, "json"))
        for strategy in Strategy:
            numbers[f"{sensor}_{strategy}"] = rounded(np.mean([row[f"excluded_{strategy}"] for row in rows] or [1.0]))
    bad = [{"which": name, "share_excluded": value} for name, value in numbers.items() if value > MOST_EXCLUDED]
    return verdict(bad, len(numbers), "pairs of sensor and strategy", numbers)


def something_kept(checked: CheckedProduct) -> Verdict:
    bad = [
        {"sensor": sensor, "strategy": str(strategy)}
        for sensor in _sensors(checked)
        for strategy in Strategy
        if _excludes_all(checked, sensor, strategy)
    ]
    return verdict(bad, len(_sensors(checked)) * len(Strategy), "pairs of sensor and strategy keep something; they", {})


def _sensors(checked: CheckedProduct) -> tuple[Sensor, ...]:
    """The sensors that the season is made from."""
    return ("s2",) if checked.sentinel2_alone else SENSORS


def _excludes_all(checked: CheckedProduct, sensor: Sensor, strategy: Strategy) -> bool:
    return all(row[f"excluded_{strategy}"] for row in checked.view.read_json(preselection(sensor, "json")))


CRITERIA: Final = (
    Criterion("every_scene", "Every raw scene was screened once, and nothing else.", every_scene_screened, True),
    Criterion("something_kept", "Each strategy keeps scenes of both sensors.", something_kept, True),
    Criterion("share_excluded", "No strategy excludes nearly everything.", share_excluded, False),
)
