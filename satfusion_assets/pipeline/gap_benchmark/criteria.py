"""What good means for the gap benchmark: scenes were withheld, and fusion answers for them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, rounded, verdict
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.vocabulary.scenarios import SCENARIOS

WITHIN_REACH: Final = (15, 30)
"""Lengths of gaps in days at whose middle fusion, which looks 30 days either way, still has scenes."""


LEAST_SHARE: Final = 0.5
"""Share of the pixels withheld by gaps within reach that fusion has to estimate."""


_FUSIONS: Final = frozenset(scenario.key for scenario in SCENARIOS)


def withheld_something(checked: CheckedProduct) -> Verdict:
    bad = [
        {"strategy": strategy, "gap": gap["key"]} for strategy, gap in _gaps(checked) if not gap["n_withheld_pixels"]
    ]
    return verdict(bad, sum(1 for _ in _gaps(checked)), "gaps", {"without_scenes": len(bad)})


def same_pixels(checked: CheckedProduct) -> Verdict:
    """All methods of a gap are scored on the same pixels, quantity by quantity."""
    bad = []
    for strategy, gap in _gaps(checked):
        counts: dict[str, set[int]] = {}
        for of in gap["spatial"].values():
            for quantity, scores in of.items():
                counts.setdefault(quantity, set()).add(scores["n_pixels"])
        bad += [{"strategy": strategy, "gap": gap["key"], "quantity": q} for q, n in counts.items() if len(n) > 1]
    return verdict(bad, sum(1 for _ in _gaps(checked)), "gaps", {})


def fusion_answers(checked: CheckedProduct) -> Verdict:
    """Of each scenario, over all gaps within reach together: one beside the snow has scenes on one side."""
    withheld: Counter[str] = Counter()
    estimated: Counter[str] = Counter()
    for _, gap in _gaps(checked):
        for method, of in gap["spatial"].items():
            if method in _FUSIONS and gap["gap_days"] in WITHIN_REACH and gap["n_withheld_pixels"]:
                withheld[method] += gap["n_withheld_pixels"]
                estimated[method] += of["gcc"]["estimated_share"] * gap["n_withheld_pixels"]
    if not withheld:
        return Verdict(False, "No gap of up to 30 days withholds anything.")
    worst = min(estimated[method] / withheld[method] for method in withheld)
    says = (
        f"In gaps of up to 30 days every scenario estimates at least {worst:.0%} (wanted: {LEAST_SHARE:.0%}) of the "
        "withheld pixels."
    )
    return Verdict(worst >= LEAST_SHARE, says, {"least_estimated_share": rounded(worst)})


def gap_summaries(checked: CheckedProduct) -> Verdict:
    """The contract's summary of every scenario: the best one at its own path, the others below it."""
    layout = GapLayout()
    names = {layout.summary(None), *(layout.summary(scenario) for scenario in SCENARIOS)}
    missing = names - {*checked.view.names("validation/*")}
    says = f"{len(names) - len(missing)} of {len(SCENARIOS)} scenarios have a summary."
    return Verdict(len(missing) == 1 and layout.summary(None) not in missing, says)


def _gaps(checked: CheckedProduct) -> list[tuple[str, dict[str, Any]]]:
    strategies = checked.view.read_json(GapLayout().metrics)["strategies"]
    return [(strategy, gap) for strategy, outcome in strategies.items() for gap in outcome["gaps"]]


CRITERIA: Final = (
    Criterion("summaries", "Every scenario has its summary.", gap_summaries, True),
    Criterion("same_pixels", "All methods of a gap are scored on the same pixels.", same_pixels, True),
    Criterion("withheld", "Every gap withholds clear pixels.", withheld_something, False),
    Criterion(
        "fusion_answers", "Fusion estimates most of what a gap within its reach withholds.", fusion_answers, False
    ),
)
