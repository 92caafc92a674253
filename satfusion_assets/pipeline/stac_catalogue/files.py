"""Where the catalogue lies, below ``tables/`` of the data root."""

from __future__ import annotations

from typing import Final

from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

CATALOGUE: Final = "stac/catalog.json"
INDEX: Final = "stac/items.parquet"
"""Every item of every site-season, stac-geoparquet."""


def collection(season: SiteSeason) -> str:
    """The site-season."""
    return f"stac/{season.key}/collection.json"


def item(season: SiteSeason, scenario: Scenario) -> str:
    """The site-season under one scenario."""
    return f"stac/{season.key}/{scenario.key}.json"


def days(season: SiteSeason, scenario: Scenario) -> str:
    """An item for each of its fused days, in one file."""
    return f"stac/{season.key}/{scenario.key}_days.json"
