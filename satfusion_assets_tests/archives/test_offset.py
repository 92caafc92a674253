"""The offset of baseline 04.00: what the catalogue claims, what the pixels say, what becomes of dark pixels."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.archives.earth_search.offset import (
    OffsetClaim,
    OffsetEvidence,
    claimed_offset,
    contradicts,
    dark_pixel_evidence,
    lightless_land,
    subtract_offset,
)
from satfusion_assets.archives.earth_search.scenes import scene_from_item
from satfusion_assets_tests.archives.conftest import item

VEGETATION = np.full((60, 60), 4, np.uint8)


def blue(darkest: int, typical: int) -> np.ndarray:
    """Clear blue DN with a dark tail."""
    values = np.full((60, 60), typical, np.uint16)
    values[:3] = darkest
    return values


@pytest.mark.parametrize(
    ("name", "subtract"),
    [
        ("S2A_33TWN_20161202_0_L2A", 0),  # 00.01
        ("S2A_33TWN_20210328_0_L2A", 0),  # 02.14
        ("S2A_33TWN_20220122_0_L2A", 0),  # 03.01
        ("S2B_33TWN_20220130_0_L2A", 0),  # 04.00, flag true, raster:bands says -0.1 nevertheless
        ("S2B_33TWN_20220226_0_L2A", 1000),  # 04.00, flag false
        ("S2A_32TMS_20221207_0_L2A", 0),  # 05.09, flag true
        ("S2B_T24MWV_20250731T130245_L2A", 1000),  # collection 1, 05.11, no flag
    ],
)
def test_real_items_claim_their_offset_by_baseline_and_flag(name: str, subtract: int) -> None:
    assert claimed_offset(scene_from_item(item(name))).subtract == subtract


@pytest.mark.parametrize("lost", ["s2:processing_baseline", "earthsearch:boa_offset_applied"])
def test_without_baseline_or_flag_nothing_is_claimed(lost: str) -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    del raw["properties"][lost]
    assert claimed_offset(scene_from_item(raw)).subtract is None


def test_baseline_decides_not_the_date() -> None:
    raw = item("S2A_33TWN_20161202_0_L2A")
    raw["properties"] |= {"s2:processing_baseline": "05.00", "earthsearch:boa_offset_applied": False}
    assert claimed_offset(scene_from_item(raw)).subtract == 1000


@pytest.mark.parametrize(
    ("values", "scl", "evidence"),
    [
        (blue(200, 400), VEGETATION, OffsetEvidence.NOT_IN_PIXELS),
        (blue(1200, 1400), VEGETATION, OffsetEvidence.IN_PIXELS),
        (blue(800, 900), VEGETATION, OffsetEvidence.NONE),
        (blue(1200, 3200), VEGETATION, OffsetEvidence.NONE),
        (blue(200, 400), np.full((60, 60), 9, np.uint8), OffsetEvidence.NONE),
        (np.zeros((60, 60), np.uint16), VEGETATION, OffsetEvidence.NONE),
    ],
    ids=["dark", "shifted", "between", "snow", "cloud", "nodata"],
)
def test_the_darkest_clear_pixels_are_witnesses(values: np.ndarray, scl: np.ndarray, evidence: OffsetEvidence) -> None:
    assert dark_pixel_evidence(values, scl) is evidence


@pytest.mark.parametrize(("scl", "share"), [(4, 0.25), (5, 0.25), (6, None), (3, None), (2, None), (11, None)], ids=str)
def test_only_clear_land_can_lack_light(scl: int, share: float | None) -> None:
    values = np.full((60, 60), 300, np.uint16)
    values[:15] = 1
    assert lightless_land(values, np.full((60, 60), scl, np.uint8)) == share


def test_a_claim_against_the_evidence_is_a_contradiction() -> None:
    still_in, taken_out, none_ever = OffsetClaim(1000, ""), OffsetClaim(0, ""), OffsetClaim(0, "", testable=False)
    assert contradicts(still_in, OffsetEvidence.NOT_IN_PIXELS)
    assert contradicts(taken_out, OffsetEvidence.IN_PIXELS)
    assert not contradicts(still_in, OffsetEvidence.IN_PIXELS)
    assert not contradicts(taken_out, OffsetEvidence.NONE)
    assert not contradicts(none_ever, OffsetEvidence.IN_PIXELS)


def test_dark_pixels_stay_valid_and_nodata_stays_nodata() -> None:
    values, dark = subtract_offset(np.array([0, 1, 999, 1000, 1001, 65535], np.uint16), 1000)
    assert values.tolist() == [0, 1, 1, 1, 1, 64535]
    assert dark == 3
    unchanged, none = subtract_offset(np.array([0, 1, 12000], np.uint16), 0)
    assert (unchanged.tolist(), none) == ([0, 1, 12000], 0)
