"""Where the packs lie below a site-season."""

from __future__ import annotations

from satfusion_assets.vocabulary.scenarios import Scenario


def pack_folder(scenario: Scenario) -> str:
    """The season of one scenario as one analysis-ready Zarr group."""
    return f"packs/{scenario.key}.zarr"
