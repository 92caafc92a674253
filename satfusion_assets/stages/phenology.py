"""Stage: when the season rises and falls, as the camera saw it."""

from __future__ import annotations

import numpy as np

from satfusion_assets.processing.phenology import contract_dates, transitions
from satfusion_assets.sites import SiteSeason
from satfusion_assets.stages.outcome import Outcome
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.layout import PHENOCAM_GCC_3Y, PHENOCAM_PHENOLOGY


def camera_phenology(store: ProductStore, site_season: SiteSeason) -> Outcome:
    """Publish ``camera_phenology``: phenocam_phenology.json from the camera's three years."""
    with store.read(Product("raw_phenocam", site_season)) as phenocam:
        records = [row for row in phenocam.read_json(PHENOCAM_GCC_3Y) if row["greenness_index"] is not None]
        days = np.array([row["date"][:10] for row in records], dtype="datetime64[D]")
        values = np.array([row["greenness_index"] for row in records], dtype=np.float64)
        phenology = transitions(days, values)
        dates = contract_dates(phenology, site_season.season)
        with store.publish(Product("camera_phenology", site_season), inputs=[phenocam]) as draft:
            draft.write_json(PHENOCAM_PHENOLOGY, dates)
    assert draft.manifest is not None
    notes = {name: str(value or "none") for name, value in dates.items()}
    return Outcome(draft.manifest, numbers={"seasons": len(phenology.seasons)}, notes=notes)
