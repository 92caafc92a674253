"""The vocabulary of places and times: sites, seasons, and the registry file that holds them.

Sites and seasons are data. They live in ``sites.geojson`` below the data root; a new data root starts with the
six sites of the thesis. Names must work as partition keys and as folder names, so they are checked here and
nowhere else (Dagster checks nothing for dynamic partitions).
"""

from satfusion_assets.vocabulary.sites.file import Reading, Trouble, read_sites
from satfusion_assets.vocabulary.sites.registry import SiteRegistry
from satfusion_assets.vocabulary.sites.site import (
    FIRST_SEASON,
    MARGIN,
    Site,
    SiteSeason,
    check_season,
    check_site_name,
    make_site,
)

__all__ = [
    "FIRST_SEASON",
    "MARGIN",
    "Reading",
    "Site",
    "SiteRegistry",
    "SiteSeason",
    "Trouble",
    "check_season",
    "check_site_name",
    "make_site",
    "read_sites",
]
