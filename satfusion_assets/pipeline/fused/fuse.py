"""Stage: fuse the prepared images of a scenario into one image for every day of the season."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast import Fused, Status
from satfusion_assets.fusion.efast.quality import NO_SCENE, Quality
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.coarse_source import NO_DRIFT, inherited
from satfusion_assets.pipeline.fused.engines import EngineName, engine
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.inputs import bands_beside, season_stack
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.fused.quality import stored_rows, write_quality
from satfusion_assets.pipeline.layers import write_layers
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.replaced import replaced_pack
from satfusion_assets.pipeline.site_series import read_at_site, write_series
from satfusion_assets.store import Draft, Store
from satfusion_assets.store.layers import FUSED_STEP, layer_type, to_step
from satfusion_assets.store.recent import READ, WRITTEN
from satfusion_assets.store.small_rasters import QUICK_LEVEL
from satfusion_assets.vocabulary.grid import site_grid
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
        result = season.fuse(scenario, np.array(days, dtype="datetime64[D]"), engine(engine_name), MAX_DAYS)
        parameters = _parameters(scenario, engine_name, season) | inherited(prepared)
        before = stack.enter_context(replaced_pack(store, product, layout.quality))
        with publish(store, product, site=site, parameters=parameters, inputs=inputs) as draft:
            # Quality first, which needs values as they were estimated: they are rounded in place after that.
            quality_numbers = {}
            if result.assess is not None:
                quality = result.assess(stored_rows)
                quality_numbers = _quality_numbers(quality)
                write_quality(draft, layout, grid, days, season.fine_days, quality, before)
                del quality
            finite = sum(int(np.count_nonzero(np.isfinite(image))) for image in result.values)
            written = _write_images(draft, layout, site, days, result)
            statuses = _statuses(days, result, written)
            draft.write_json(layout.status, statuses)
    assert draft.manifest is not None
    valid = finite / max(result.values.size, 1)
    counts = Counter(statuses.values())
    silent = ", ".join(f"{number} {status}" for status, number in counts.items() if status != Status.OK) or "none"
    log.info("Fused %d of %d days (without: %s), %.1f %% of pixels.", counts["ok"], len(days), silent, 100 * valid)
    numbers: dict[str, int | float | None] = {"days": counts["ok"], "valid_fraction": round(valid, 4)}
    numbers |= {f"days_{status}": number for status, number in counts.items() if status != Status.OK}
    return Outcome(draft.manifest, numbers=numbers | quality_numbers)


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


def _statuses(days: list[date], result: Fused, written: set[int]) -> dict[str, str]:
    """One word a day: ok for every day with an image, what it lacked otherwise."""
    return {
        day.isoformat(): str(Status.OK if place in written else status)
        for place, (day, status) in enumerate(zip(days, result.status, strict=True))
    }


def _write_images(draft: Draft, layout: FusedLayout, site: Site, days: list[date], result: Fused) -> set[int]:
    """One raster for each day that has an estimate anywhere, to ``FUSED_STEP``, and their series at the site; returns
    which days. The result's own values are moved and rounded for that.

    Kriging without Sentinel-3 says of every day that it had none, and estimates it.
    """
    grid, mode = site_grid(site), layout.scenario.mode
    predicted = [
        index
        for index, status in enumerate(result.status)
        if status is Status.OK or bool(np.isfinite(result.values[index]).any())
    ]
    names = [layout.image(days[index]) for index in predicted]
    images = to_step(_moved_together(result.values, predicted))
    draft.write_stack(names, images, grid.fine, band_names=CHANNELS[mode], level=QUICK_LEVEL)
    write_layers(draft, names, [days[index] for index in predicted], CHANNELS[mode])
    series = read_at_site(images, [days[index] for index in predicted], names, grid.fine, site)
    write_series(draft, mode, layout.series, series)
    return {*predicted}


def _moved_together(values: NDArray[np.float32], places: list[int]) -> NDArray[np.float32]:
    """The images at ``places``, which ascend, as the first of ``values`` (p, b, H, W): a copy beside them would be the
    largest array of all. Values that are another array's are copied.
    """
    if not values.flags.owndata:
        return values[places]
    for target, place in enumerate(places):
        if target != place:
            values[target] = values[place]
    return values[: len(places)]


def _quality_numbers(quality: Quality) -> dict[str, int | float | None]:
    """Medians over a sparse lattice of days and pixels, which is all that a headline needs."""
    lattice = (slice(None, None, 5), ..., slice(None, None, 5), slice(None, None, 5))
    days, deviation = quality.days_to_scene[lattice], quality.standard_deviation[lattice]
    if deviation.dtype.kind != "f":
        deviation = layer_type("standard_deviation").decode(deviation)
    near, known = days[days != NO_SCENE], deviation[np.isfinite(deviation)]
    return {
        "median_days_to_scene": float(np.median(near)) if near.size else None,
        "median_standard_deviation": round(float(np.median(known)), 5) if known.size else None,
    }


def season_days(site_season: SiteSeason) -> list[date]:
    """Every day that is predicted."""
    return [site_season.start + timedelta(n) for n in range((site_season.end - site_season.start).days + 1)]
