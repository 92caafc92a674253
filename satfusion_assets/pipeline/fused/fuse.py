"""Stage: fuse the prepared images of a scenario into one image for every day of the season."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from satfusion_assets.fusion.efast import Status
from satfusion_assets.fusion.efast.fused import FusedRows
from satfusion_assets.fusion.efast.operands import Layers
from satfusion_assets.fusion.efast.quality import Quality
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.coarse_source import NO_DRIFT, inherited
from satfusion_assets.pipeline.fused.engines import EngineName, engine
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.inputs import bands_beside, season_stack
from satfusion_assets.pipeline.fused.kept import KeptSeason
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.fused.quality import write_quality
from satfusion_assets.pipeline.layers import write_layers
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.replaced import replaced_pack
from satfusion_assets.pipeline.site_series import read_at_site, write_series
from satfusion_assets.store import Draft, Store
from satfusion_assets.store.layers import FUSED_STEP
from satfusion_assets.store.recent import READ, WRITTEN
from satfusion_assets.store.small_rasters import QUICK_LEVEL
from satfusion_assets.store.stacks import SteppedImages
from satfusion_assets.vocabulary.grid import RATIO, site_grid
from satfusion_assets.vocabulary.scenarios import CHANNELS, Method, Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason

log = logging.getLogger(__name__)


MAX_DAYS: Final = 30
"""Reach of EFAST in days to either side, as the thesis ran it."""


def fuse_season(
    store: Store,
    site: Site,
    site_season: SiteSeason,
    scenario: Scenario,
    engine_name: EngineName = EngineName.SATFUSION,
) -> Outcome:
    """Publish ``fused``: one raster a day that could be predicted, quality layers, and the status of every day.

    engine_name: of EFAST; the authors' package has no quality layers.
    """
    layout, grid = FusedLayout(scenario), site_grid(site)
    product = FUSED.of(site_season, scenario)
    days = season_days(site_season)
    with ExitStack() as stack:
        prepared = stack.enter_context(store.read(PREPARED[scenario.mode].of(site_season, scenario.strategy)))
        bands = bands_beside(stack, store, site_season, scenario)
        inputs = [prepared] if bands is None else [prepared, bands]
        refuse_out_of_place(site, *inputs)
        WRITTEN.keep(())  # another scenario's, which nobody reads any more
        READ.keep(record.sha256 for view in inputs for record in view.manifest.files.values())
        season = season_stack(prepared, scenario, bands)
        log.info(
            "Fusing %s for %d days from %d Sentinel-2 and %d Sentinel-3 days.",
            scenario.key,
            len(days),
            len(season.fine_days),
            len(season.coarse_days),
        )
        kept, status, about = _kept(season, scenario, days, engine_name)
        parameters = _parameters(scenario, engine_name, season) | inherited(prepared)
        before = stack.enter_context(replaced_pack(store, product, layout.quality))
        with publish(store, product, site=site, parameters=parameters, inputs=inputs) as draft:
            if about is not None:
                write_quality(draft, layout, grid, season.fine_days, kept.layers(), about, before)
            _write_images(draft, layout, site, [days[place] for place in kept.places], kept.images)
            statuses = _statuses(days, status, {*kept.places})
            draft.write_json(layout.status, statuses)
    assert draft.manifest is not None
    valid = kept.known / max(len(days) * season.fine[0].size, 1)
    counts = Counter(statuses.values())
    silent = ", ".join(f"{number} {status}" for status, number in counts.items() if status != Status.OK) or "none"
    log.info("Fused %d of %d days (without: %s), %.1f %% of pixels.", counts["ok"], len(days), silent, 100 * valid)
    numbers: dict[str, int | float | None] = {"days": counts["ok"], "valid_fraction": round(valid, 4)}
    numbers |= {f"days_{status}": number for status, number in counts.items() if status != Status.OK}
    return Outcome(draft.manifest, numbers=numbers | kept.headline)


def _kept(
    season: SeasonStack, scenario: Scenario, days: list[date], engine_name: EngineName
) -> tuple[KeptSeason, tuple[Status, ...], FusedRows | Quality | None]:
    """The season fused: images and layers, a status a day, and what else is known; None of an engine that says no more.

    EFAST's rows are kept as they are computed, so that a season is never there in floating-point numbers.
    """
    stamps, height = np.array(days, dtype="datetime64[D]"), season.fine.shape[2]
    kept = KeptSeason(days, CHANNELS[scenario.mode], height, season.fine.shape[3])
    if scenario.method is Method.EFAST and engine_name is EngineName.SATFUSION:
        rest = season.fuse_rows(scenario, stamps, kept.begin, MAX_DAYS)
        return kept, rest.status, rest
    result = season.fuse(scenario, stamps, engine(engine_name), MAX_DAYS)
    quality = None if result.assess is None else result.quality
    known = [bool(np.isfinite(image).any()) for image in result.values]
    kept.keep_images([place for place, word in enumerate(result.status) if word is Status.OK or known[place]])
    for first in range(0, height, RATIO):
        rows = (..., slice(first, first + RATIO), slice(None))
        if quality is None:
            kept.take_values(first, result.values[rows])
        else:
            found = quality.days_to_scene[rows], quality.effective_scenes[rows], quality.standard_deviation[rows]
            kept.take(first, result.values[rows], Layers(*found))
    return kept, result.status, quality


def _parameters(scenario: Scenario, engine_name: EngineName, season: SeasonStack) -> dict[str, Any]:
    """What the manifest says of the method."""
    if scenario.method is Method.KRIGING:
        drift = "sentinel3" if len(season.coarse_days) else NO_DRIFT
        return {"method": str(scenario.method), "drift": drift, "step": FUSED_STEP}
    return {
        "engine": str(engine_name),
        "sigma": scenario.sigma,
        "max_days": MAX_DAYS,
        "minimum_acquisition_importance": 0,
        "step": FUSED_STEP,
    }


def _statuses(days: list[date], status: Sequence[Status], written: set[int]) -> dict[str, str]:
    """One word a day: ok for every day with an image, what it lacked otherwise; kriging without Sentinel-3 says of
    every day that it had none, and estimates it.
    """
    return {
        day.isoformat(): str(Status.OK if place in written else lacked)
        for place, (day, lacked) in enumerate(zip(days, status, strict=True))
    }


def _write_images(draft: Draft, layout: FusedLayout, site: Site, days: list[date], images: SteppedImages) -> None:
    """One raster for each of ``days`` that has an estimate anywhere, and their series at the site."""
    grid, mode = site_grid(site), layout.scenario.mode
    names = [layout.image(day) for day in days]
    draft.write_stack(names, images, grid.fine, band_names=CHANNELS[mode], level=QUICK_LEVEL)
    write_layers(draft, names, days, CHANNELS[mode])
    write_series(draft, mode, layout.series, read_at_site(images, days, names, grid.fine, site))


def season_days(site_season: SiteSeason) -> list[date]:
    """Every day that is predicted."""
    return [site_season.start + timedelta(n) for n in range((site_season.end - site_season.start).days + 1)]
