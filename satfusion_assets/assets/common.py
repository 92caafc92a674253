"""What every asset of the graph shares."""

from __future__ import annotations

from typing import Any, Final

from satfusion_assets.resources import Platform
from satfusion_assets.scenarios import Scenario
from satfusion_assets.sites import SiteSeason
from satfusion_assets.viewer.links import viewer_url

OWNERS: Final = ["team:satfusion"]
CODE_VERSION: Final = "1"
"""Raise it when a stage computes something else from the same inputs: partitions then show as unsynced."""


def stage(group: str, *kinds: str) -> dict[str, Any]:
    """Arguments of an asset in stage ``group``."""
    return {"group_name": group, "kinds": set(kinds), "owners": OWNERS, "code_version": CODE_VERSION}


def view(platform: Platform, site_season: SiteSeason, scenario: Scenario | None = None, **where: Any) -> str:
    """Address of the viewer's page on a partition; ``where``: page, stage as ``viewer_url`` takes them."""
    return viewer_url(platform.settings.viewer_url, site_season.site, site_season.season, scenario, **where)
