"""What good means for the images that the fusion takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, mostly, rounded, verdict
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.vocabulary.grid import CLOUD_DISTANCE_LIMIT
from satfusion_assets.vocabulary.scenarios import Mode

LEAST_VALID: Final = 0.1
"""Mean share of pixels that clouds leave of a prepared Sentinel-2 image."""


RANGES: Final = {Mode.BTI: (-0.05, 2.0), Mode.ITB: (0.0, 1.0)}


MOST_OUTSIDE: Final = 0.001


def grid_equality(checked: CheckedProduct) -> Verdict:
    layout = PreparedLayout(checked.strategy, checked.mode)
    expected = {
        f"{layout.folder}/s2/*_{layout.kind}.tif": checked.grid.fine,
        f"{layout.folder}/s2/*_DIST_CLOUD.tif": checked.grid.coarse,
        f"{layout.folder}/s3/*.tif": checked.grid.coarse,
    }
    bad, total = [], 0
    for pattern, geobox in expected.items():
        names = checked.view.names(pattern)
        total += len(names)
        bad += [{"file": name, "why": "is not on its grid"} for name in names if checked.raster(name).geobox != geobox]
        if not names and not (checked.sentinel2_alone and "/s3/" in pattern):
            bad.append({"file": pattern, "why": "there is none"})
    return verdict(bad, total, "images", {"images": total})


def mask_share(checked: CheckedProduct) -> Verdict:
    import numpy as np

    layout = PreparedLayout(checked.strategy, checked.mode)
    rows = checked.view.read_json(layout.summary)["s2"]
    valid = rounded(np.mean([row["valid_fraction"] for row in rows])) if rows else 0.0
    says = f"Clouds leave {100 * valid:.0f} % of the pixels of {len(rows)} Sentinel-2 days on average."
    return Verdict(valid >= LEAST_VALID, says, {"days": len(rows), "mean_valid_fraction": valid})


def cloud_distance(checked: CheckedProduct) -> Verdict:
    import numpy as np

    layout = PreparedLayout(checked.strategy, checked.mode)
    names = checked.view.names(f"{layout.folder}/s2/*_DIST_CLOUD.tif")
    bad, largest = [], 0.0
    for name in names:
        values = checked.raster(name).values
        if not np.isfinite(values).all() or values.min() < 0:
            bad.append({"file": name, "why": "is negative or missing somewhere"})
        elif values.max() > 0:
            largest = max(largest, float(values.max()))
    found = verdict(bad, len(names), "cloud distances", {"largest": rounded(largest)})
    if names and not bad and largest == 0:
        return Verdict(False, "No day has a single clear coarse pixel.", found.numbers)
    return found


def values_in_range(checked: CheckedProduct) -> Verdict:
    import numpy as np

    layout = PreparedLayout(checked.strategy, checked.mode)
    low, high = RANGES[checked.mode]
    formless, odd = [], []
    names = [
        *checked.view.names(f"{layout.folder}/s2/*_{layout.kind}.tif"),
        *checked.view.names(f"{layout.folder}/s3/*"),
    ]
    for name in names:
        raster = checked.raster(name)
        values = raster.values[np.isfinite(raster.values)]
        outside = float(((values < low) | (values > high)).mean()) if values.size else 1.0
        if tuple(raster.descriptions) != checked.channels:
            formless.append({"file": name, "why": f"has bands {raster.descriptions}, not {checked.channels}"})
        elif outside > MOST_OUTSIDE:
            odd.append({"file": name, "why": f"{100 * outside:.1f} % of values outside {low} to {high}"})
    found = mostly(formless + odd, len(names), "images", {"images": len(names)})
    return replace(found, passed=found.passed and not formless)


CRITERIA: Final = (
    Criterion(
        "grid", "Every image lies on its site grid; fine, coarse and cloud distance are there.", grid_equality, True
    ),
    Criterion(
        "values", "Reflectance or greenness in its physical range, but for single images.", values_in_range, True
    ),
    Criterion(
        "cloud_distance",
        f"Distances to clouds are known and not negative (D = {CLOUD_DISTANCE_LIMIT}).",
        cloud_distance,
        True,
    ),
    Criterion("mask_share", "Clouds leave something of the average image.", mask_share, False),
)
