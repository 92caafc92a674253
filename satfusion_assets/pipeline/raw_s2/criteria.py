"""What good means for raw Sentinel-2 scenes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

from satfusion_assets.pipeline.acquisition.criteria import LONGEST_GAP_S2, coverage, misfit, values_typical
from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, mostly, verdict
from satfusion_assets.pipeline.raw_s2.files import S2_SCENES, raw_scl
from satfusion_assets.vocabulary.grid import CLOUD_DISTANCE_LIMIT, COARSE_M, FINE_M, SCL_M
from satfusion_assets.vocabulary.scenarios import S2_BANDS

TYPICAL_DN: Final = (100, 12_000)
"""Where the median of a season's valid pixels lies, from forest in the blue to snow."""


def s2_bands_and_grid(checked: CheckedProduct) -> Verdict:
    bad = []
    names = checked.view.names("raw/s2/*.geotiff")
    checked.read_together(names)
    checked.read_together(checked.view.names(raw_scl("*")))
    for name in names:
        scl = raw_scl(name.rsplit("/", 1)[-1].removesuffix(".geotiff"))
        why = misfit(checked, name, checked.grid.fine, S2_BANDS, "uint16", 0)
        why = why or misfit(checked, scl, checked.grid.scl, ("SCL",), "uint8", None)
        if why:
            bad.append({"file": name, "why": why})
    return verdict(bad, len(names), "scenes", {"scenes": len(names)})


def s2_values(checked: CheckedProduct) -> Verdict:
    from satfusion_assets.archives.earth_search.offset import BRIGHTEST_DN

    return values_typical(checked, "raw/s2/*.geotiff", TYPICAL_DN, BRIGHTEST_DN)


def s2_offset(checked: CheckedProduct) -> Verdict:
    """No decision is missing, and only single scenes have pixels that speak against theirs.

    A decision that does not exist is a fault of whoever wrote the record, so one is enough. Dark pixels are a matter of
    light: only clear land counts, and where the darkest pixels prove the offset nothing does.
    """
    from satfusion_assets.archives.earth_search.offset import MOST_LIGHTLESS, OFFSET_DN, OffsetEvidence

    record = checked.view.read_json(S2_SCENES)
    undecided, odd = [], []
    for scene in record["scenes"]:
        subtracted = scene["offset_subtracted"]
        if subtracted not in (0, OFFSET_DN):
            undecided.append({"scene": scene["name"], "why": f"offset {subtracted} was subtracted"})
        elif not scene["offset_decision"]:
            undecided.append({"scene": scene["name"], "why": "nothing says why the offset was decided so"})
        elif not subtracted or scene.get("dark_pixel_test") == OffsetEvidence.IN_PIXELS:
            continue
        elif (share := _lightless(checked, scene["name"])) is not None and share > MOST_LIGHTLESS:
            why = f"{100 * share:.0f} % of its clear land has no blue light after it"
            odd.append({"scene": scene["name"], "why": why})
    shifted = sum(scene["offset_subtracted"] != 0 for scene in record["scenes"])
    aside = sum("offset" in one.get("kind", "") for one in record["set_aside"])
    numbers = {"offset_subtracted_from": shifted, "set_aside_for_their_offset": aside}
    found = mostly(undecided + odd, len(record["scenes"]), "scenes' offsets", numbers)
    says = f"{found.says} {aside} more scenes were set aside for theirs."
    return replace(found, passed=found.passed and not undecided, says=says)


def _lightless(checked: CheckedProduct, scene: str) -> float | None:
    """Share of a published scene's clear land without blue light; None when there is too little to say."""
    import numpy as np

    from satfusion_assets.archives.earth_search.offset import lightless_land

    blue = checked.raster(raw_scene("s2", scene)).values[0]
    factor, margin = SCL_M // FINE_M, CLOUD_DISTANCE_LIMIT * COARSE_M // SCL_M
    site = checked.raster(raw_scl(scene)).values[0][margin:-margin, margin:-margin]
    return lightless_land(blue, np.kron(site, np.ones((factor, factor), site.dtype)))


def s2_duplicates(checked: CheckedProduct) -> Verdict:
    scenes = checked.view.read_json(S2_SCENES)["scenes"]
    taken = Counter((scene["platform"], scene["sensed"], scene["tile"], scene["relative_orbit"]) for scene in scenes)
    odd = [{"acquisition": " ".join(map(str, key)), "times": count} for key, count in taken.items() if count > 1]
    return mostly(odd, len(taken), "acquisitions", {"acquisitions": len(taken)})


def s2_coverage(checked: CheckedProduct) -> Verdict:
    record = checked.view.read_json(S2_SCENES)
    set_aside = len(record["set_aside"])
    return coverage(checked, "s2", [one["name"] for one in record["scenes"]], set_aside, LONGEST_GAP_S2)


CRITERIA: Final = (
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
