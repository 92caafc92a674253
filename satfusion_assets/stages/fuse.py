"""Stage: fuse the prepared images of a scenario into one image for every day of the season."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date, timedelta
from typing import Final

import numpy as np

from satfusion_assets.errors import NoData
from satfusion_assets.grid import RATIO, SiteGrid, site_grid
from satfusion_assets.processing.efast import Fused, Status, fuse
from satfusion_assets.processing.efast.quality import NO_SCENE, Quality
from satfusion_assets.scenarios import Scenario
from satfusion_assets.sites import Site, SiteSeason
from satfusion_assets.stages.outcome import Outcome
from satfusion_assets.stages.prepare import CHANNELS, PREPARED
from satfusion_assets.stages.quality import write_quality
from satfusion_assets.store import Draft, Product, ProductStore, View
from satfusion_assets.store.layout import FusedLayout, PreparedLayout, day_of

log = logging.getLogger(__name__)

MAX_DAYS: Final = 30
"""Reach of the fusion in days to either side, as the thesis ran it."""


def fuse_season(store: ProductStore, site: Site, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``fused``: one raster a day that could be predicted, and the status of every day."""
    layout, grid = FusedLayout(scenario), site_grid(site)
    product = Product("fused", site_season, scenario.key)
    parameters = {"sigma": scenario.sigma, "max_days": MAX_DAYS, "minimum_acquisition_importance": 0}
    days = season_days(site_season)
    with store.read(Product(PREPARED[scenario.mode], site_season, scenario.strategy)) as prepared:
        result = fuse_prepared(prepared, scenario, days)
        with store.publish(product, parameters=parameters, inputs=[prepared]) as draft:
            _write_images(draft, layout, grid, days, result)
            write_quality(draft, layout, grid, days, result.quality)
            statuses = {day.isoformat(): str(status) for day, status in zip(days, result.status, strict=True)}
            draft.write_json(layout.status, statuses)
    assert draft.manifest is not None
    counts = Counter(statuses.values())
    valid = float(np.isfinite(result.values).mean())
    log.info("%s: %d of %d days fused, %.1f %% of pixels.", product.key, counts["ok"], len(days), 100 * valid)
    numbers: dict[str, int | float | None] = {"days": counts["ok"], "valid_fraction": round(valid, 4)}
    numbers |= {f"days_{status}": number for status, number in counts.items() if status != Status.OK}
    return Outcome(draft.manifest, numbers=numbers | _quality_numbers(result.quality))


def _write_images(draft: Draft, layout: FusedLayout, grid: SiteGrid, days: list[date], result: Fused) -> None:
    """One raster for each day that has an estimate anywhere."""
    predicted = [index for index, status in enumerate(result.status) if status is Status.OK]
    names = [layout.image(days[index]) for index in predicted]
    draft.write_stack(names, result.values[predicted], grid.fine, band_names=CHANNELS[layout.scenario.mode])


def _quality_numbers(quality: Quality) -> dict[str, int | float | None]:
    """Medians over a sparse lattice of days and pixels, which is all that a headline needs."""
    lattice = (slice(None, None, 5), ..., slice(None, None, 5), slice(None, None, 5))
    days, deviation = quality.days_to_scene[lattice], quality.standard_deviation[lattice]
    near, known = days[days != NO_SCENE], deviation[np.isfinite(deviation)]
    return {
        "median_days_to_scene": float(np.median(near)) if near.size else None,
        "median_standard_deviation": round(float(np.median(known)), 5) if known.size else None,
    }


def fuse_prepared(prepared: View, scenario: Scenario, days: list[date]) -> Fused:
    """Fuse the prepared images of ``scenario`` for ``days``; NoData when a sensor has no image at all."""
    layout = PreparedLayout(scenario.strategy, scenario.mode)
    fine = prepared.names(f"{layout.folder}/s2/*_{layout.kind}.tif")
    coarse = prepared.names(f"{layout.folder}/s3/*.tif")
    for sensor, names in (("Sentinel-2", fine), ("Sentinel-3", coarse)):
        if not names:
            raise NoData(
                f"{prepared.product.key} holds no {sensor} image; look at the pre-selection and materialise it again."
            )
    return fuse(
        np.array(days, dtype="datetime64[D]"),
        prepared.read_stack(coarse),
        _days(coarse),
        prepared.read_stack(fine),
        _days(fine),
        prepared.read_stack([layout.cloud_distance(day_of(name)) for name in fine])[:, 0],
        ratio=RATIO,
        sigma=scenario.sigma,
        max_days=MAX_DAYS,
    )


def season_days(site_season: SiteSeason) -> list[date]:
    """Every day that is predicted."""
    return [site_season.start + timedelta(n) for n in range((site_season.end - site_season.start).days + 1)]


def _days(names: list[str]) -> np.ndarray:
    return np.array([day_of(name) for name in names], dtype="datetime64[D]")
