"""What good means for raw Sentinel-3 overpasses."""

from __future__ import annotations

from collections import Counter
from typing import Final

from satfusion_assets.pipeline.acquisition.criteria import LONGEST_GAP_S3, coverage, misfit, values_typical
from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, mostly, of_sentinel3, verdict
from satfusion_assets.pipeline.raw_s3.files import S3_OVERPASSES
from satfusion_assets.vocabulary.scenarios import S3_BANDS

TYPICAL_REFLECTANCE: Final = (0.005, 1.2)
"""The same for Sentinel-3, top of atmosphere or surface; percent or digital numbers are far outside."""


NO_REFLECTANCE: Final = "no reflectance"
"""Kind of overpass that acquisition sets aside for its values (``archives.copernicus.cubes``, too heavy to import)."""


@of_sentinel3
def s3_bands_and_grid(checked: CheckedProduct) -> Verdict:
    import numpy as np

    names = checked.view.names("raw/s3/*.geotiff")
    checked.read_together(names)
    whys = {name: misfit(checked, name, checked.grid.coarse, S3_BANDS, "float32", np.nan) for name in names}
    bad = [{"file": name, "why": why} for name, why in whys.items() if why]
    return verdict(bad, len(names), "overpasses", {"overpasses": len(names)})


@of_sentinel3
def s3_values(checked: CheckedProduct) -> Verdict:
    return values_typical(checked, "raw/s3/*.geotiff", TYPICAL_REFLECTANCE, 2.0)


@of_sentinel3
def s3_duplicates(checked: CheckedProduct) -> Verdict:
    taken = Counter(one["time"] for one in checked.view.read_json(S3_OVERPASSES)["overpasses"])
    odd = [{"overpass": time, "times": count} for time, count in taken.items() if count > 1]
    return mostly(odd, len(taken), "overpasses", {"overpasses": len(taken)})


@of_sentinel3
def s3_coverage(checked: CheckedProduct) -> Verdict:
    """As for Sentinel-2, and whether a quarter of which nothing came is missing."""
    record = checked.view.read_json(S3_OVERPASSES)
    set_aside = sum(one["kind"] == NO_REFLECTANCE for one in record.get("set_aside", ()))
    found = coverage(checked, "s3", [one["name"] for one in record["overpasses"]], set_aside, LONGEST_GAP_S3)
    quarters = record.get("quarters", ())
    missing = [f"{one['start']} to {one['end']}" for one in quarters if one.get("missing")]
    if not missing:
        return found
    says = f"{found.says} Of {len(quarters)} quarters asked for, {len(missing)} could not be had."
    offenders = [{"quarter": quarter, "why": "nothing usable came of it"} for quarter in missing]
    return Verdict(False, says, {**found.numbers, "missing_quarters": len(missing)}, [*found.offenders, *offenders])


CRITERIA: Final = (
    Criterion(
        "bands_and_grid", "Each overpass has Oa04 Oa06 Oa08 Oa17 on the site's coarse grid.", s3_bands_and_grid, True
    ),
    Criterion("values", "Values are reflectance, and few overpasses are blank.", s3_values, True),
    Criterion("no_duplicates", "Overpasses are there once, but for single ones.", s3_duplicates, True),
    Criterion("coverage", "The archive has data without long gaps.", s3_coverage, False),
)
