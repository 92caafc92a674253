"""Pre-selection of whole scenes, against the reference's verdicts and at the borders of each rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.screening.preselection import Reason, screen
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.conftest import GOLDENS

DARK = {"s2": 100.0, "s3": 0.01}


@pytest.mark.parametrize("path", sorted((GOLDENS / "preselection").glob("*.json")), ids=lambda path: path.stem)
@pytest.mark.parametrize("strategy", Strategy)
def test_verdicts_of_the_reference(path: Path, strategy: Strategy) -> None:
    case = json.loads(path.read_text())
    days = [entry["date"][:10] for entry in case["entries"]]
    ndvi, blue = (
        [np.nan if entry.get(field) is None else entry[field] for entry in case["entries"]] for field in ("ndvi", "b02")
    )
    verdict = screen(days, ndvi, blue, strategy, dark=DARK[case["source"]])
    assert list(verdict.excluded) == case["excluded"][strategy]


def test_each_exclusion_has_its_reason() -> None:
    days = ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04", "2024-05-05"]
    verdict = screen(days, [0.7, 0.7, 0.1, np.nan, 0.7], [0.05, 0.05, 0.05, 0.05, 0.005], Strategy.AGGRESSIVE)
    assert verdict.reasons == (None, None, Reason.LOW_NDVI, Reason.NO_NDVI, Reason.DARK)
    assert verdict.kept == (True, True, False, False, False)
    assert verdict.count(Reason.DARK) == 1


def test_no_scenes_no_verdicts() -> None:
    assert screen([], [], [], Strategy.AGGRESSIVE).reasons == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.floats(-0.5, 1) | st.just(np.nan), st.floats(0, 0.5)), min_size=1, max_size=25
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_scenes_does_not_matter(scenes: list[tuple[int, float, float]], random: object) -> None:
    def verdicts(rows: list[tuple[int, float, float]]) -> dict[tuple[int, float, float], Reason | None]:
        days = np.datetime64("2024-01-01") + np.array([row[0] for row in rows])
        result = screen(days, [row[1] for row in rows], [row[2] for row in rows], Strategy.AGGRESSIVE)
        return dict(zip(rows, result.reasons, strict=True))

    shuffled = scenes.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert verdicts(scenes) == verdicts(shuffled)
