"""The population's page: every sentence with its count, whichever side wins; every table folded."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from satfusion_assets.truth.population_report import best_pair, population_page

OURS, OTHER = "aggressive_sigma20", "linear"


def tables(ratios: list[float]) -> dict[str, pd.DataFrame]:
    """One hard landscape a ratio: fusion's error over that of the interpolation, in images, series and dates."""
    rows: dict[str, list[dict[str, Any]]] = {"pairs": [], "calibration": [], "dates": [], "benefit": []}
    for seed, ratio in enumerate(ratios, 1):
        head = {"site": "innsbruck", "season": 2024, "seed": seed, "landscape": "hard", "strategy": "aggressive"}
        whole = {"quantity": "gcc", "stratum_kind": "ground", "stratum": "snow_free"}
        near = {"quantity": "gcc", "stratum_kind": "days_to_clear", "stratum": "4-7"}
        for stratum in (whole, near):
            for a, b in ((OURS, OTHER), (OURS, OURS), (OTHER, OTHER)):
                error = {OURS: ratio, OTHER: 1.0}
                rows["pairs"].append(
                    head | stratum | {"a": a, "b": b, "n": 9, "share": 0.9, "rmse_a": error[a], "rmse_b": error[b]}
                )
            rows["calibration"].append(head | stratum | {"method": OURS, "coverage_68": 0.6, "coverage_95": 0.9})
        for series, median in ((OURS, 2 * ratio), ("sentinel2_alone", 2.0)):
            errors = {"median": median, "p90": 9.0, "far": 0.1, "dated": 1.0, "covered": 0.9}
            rows["dates"].append(head | {"series": series, "date": "rising_50", **errors})
        for day in pd.date_range("2024-03-01", periods=40):
            for b in (OTHER, "sentinel3_linear"):
                sums = {"n": 3, "sse_a": ratio**2, "sse_b": 1.0}
                pair = {"target": "place", "stratum": "all", "a": OURS, "b": b, "day": str(day.date())}
                rows["benefit"].append(head | pair | sums)
    return {name: pd.DataFrame(of) for name, of in rows.items()}


def test_the_page_counts_its_landscapes_and_says_when_they_are_too_few() -> None:
    few = population_page(tables([0.9, 0.8]), "the command")
    assert "fewer than the 12" in few
    assert "aggressive_sigma20 is nearer to the truth than linear in 2 of 2 hard landscapes" in few
    assert "the command" in few
    assert "What the sandbox still cannot show" in few
    assert "fewer than the 12" not in population_page(tables([0.9] * 12), "the command")


def test_methods_that_have_met_fewer_landscapes_are_named() -> None:
    of = tables([0.9] * 3)
    assert "Not every method" not in population_page(of, "the command")
    first = of["pairs"][of["pairs"].seed == 1]
    late = first[(first.a == OURS) & (first.b == OURS)].assign(a="aggressive_kriging", b="aggressive_kriging")
    page = population_page(of | {"pairs": pd.concat([of["pairs"], late])}, "the command")
    assert "Not every method has met all 3 landscapes: `aggressive_kriging` 1." in page


def test_every_table_but_the_population_is_folded() -> None:
    page = population_page(tables([0.9, 0.8]), "the command")
    assert page.count("<details>") == page.count("</details>") >= 15
    outside = [part.split("</details>")[-1] for part in page.split("<details>")]
    assert sum(part.count("\n| --- |") for part in outside) == 1


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.5, "- aggressive_sigma20 adds to Sentinel-2 alone (linear): everywhere -50% (nearer in 6 of 6"),
        (1.5, "- aggressive_sigma20 is worse than 300 m data (sentinel3_linear): everywhere +50% (nearer in 0 of 6"),
    ],
)
def test_the_camera_s_sentences_follow_the_test(ratio: float, words: str) -> None:
    assert words in population_page(tables([ratio] * 6), "the command")


def test_dates_are_counted_by_landscape() -> None:
    page = population_page(tables([0.5, 0.5, 1.5]), "the command")
    assert "aggressive_sigma20 has a smaller median error than Sentinel-2 alone in 2 of 3" in page


def test_the_best_fusion_is_judged_by_its_hardest_competitor() -> None:
    pairs = [("one", "linear", -0.5), ("one", "whittaker", 0.2), ("two", "linear", -0.1), ("two", "whittaker", -0.05)]
    best = best_pair([{"a": a, "b": b, "mean_difference": difference} for a, b, difference in pairs])
    assert (best["a"], best["b"]) == ("two", "whittaker")
