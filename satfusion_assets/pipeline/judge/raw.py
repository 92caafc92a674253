"""What good means for raw products.

Vital criteria judge the product: its form, and what most of it says. A scene, overpass or day that is odd by itself
(dark, blank, too bright, twice) is named and counted, and the others are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from odc.geo.geobox import GeoBox

from satfusion_assets.vocabulary.grid import CLOUD_DISTANCE_LIMIT, COARSE_M, FINE_M, SCL_M
from satfusion_assets.vocabulary.scenarios import S2_BANDS, S3_BANDS
from satfusion_assets.pipeline.judge.verdict import OFFENDERS, Criterion, Judged, Verdict, mostly, rounded, verdict
from satfusion_assets.store.layout import (
    PHENOCAM_GCC,
    PHENOCAM_PHENOLOGY,
    S2_SCENES,
    S3_OVERPASSES,
    Sensor,
    day_of,
    raw_scene,
    raw_scl,
)

TYPICAL_DN: Final = (100, 12_000)
"""Where the median of a season's valid pixels lies, from forest in the blue to snow."""
TYPICAL_REFLECTANCE: Final = (0.005, 1.2)
"""The same for Sentinel-3, top of atmosphere or surface; percent or digital numbers are far outside."""
MOST_OUTLIERS: Final = 0.1
"""Share of a scene's pixels that may be too bright."""
MOST_SET_ASIDE: Final = 0.2
LONGEST_GAP_S2: Final = timedelta(days=30)
LONGEST_GAP_S3: Final = timedelta(days=15)
NO_REFLECTANCE: Final = "no reflectance"
"""Kind of overpass that acquisition sets aside for its values (``archives.copernicus.cubes``, too heavy to import)."""
GCC_RANGE: Final = (0.2, 0.7)
FEWEST_CAMERA_DAYS: Final = 60


def s2_bands_and_grid(judged: Judged) -> Verdict:
    bad = []
    names = judged.view.names("raw/s2/*.geotiff")
    for name in names:
        scl = raw_scl(name.rsplit("/", 1)[-1].removesuffix(".geotiff"))
        why = _misfit(judged, name, judged.grid.fine, S2_BANDS, "uint16", 0)
        why = why or _misfit(judged, scl, judged.grid.scl, ("SCL",), "uint8", None)
        if why:
            bad.append({"file": name, "why": why})
    return verdict(bad, len(names), "scenes", {"scenes": len(names)})


def s3_bands_and_grid(judged: Judged) -> Verdict:
    names = judged.view.names("raw/s3/*.geotiff")
    whys = {name: _misfit(judged, name, judged.grid.coarse, S3_BANDS, "float32", np.nan) for name in names}
    bad = [{"file": name, "why": why} for name, why in whys.items() if why]
    return verdict(bad, len(names), "overpasses", {"overpasses": len(names)})


def _misfit(
    judged: Judged, name: str, geobox: GeoBox, bands: Sequence[str], dtype: str, nodata: float | None
) -> str | None:
    raster = judged.raster(name)
    if raster.geobox != geobox:
        return f"lies on {raster.geobox.crs} {tuple(raster.geobox.shape)}, not on the site's grid"
    if tuple(raster.descriptions) != tuple(bands):
        return f"has bands {raster.descriptions}, not {tuple(bands)}"
    if str(raster.values.dtype) != dtype:
        return f"has values of type {raster.values.dtype}, not {dtype}"
    if nodata is not None and str(raster.nodata) != str(float(nodata)):
        return f"marks missing pixels with {raster.nodata}, not {nodata}"
    return None


def s2_values(judged: Judged) -> Verdict:
    from satfusion_assets.archives.earth_search.offset import BRIGHTEST_DN

    return _values(judged, "raw/s2/*.geotiff", TYPICAL_DN, BRIGHTEST_DN)


def s3_values(judged: Judged) -> Verdict:
    return _values(judged, "raw/s3/*.geotiff", TYPICAL_REFLECTANCE, 2.0)


def _values(judged: Judged, pattern: str, typical: tuple[float, float], brightest: float) -> Verdict:
    """The typical scene has reflectance, and only single scenes are blank or too bright."""
    medians, odd = [], []
    names = judged.view.names(pattern)
    for name in names:
        values = judged.raster(name).masked()
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


