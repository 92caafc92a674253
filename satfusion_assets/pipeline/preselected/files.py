"""Where the verdicts on raw scenes lie below a site-season."""

from __future__ import annotations

from typing import Literal

from satfusion_assets.vocabulary.sources import Sensor


def preselection(sensor: Sensor, suffix: Literal["json", "csv"]) -> str:
    return f"raw/preselection/{sensor}_preselection.{suffix}"
