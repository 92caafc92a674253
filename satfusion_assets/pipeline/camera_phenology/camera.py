"""When the season rises and falls as the camera saw it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import numpy as np

from satfusion_assets.phenology import Phenology, TransitionDate, contract_dates, transitions
from satfusion_assets.phenology.series import EPOCH
from satfusion_assets.pipeline.camera_phenology.files import CAMERA_DATES, PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC_3Y
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_phenocam.series import chosen_region, snow_free
from satfusion_assets.sampling.series import read_series
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.sites import SiteSeason

log = logging.getLogger(__name__)


def camera_phenology(store: Store, site_season: SiteSeason) -> Outcome:
    """Publish ``camera_phenology`` from three years: phenocam_phenology.json, and all dates with their intervals."""
    with store.read(RAW_PHENOCAM.of(site_season)) as phenocam:
        series = snow_free(read_series(phenocam.read_json(PHENOCAM_GCC_3Y)), chosen_region(phenocam))
        phenology = transitions(series.days, series.values)
        dates = contract_dates(phenology, site_season.season)
        with publish(store, CAMERA_PHENOLOGY.of(site_season), inputs=[phenocam]) as draft:
            draft.write_json(PHENOCAM_PHENOLOGY, dates)
            draft.write_json(CAMERA_DATES, {"camera": _season_record(phenology, site_season)})
    assert draft.manifest is not None
    log.info("The camera's %d days show %d seasons.", len(series), len(phenology.seasons))
    notes = {name: str(value or "none") for name, value in dates.items()}
    return Outcome(draft.manifest, numbers={"seasons": len(phenology.seasons)}, notes=notes)


def _season_record(phenology: Phenology, site_season: SiteSeason) -> dict[str, Any]:
    """Dates of the year's main growing season; only the label where there is none."""
    season = phenology.growing_season(site_season.season)
    if season is None:
        return {"label": phenology.label.name.lower(), "rising": None, "falling": None}
    limbs = {"rising": season.rising, "falling": season.falling}
    return {"label": season.label.name.lower()} | {
        limb: {str(percent): date_record(point) for percent, point in of.items()} for limb, of in limbs.items()
    }


def date_record(transition: TransitionDate) -> dict[str, Any]:
    bounds = [
        EPOCH + timedelta(days=round(day)) if np.isfinite(day) else None for day in (transition.lower, transition.upper)
    ]
    return {
        "date": transition.date.isoformat() if transition.date else None,
        "lower": bounds[0].isoformat() if bounds[0] else None,
        "upper": bounds[1].isoformat() if bounds[1] else None,
        "label": transition.label.name.lower(),
    }
