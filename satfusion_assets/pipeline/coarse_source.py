"""Which Sentinel-3 product a result rests on: handed from manifest to manifest, into every file and table of scores.

Top-of-atmosphere and surface reflectance give different greenness; scores of the two must not be mixed up.
"""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.sources import SOURCES
from satfusion_assets.store import View
from satfusion_assets.vocabulary.scenarios import KRIGING_SCENARIOS, SCENARIOS, Scenario
from satfusion_assets.vocabulary.settings import S3Product

SENTINEL3: Final = "sentinel3"
"""Name of the manifest's parameter, and of the key in files of scores."""
LEVELS: Final = {S3Product.OLCI_L1B: "TOA", S3Product.SYN_L2: "BOA", S3Product.NONE: None}
"""Whether a Sentinel-3 product is top-of-atmosphere or surface reflectance."""
NO_DRIFT: Final = "none"
"""What kriging of Sentinel-2 alone says of its drift."""
_AND: Final = "; "


def scenarios_of(product: S3Product) -> tuple[Scenario, ...]:
    """The scenarios that a season with this Sentinel-3 product can have."""
    return KRIGING_SCENARIOS if product is S3Product.NONE else SCENARIOS


def named(raw: View) -> dict[str, str]:
    """The parameter for what is made from ``raw_s3`` itself: product and quantity."""
    facts = raw.manifest.parameters
    return {SENTINEL3: f"{facts['product']}, {facts['quantity']}"} if "quantity" in facts else {}


def inherited(*views: View) -> dict[str, str]:
    """The parameter for what is made from ``views``; empty when none of them says (made by an earlier version)."""
    said = {view.manifest.parameters.get(SENTINEL3, "") for view in views} - {""}
    return {SENTINEL3: _AND.join(sorted(said))} if said else {}


def columns(view: View) -> dict[str, str | None]:
    """The same for a row of a table: product and level, and what the archives say of their data; None when ``view``
    does not say."""
    said = inherited(view).get(SENTINEL3)
    products = [S3Product(source.partition(",")[0]) for source in said.split(_AND)] if said else []
    return {
        "s3_product": _AND.join(products) or None,
        "s3_level": _AND.join(level for product in products if (level := LEVELS[product])) or None,
        "sources": " | ".join(view.manifest.parameters.get(SOURCES, [])) or None,
    }
