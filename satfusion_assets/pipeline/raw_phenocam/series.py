"""The camera's series, read from its product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from satfusion_assets.evaluation.season_dates import phase_transitions, season_dates, season_period
from satfusion_assets.evaluation.skill import CameraRegion
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_REGIONS
from satfusion_assets.sampling.series import DailySeries, read_series
from satfusion_assets.store import View
from satfusion_assets.vocabulary.sites import SiteSeason


def camera_series(phenocam: View) -> DailySeries:
    """The camera's gcc_90 of the season."""
    return read_series(phenocam.read_json(f"{PHENOCAM_GCC}.json"))


def camera_regions(phenocam: View, site_season: SiteSeason) -> dict[str, CameraRegion]:
    """Every region of the camera in the season, the site's own first, with the turns of its own three years."""
    regions = {}
    for name, of in phenocam.read_json(PHENOCAM_REGIONS).items():
        regions[name] = CameraRegion(
            camera=read_series(of["series"]).between(site_season.start, site_season.end),
            vegetation=of["vegetation"],
            transitions=phase_transitions(region_dates(of, site_season)),
        )
    return regions


def region_dates(region: Mapping[str, Any], site_season: SiteSeason) -> dict[str, date | None]:
    """The transition dates of a region's growing season that ends in the season, from all of its years."""
    return season_dates(snow_free(read_series(region["series"]), region), site_season.season)


def camera_period(phenocam: View, site_season: SiteSeason) -> dict[str, Any]:
    """Which months a report on the season is about (``season_period``), by the site's own region."""
    region = chosen_region(phenocam)
    return season_period(site_season, region_dates(region, site_season) if region else {})


def chosen_region(phenocam: View) -> Mapping[str, Any]:
    """What is known of the site's own region of interest; nothing where the product is older than such records."""
    if PHENOCAM_REGIONS not in phenocam.names(PHENOCAM_REGIONS):
        return {}
    return next(iter(phenocam.read_json(PHENOCAM_REGIONS).values()), {})


def snow_free(series: DailySeries, region: Mapping[str, Any]) -> DailySeries:
    """A region's greenness without the days on which its colour shows snow: dates are the canopy's."""
    white = np.array(region.get("white_days", []), dtype="datetime64[D]")
    kept = ~np.isin(series.days, white)
    return DailySeries(series.days[kept], series.values[kept])
