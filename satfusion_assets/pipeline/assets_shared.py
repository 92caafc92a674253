"""What every asset of the graph shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.recipes import RECIPES
from satfusion_assets.viewer.links import viewer_url
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

OWNERS: Final = ["team:satfusion"]


def stage(
    product: str, group: str, *kinds: str, sensor: str = "all", columns: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Arguments of the asset that publishes ``product``, in stage ``group``.

    sensor: what it speaks of, as a tag to search for; all = both Sentinels and the camera. columns: of its main table,
    name -> "type: meaning".
    """
    return {
        "group_name": group,
        "kinds": set(kinds),
        "owners": OWNERS,
        "code_version": str(RECIPES[product].code_version),
        "tags": {"sensor": sensor},
        "metadata": {"dagster/column_schema": schema(columns)} if columns else {},
    }


def schema(columns: Mapping[str, str]) -> dg.TableSchema:
    """The columns as Dagster shows them."""
    split = ((name, *text.split(": ", 1)) for name, text in columns.items())
    return dg.TableSchema([dg.TableColumn(name, kind, description=meaning) for name, kind, meaning in split])


def view(platform: Platform, site_season: SiteSeason, scenario: Scenario | None = None, **where: Any) -> str:
    """Address of the viewer's page on a partition; ``where``: page, stage as ``viewer_url`` takes them."""
    return viewer_url(platform.settings.viewer_url, site_season.site, site_season.season, scenario, **where)