def s2_offset(judged: Judged) -> Verdict:
    """No decision is missing, and only single scenes have pixels that speak against theirs.

    A decision that does not exist is a fault of whoever wrote the record, so one is enough. Dark pixels are a matter of
    light: only clear land counts, and where the darkest pixels prove the offset nothing does.
    """
    from satfusion_assets.archives.earth_search.offset import MOST_LIGHTLESS, OFFSET_DN, Evidence

    record = judged.view.read_json(S2_SCENES)
    undecided, odd = [], []
    for scene in record["scenes"]:
        subtracted = scene["offset_subtracted"]
        if subtracted not in (0, OFFSET_DN):
            undecided.append({"scene": scene["name"], "why": f"offset {subtracted} was subtracted"})
        elif not scene["offset_decision"]:
            undecided.append({"scene": scene["name"], "why": "nothing says why the offset was decided so"})
        elif not subtracted or scene.get("dark_pixel_test") == Evidence.IN_PIXELS:
            continue
        elif (share := _lightless(judged, scene["name"])) is not None and share > MOST_LIGHTLESS:
            why = f"{100 * share:.0f} % of its clear land has no blue light after it"
            odd.append({"scene": scene["name"], "why": why})
    shifted = sum(scene["offset_subtracted"] != 0 for scene in record["scenes"])
    aside = sum("offset" in one.get("kind", "") for one in record["set_aside"])
    numbers = {"offset_subtracted_from": shifted, "set_aside_for_their_offset": aside}
    found = mostly(undecided + odd, len(record["scenes"]), "scenes' offsets", numbers)
    says = f"{found.says} {aside} more scenes were set aside for theirs."
    return replace(found, passed=found.passed and not undecided, says=says)


def _lightless(judged: Judged, scene: str) -> float | None:
    """Share of a published scene's clear land without blue light; None when there is too little to say."""
    from satfusion_assets.archives.earth_search.offset import lightless_land

    blue = judged.raster(raw_scene("s2", scene)).values[0]
    factor, margin = SCL_M // FINE_M, CLOUD_DISTANCE_LIMIT * COARSE_M // SCL_M
    site = judged.raster(raw_scl(scene)).values[0][margin:-margin, margin:-margin]
    return lightless_land(blue, np.kron(site, np.ones((factor, factor), site.dtype)))


def s2_duplicates(judged: Judged) -> Verdict:
    scenes = judged.view.read_json(S2_SCENES)["scenes"]
    taken = Counter((scene["platform"], scene["sensed"], scene["tile"], scene["relative_orbit"]) for scene in scenes)
    odd = [{"acquisition": " ".join(map(str, key)), "times": count} for key, count in taken.items() if count > 1]
    return mostly(odd, len(taken), "acquisitions", {"acquisitions": len(taken)})


def s3_duplicates(judged: Judged) -> Verdict:
    taken = Counter(one["time"] for one in judged.view.read_json(S3_OVERPASSES)["overpasses"])
    odd = [{"overpass": time, "times": count} for time, count in taken.items() if count > 1]
    return mostly(odd, len(taken), "overpasses", {"overpasses": len(taken)})


def s2_coverage(judged: Judged) -> Verdict:
    record = judged.view.read_json(S2_SCENES)
    set_aside = len(record["set_aside"])
    return _coverage(judged, "s2", [one["name"] for one in record["scenes"]], set_aside, LONGEST_GAP_S2)


def s3_coverage(judged: Judged) -> Verdict:
    """As for Sentinel-2, and whether a quarter of which nothing came is missing."""
    record = judged.view.read_json(S3_OVERPASSES)
    set_aside = sum(one["kind"] == NO_REFLECTANCE for one in record.get("set_aside", ()))
    found = _coverage(judged, "s3", [one["name"] for one in record["overpasses"]], set_aside, LONGEST_GAP_S3)
    quarters = record.get("quarters", ())
    missing = [f"{one['start']} to {one['end']}" for one in quarters if one.get("missing")]
    if not missing:
        return found
    says = f"{found.says} Of {len(quarters)} quarters asked for, {len(missing)} could not be had."
    offenders = [{"quarter": quarter, "why": "nothing usable came of it"} for quarter in missing]
    return Verdict(False, says, {**found.numbers, "missing_quarters": len(missing)}, [*found.offenders, *offenders])


