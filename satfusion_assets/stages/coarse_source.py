"""Which Sentinel-3 product a result rests on: handed from manifest to manifest, down to every score.

Top-of-atmosphere and surface reflectance give different greenness; scores of the two must not be mixed up.
"""

from __future__ import annotations

from typing import Final

from satfusion_assets.store import View

SENTINEL3: Final = "sentinel3"
"""Name of the manifest's parameter."""


def named(raw: View) -> dict[str, str]:
    """The parameter for what is made from ``raw_s3`` itself: product and quantity."""
    facts = raw.manifest.parameters
    return {SENTINEL3: f"{facts['product']}, {facts['quantity']}"} if "quantity" in facts else {}


def inherited(view: View) -> dict[str, str]:
    """The parameter for what is made from ``view``; empty when it does not say (made by an earlier version)."""
    said = view.manifest.parameters.get(SENTINEL3)
    return {SENTINEL3: said} if said else {}
