"""What good means for date maps; imports are late, because the code location loads this module."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, rounded, verdict
from satfusion_assets.pipeline.phenology.files import PhenologyLayout

LEAST_DATED: Final = 0.05


MOST_DISORDERED: Final = 0.02


YEAR: Final = (-45.0, 411.0)
"""Days of year that a season of a calendar year may reach, with the margins of the raw data."""


def maps_grid(checked: CheckedProduct) -> Verdict:
    from satfusion_assets.phenology import TRANSITIONS

    layout = PhenologyLayout(checked.scenario)
    names = [*(layout.dates(transition) for transition in TRANSITIONS), layout.labels]
    bad = [{"file": name, "why": "is not on the site's grid"} for name in names if not _on_grid(checked, name)]
    return verdict(bad, len(names), "maps", {"maps": len(names)})


def _on_grid(checked: CheckedProduct, name: str) -> bool:
    return checked.raster(name).geobox == checked.grid.fine


def dates_in_order(checked: CheckedProduct) -> Verdict:
    """Each date lies in its interval and in the year, and pixels turn green before they turn back."""
    import numpy as np

    from satfusion_assets.phenology import TRANSITIONS

    layout = PhenologyLayout(checked.scenario)
    bad = []
    for transition in TRANSITIONS:
        day, lower, upper = checked.raster(layout.dates(transition)).masked()
        known = np.isfinite(day)
        wrong = known & ~((lower <= day) & (day <= upper) & (day >= YEAR[0]) & (day <= YEAR[1]))
        if wrong.sum() > MOST_DISORDERED * max(known.sum(), 1):
            bad.append({"map": transition, "why": f"{int(wrong.sum())} pixels outside their interval or the year"})
    rising, falling = (checked.raster(layout.dates(f"{limb}_50")).masked()[0] for limb in ("rising", "falling"))
    backwards = int((falling <= rising).sum())
    if backwards > MOST_DISORDERED * rising.size:
        bad.append({"map": "falling_50", "why": f"{backwards} pixels turn back before they turn green"})
    return verdict(bad, len(TRANSITIONS), "date maps", {"pixels_backwards": backwards})


def dated(checked: CheckedProduct) -> Verdict:
    import numpy as np

    day = checked.raster(PhenologyLayout(checked.scenario).dates("rising_50")).masked()[0]
    share = float(np.isfinite(day).mean())
    return Verdict(share >= LEAST_DATED, f"{100 * share:.0f} % of pixels have a green-up.", {"dated": rounded(share)})


CRITERIA: Final = (
    Criterion("grid", "Every date map lies on the site's grid.", maps_grid, True),
    Criterion("order", "Dates lie in their intervals; green-up comes before green-down.", dates_in_order, False),
    Criterion("dated", "Some pixels have a season.", dated, False),
)
