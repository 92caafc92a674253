"""Stage: fuse the prepared images of a scenario into one image for every day of the season."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast import Fused, Status, fuse
from satfusion_assets.fusion.efast.quality import NO_SCENE, Quality
from satfusion_assets.pipeline.coarse_source import inherited
from satfusion_assets.pipeline.fused.engines import Engine, EngineName, engine
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.fused.quality import write_quality
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.prepare import CHANNELS
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.site_series import read_at_site, write_series
from satfusion_assets.store import Draft, ProductStore, View
from satfusion_assets.store.layers import FUSED_STEP, to_step
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import NoData
from satfusion_assets.vocabulary.grid import RATIO, site_grid
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason

log = logging.getLogger(__name__)

MAX_DAYS: Final = 30
"""Reach of the fusion in days to either side, as the thesis ran it."""


def fuse_season(
    store: ProductStore,
    site: Site,
    site_season: SiteSeason,
    scenario: Scenario,
    engine_name: EngineName = EngineName.SATFUSION,
) -> Outcome:
    """Publish ``fused``: one raster a day that could be predicted, quality layers, and the status of every day.

    The authors' package, where it is the engine, has no quality layers.
    """
    layout, grid = FusedLayout(scenario), site_grid(site)
    product = FUSED.of(site_season, scenario)
    parameters: dict[str, Any] = {
        "engine": str(engine_name),
        "sigma": scenario.sigma,
        "max_days": MAX_DAYS,
        "minimum_acquisition_importance": 0,
        "step": FUSED_STEP,
    }
    days = season_days(site_season)
    with store.read(PREPARED[scenario.mode].of(site_season, scenario.strategy)) as prepared:
        refuse_out_of_place(site, prepared)
        inputs = prepared_inputs(prepared, scenario)
        log.info(
            "Fusing %s for %d days from %d Sentinel-2 and %d Sentinel-3 days, with engine %s.",
            scenario.key,
            len(days),
            len(inputs.fine_days),
            len(inputs.coarse_days),
            engine_name,
        )
        result = fuse_inputs(inputs, scenario, np.array(days, dtype="datetime64[D]"), engine(engine_name))
        parameters |= inherited(prepared)
        with publish(store, product, site=site, parameters=parameters, inputs=[prepared]) as draft:
            _write_images(draft, layout, site, days, result)
            if engine_name is EngineName.SATFUSION:
                write_quality(draft, layout, grid, days, result.quality)
            statuses = {day.isoformat(): str(status) for day, status in zip(days, result.status, strict=True)}
            draft.write_json(layout.status, statuses)
    assert draft.manifest is not None
    counts = Counter(statuses.values())
    valid = float(np.isfinite(result.values).mean())
    silent = ", ".join(f"{number} {status}" for status, number in counts.items() if status != Status.OK) or "none"
    log.info("Fused %d of %d days (without: %s), %.1f %% of pixels.", counts["ok"], len(days), silent, 100 * valid)
    numbers: dict[str, int | float | None] = {"days": counts["ok"], "valid_fraction": round(valid, 4)}
    numbers |= {f"days_{status}": number for status, number in counts.items() if status != Status.OK}
    if engine_name is EngineName.SATFUSION:
        numbers |= _quality_numbers(result.quality)
    return Outcome(draft.manifest, numbers=numbers)


def _write_images(draft: Draft, layout: FusedLayout, site: Site, days: list[date], result: Fused) -> None:
    """One raster for each day that has an estimate anywhere, to ``FUSED_STEP``, and their series at the site."""
    grid, mode = site_grid(site), layout.scenario.mode
    predicted = [index for index, status in enumerate(result.status) if status is Status.OK]
    names = [layout.image(days[index]) for index in predicted]
    images = to_step(result.values[predicted])
    draft.write_stack(names, images, grid.fine, band_names=CHANNELS[mode])
    series = read_at_site(images, [days[index] for index in predicted], names, grid.fine, site)
    write_series(draft, mode, layout.series, series)


def _quality_numbers(quality: Quality) -> dict[str, int | float | None]:
    """Medians over a sparse lattice of days and pixels, which is all that a headline needs."""
    lattice = (slice(None, None, 5), ..., slice(None, None, 5), slice(None, None, 5))
    days, deviation = quality.days_to_scene[lattice], quality.standard_deviation[lattice]
    near, known = days[days != NO_SCENE], deviation[np.isfinite(deviation)]
    return {
        "median_days_to_scene": float(np.median(near)) if near.size else None,
        "median_standard_deviation": round(float(np.median(known)), 5) if known.size else None,
    }


@dataclass(frozen=True)
class FusionInputs:
    """Prepared images as the engine takes them, shapes as in ``fuse``."""

    coarse: NDArray[np.floating[Any]]
    coarse_days: NDArray[np.datetime64]
    fine: NDArray[np.floating[Any]]
    fine_days: NDArray[np.datetime64]
    cloud_distance: NDArray[np.floating[Any]]


def prepared_inputs(prepared: View, scenario: Scenario) -> FusionInputs:
    """The prepared images of ``scenario``; NoData when a sensor has no image at all."""
    layout = PreparedLayout(scenario.strategy, scenario.mode)
    fine = prepared.names(f"{layout.folder}/s2/*_{layout.kind}.tif")
    coarse = prepared.names(f"{layout.folder}/s3/*.tif")
    for sensor, names in (("Sentinel-2", fine), ("Sentinel-3", coarse)):
        if not names:
            raise NoData(
                f"{prepared.product.key} holds no {sensor} image; look at the pre-selection and materialise it again."
            )
    distances = prepared.read_stack([layout.cloud_distance(day_of(name)) for name in fine])
    return FusionInputs(
        prepared.read_stack(coarse), _days(coarse), prepared.read_stack(fine), _days(fine), distances[:, 0]
    )


def fuse_inputs(
    inputs: FusionInputs, scenario: Scenario, days: NDArray[np.datetime64], with_engine: Engine = fuse
) -> Fused:
    """Fuse for ``days`` with the numbers of ``scenario``."""
    return with_engine(
        days,
        inputs.coarse,
        inputs.coarse_days,
        inputs.fine,
        inputs.fine_days,
        inputs.cloud_distance,
        ratio=RATIO,
        sigma=scenario.sigma,
        max_days=MAX_DAYS,
    )


def season_days(site_season: SiteSeason) -> list[date]:
    """Every day that is predicted."""
    return [site_season.start + timedelta(n) for n in range((site_season.end - site_season.start).days + 1)]


def _days(names: list[str]) -> np.ndarray:
    return np.array([day_of(name) for name in names], dtype="datetime64[D]")
