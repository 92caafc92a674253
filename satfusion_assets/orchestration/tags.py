"""Tags by which the UI finds runs (of a site, a season, a command, a sensor) and by which the queue counts them.

Every run that the queue takes gets them (``instance/run_coordinator.py``), and every run of the command line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

SITE: Final = "satfusion/site"
SEASON: Final = "satfusion/season"
COMMAND: Final = "satfusion/command"
WAITS: Final = "satfusion/waits"
"""Of a run that only waits for other runs; dagster.yaml limits how many there are."""
WORKS: Final = "satfusion/works"
"""Of every other run in the queue; dagster.yaml limits how many there are, so that waiting takes no work's place."""
YES: Final = "true"
_SENSORS: Final[Mapping[str, Collection[str]]] = {
    "sentinel2": ("sentinel2",),
    "sentinel3": ("sentinel3",),
    "both": ("sentinel2", "sentinel3"),
    "phenocam": ("phenocam",),
    "all": (),
}
"""Sensors by what a product's record says; a product of everything is of no sensor in particular."""


def sensor_tags(assets: Iterable[str]) -> dict[str, str]:
    """A tag for each sensor that these assets are made from, as ``satfusion/sentinel2``."""
    from satfusion_assets.pipeline.registry import REGISTRY

    found = {sensor for name in assets if name in REGISTRY.names for sensor in _SENSORS[REGISTRY[name].sensor]}
    return {f"satfusion/{sensor}": YES for sensor in sorted(found)}


def place_tags(site_season: str) -> dict[str, str]:
    """Tags of a site-season's key; none for a key that is no site-season's."""
    from satfusion_assets.vocabulary.errors import InvalidInput
    from satfusion_assets.vocabulary.sites import SiteSeason

    try:
        item = SiteSeason.parse(site_season)
    except InvalidInput:
        return {}
    return {SITE: item.site, SEASON: str(item.season)}