def _coverage(judged: Judged, sensor: Sensor, recorded: Sequence[str], set_aside: int, longest: timedelta) -> Verdict:
    """Of what the archive listed, how much is here, and the longest stretch without any."""
    names = judged.view.names(f"raw/{sensor}/*.geotiff")
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


def camera_series(judged: Judged) -> Verdict:
    """Days come once and in order, and only single ones have a greenness that no plant has."""
    rows = judged.view.read_json(f"{PHENOCAM_GCC}.json")
    disorder = [
        {"date": row["date"], "why": "comes twice or out of order"}
        for earlier, row in pairwise(rows)
        if earlier["date"] >= row["date"]
    ]
    greenness = {row["date"]: row["greenness_index"] for row in rows}
    odd = [
        {"date": day, "why": f"greenness {value} is outside {GCC_RANGE}"}
        for day, value in greenness.items()
        if value is None or not GCC_RANGE[0] <= value <= GCC_RANGE[1]
    ]
    values = [value for value in greenness.values() if value is not None]
    amplitude = rounded(np.percentile(values, 95) - np.percentile(values, 5)) if values else float("nan")
    found = mostly(disorder + odd, len(rows), "days", {"days": len(rows), "amplitude": amplitude})
    return replace(found, passed=found.passed and not disorder)


def camera_coverage(judged: Judged) -> Verdict:
    days = len(judged.view.read_json(f"{PHENOCAM_GCC}.json"))
    pictures = len(judged.view.names("raw/phenocam/*.jpg"))
    says = f"{days} usable days and {pictures} midday pictures (at least {FEWEST_CAMERA_DAYS} days are wanted)."
    return Verdict(days >= FEWEST_CAMERA_DAYS, says, {"days": days, "pictures": pictures})


def camera_dates(judged: Judged) -> Verdict:
    """Both dates of the season are known and in order; a camera of an evergreen may honestly have none."""
    dates = judged.view.read_json(PHENOCAM_PHENOLOGY)
    up, down = dates["green_up_50pct_date"], dates["green_down_50pct_date"]
    season = judged.product.site_season
    inside = all(day is None or season.raw_start.isoformat() <= day <= season.raw_end.isoformat() for day in (up, down))
    says = f"Green-up {up or 'unknown'}, green-down {down or 'unknown'}."
    return Verdict(inside and up is not None and down is not None and up < down, says)


RAW_S2: Final = (
    Criterion(
        "bands_and_grid", "Each scene has B02 B03 B04 B8A and its SCL, on the site's grid.", s2_bands_and_grid, True
    ),
    Criterion("values", "Digital numbers are reflectance x 10 000, and few scenes are blank.", s2_values, True),
    Criterion(
        "offset", "Each scene says how its offset was decided, and clear land speaks against few.", s2_offset, True
    ),
    Criterion("no_duplicates", "Acquisitions are there once, but for single ones.", s2_duplicates, True),
    Criterion("coverage", "Most of what the archive listed is here, without long gaps.", s2_coverage, False),
)
RAW_S3: Final = (
    Criterion(
        "bands_and_grid", "Each overpass has Oa04 Oa06 Oa08 Oa17 on the site's coarse grid.", s3_bands_and_grid, True
    ),
    Criterion("values", "Values are reflectance, and few overpasses are blank.", s3_values, True),
    Criterion("no_duplicates", "Overpasses are there once, but for single ones.", s3_duplicates, True),
    Criterion("coverage", "The archive has data without long gaps.", s3_coverage, False),
)
RAW_PHENOCAM: Final = (
    Criterion(
        "series",
        "The camera's greenness is a plant's on nearly all days, one value a day, in order.",
        camera_series,
        True,
    ),
    Criterion("coverage", "There are enough usable days to score against.", camera_coverage, False),
)
CAMERA_PHENOLOGY: Final = (
    Criterion("dates", "The camera's season has a green-up and a later green-down.", camera_dates, False),
)
