"""Where the packs lie below a site-season."""

from __future__ import annotations

from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sources import Source


def pack_folder(scenario: Scenario) -> str:
    """The season of one scenario as one analysis-ready Zarr group."""
    return f"packs/{scenario.key}.zarr"


def image_layer(source: Source) -> str:
    """The pack's layer of the images of ``source``."""
    return "fused" if source == "fusion" else source
