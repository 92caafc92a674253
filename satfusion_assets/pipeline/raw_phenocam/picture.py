"""Every day of the camera: used, left out as an outlier, or unused for snow."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any

from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Chart, Image, number_of, span
from satfusion_assets.pipeline.pictures.seasons import GCC_90, days, year
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    return camera(view, {})


def camera(phenocam: View, marks: Mapping[str, str]) -> Image | None:
    """Every day of the camera: used, thrown out as an outlier, or unused for snow; dates as vertical lines."""
    with phenocam.path(f"{PHENOCAM_GCC}.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["greenness_index"]]
    used = [row for row in rows if row["used"] == "1"]
    outliers = [row for row in rows if row["outlier"]]
    snow = [row for row in rows if row["used"] == "0" and not row["outlier"]]
    season, region = phenocam.product.site_season, phenocam.manifest.parameters.get("region", "camera")
    chart = Chart(
        f"{season.key}: {region}, {len(used)} days used, {len(outliers)} outliers, {len(snow)} with snow",
        GCC_90,
        year(season),
        span(_gcc(rows)),
    )
    chart.points(days(used), _gcc(used), palette.CAMERA, "used")
    if snow:
        chart.points(days(snow), _gcc(snow), palette.CAMERA, "not used: snow", hollow=True)
    if outliers:
        chart.crosses(days(outliers), _gcc(outliers), palette.S2, "not used: outlier")
    for text, day in marks.items():
        chart.vertical(number_of(day), text, palette.FUSED)
    return chart.drawn()


def _gcc(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [float(row["greenness_index"]) for row in rows]
