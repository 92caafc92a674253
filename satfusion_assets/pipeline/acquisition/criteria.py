"""What raw products of both sensors are held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.criteria import OFFENDERS, CheckedProduct, Verdict, mostly, rounded
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.sources import Sensor

if TYPE_CHECKING:
    from odc.geo.geobox import GeoBox

MOST_OUTLIERS: Final = 0.1
"""Share of a scene's pixels that may be too bright."""


MOST_SET_ASIDE: Final = 0.2


LONGEST_GAP_S2: Final = timedelta(days=30)


LONGEST_GAP_S3: Final = timedelta(days=15)


def misfit(
    checked: CheckedProduct, name: str, geobox: GeoBox, bands: Sequence[str], dtype: str, nodata: float | None
) -> str | None:
    raster = checked.raster(name)
    if raster.geobox != geobox:
        return f"lies on {raster.geobox.crs} {tuple(raster.geobox.shape)}, not on the site's grid"
    if tuple(raster.descriptions) != tuple(bands):
        return f"has bands {raster.descriptions}, not {tuple(bands)}"
    if str(raster.values.dtype) != dtype:
        return f"has values of type {raster.values.dtype}, not {dtype}"
    if nodata is not None and str(raster.nodata) != str(float(nodata)):
        return f"marks missing pixels with {raster.nodata}, not {nodata}"
    return None


def values_typical(checked: CheckedProduct, pattern: str, typical: tuple[float, float], brightest: float) -> Verdict:
    """The typical scene has reflectance, and only single scenes are blank or too bright."""
    import numpy as np

    medians, odd = [], []
    names = checked.view.names(pattern)
    for name in names:
        values = checked.raster(name).masked()
        valid = values[np.isfinite(values)]
        if valid.size == 0:
            odd.append({"file": name, "why": "has no valid pixel"})
            continue
        medians.append(float(np.median(valid)))
        bright = float(np.mean(valid > brightest))
        if bright > MOST_OUTLIERS:
            odd.append({"file": name, "why": f"{100 * bright:.1f} % of its pixels are above {brightest:g}"})
    median = rounded(np.median(medians)) if medians else float("nan")
    found = mostly(odd, len(names), "scenes", {"median": median})
    says = f"{found.says} Median of the scenes' medians is {median:g} (expected {typical[0]:g} to {typical[1]:g})."
    return replace(found, passed=found.passed and typical[0] <= median <= typical[1], says=says)


def coverage(
    checked: CheckedProduct, sensor: Sensor, recorded: Sequence[str], set_aside: int, longest: timedelta
) -> Verdict:
    """Of what the archive listed, how much is here, and the longest stretch without any."""
    names = checked.view.names(f"raw/{sensor}/*.geotiff")
    days = sorted({day_of(name) for name in names})
    lost = sorted({raw_scene(sensor, name) for name in recorded} - {*names})
    gap, since = _longest_gap(days)
    listed = len(recorded) + set_aside
    share = set_aside / max(listed, 1)
    says = (
        f"{len(names)} of {listed} listed by the archive are here, on {len(days)} days; {set_aside} were set aside; "
        f"the longest stretch without any is {gap.days} days from {since}."
    )
    numbers = {"listed": listed, "set_aside": set_aside, "days": len(days), "longest_gap_days": gap.days}
    offenders = [{"file": name, "why": "is recorded but not here"} for name in lost[:OFFENDERS]]
    return Verdict(not lost and share <= MOST_SET_ASIDE and gap <= longest, says, numbers, offenders)


def _longest_gap(days: Sequence[date]) -> tuple[timedelta, date | None]:
    gaps = [(later - earlier, earlier) for earlier, later in pairwise(days)]
    return max(gaps, default=(timedelta(0), days[0] if days else None))
