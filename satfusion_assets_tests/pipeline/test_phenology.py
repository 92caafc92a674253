"""Date maps as a product: what they rest on, and seasons across New Year."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.phenology import TRANSITIONS, Label
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.phenology.course import drawn_course
from satfusion_assets.pipeline.phenology.date_maps import phenology_maps
from satfusion_assets.pipeline.phenology.files import PhenologyLayout
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.screening.preparation import gcc_image
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason, make_site

SITE: Site = make_site(
    "test", name="far", latitude=-35.3, longitude=149.1, seasons=(2023, 2024), extent_m=300, elevation=600.0
)
BTI, ITB = Scenario.parse("aggressive_sigma20"), Scenario.parse("aggressive_itb_sigma20")
BANDS = ("blue", "green", "red", "nir")


def greenness(day: date) -> float:
    """Of the south: half green on 1 October, half faded on 1 April."""
    autumn, spring = date(day.year, 4, 1), date(day.year, 10, 1)
    return float(1 / (1 + np.exp((day - autumn).days / 6)) + 1 / (1 + np.exp(-(day - spring).days / 6)))


def images(days: list[date], shape: Any) -> np.ndarray:
    """(n, 4, H, W): blue and red stay, green comes and goes, over ground with a little texture."""
    green = np.array([0.04 + 0.03 * greenness(day) for day in days], np.float32)
    texture = 1 + 0.02 * np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    bands = np.stack([np.full_like(green, 0.04), green, np.full_like(green, 0.04), np.full_like(green, 0.3)], axis=1)
    return bands[:, :, None, None] * texture


def publish(store: ProductStore, season: SiteSeason, scenario: Scenario) -> None:
    """A season's fusion, its scenes and its series, all of them right."""
    grid, prepared = site_grid(SITE), PreparedLayout(scenario.strategy, Mode.BTI)
    days = [season.start + timedelta(n) for n in range(0, 365, 3)]
    scenes, fused = days[::2], images(days, grid.fine.shape)
    gcc = fused[:, 1:2] / fused[:, :3].sum(axis=1, keepdims=True)
    layout = FusedLayout(scenario)
    with store.publish(Product("fused", season, scenario.key)) as draft:
        values, names = (gcc, ["gcc"]) if scenario.mode is Mode.ITB else (fused, BANDS)
        draft.write_stack([layout.image(day) for day in days], values, grid.fine, band_names=names)
    records = [
        {"date": str(day), "greenness_index": float(value)} for day, value in zip(days, gcc[:, 0, 0, 0], strict=True)
    ]
    with store.publish(Product("processed", season, scenario.key)) as draft:
        draft.write_json(ProcessedLayout(scenario).series("gcc", "fusion"), records)
        draft.write_json(ProcessedLayout(scenario).series("gcc", "s2"), records[::2])
    with store.publish(Product("prepared_bti", season, scenario.strategy)) as draft:
        draft.write_stack([prepared.fine(day) for day in scenes], fused[::2], grid.fine, band_names=BANDS)
        coarse = images(days, grid.coarse.shape)
        draft.write_stack([prepared.coarse(day) for day in days], coarse, grid.coarse, band_names=BANDS)
        far = np.full((len(scenes), 1, *grid.coarse.shape), 15, np.float32)
        draft.write_stack([prepared.cloud_distance(day) for day in scenes], far, grid.coarse, band_names=["distance"])


def labels(store: ProductStore, season: SiteSeason, scenario: Scenario) -> dict[str, set[int]]:
    with store.read(Product("phenology", season, scenario.key)) as view:
        bands = view.read_raster(PhenologyLayout(scenario).labels).values
    return {name: set(np.unique(band).tolist()) for name, band in zip(TRANSITIONS, bands, strict=False)}


@pytest.mark.parametrize("scenario", [BTI, ITB], ids=str)
def test_a_season_across_new_year_is_truncated_alone_and_dated_with_the_year_before(
    tmp_path: Path, scenario: Scenario
) -> None:
    store, season = ProductStore(tmp_path), SITE.season(2024)
    publish(store, season, scenario)
    phenology_maps(store, SITE, season, scenario)
    assert labels(store, season, scenario)["rising_50"] == {Label.TRUNCATED}

    publish(store, SITE.season(2023), scenario)
    phenology_maps(store, SITE, season, scenario)
    assert labels(store, season, scenario)["rising_50"] == {Label.OK}
    with store.read(Product("phenology", season, scenario.key)) as view:
        rising = view.read_raster(PhenologyLayout(scenario).dates("rising_50")).values[0]
        at_site = view.read_json(PhenologyLayout(scenario).site)
    assert abs(np.median(rising) - (date(2023, 10, 1) - date(2023, 12, 31)).days) <= 2
    assert at_site["fused_and_scenes"]["rising"]["50"]["date"].startswith("2023-")


def test_the_seasons_that_were_joined_are_inputs_of_the_product(tmp_path: Path) -> None:
    store, season, before = ProductStore(tmp_path), SITE.season(2024), SITE.season(2023)
    for one in (season, before):
        publish(store, one, BTI)
    phenology_maps(store, SITE, season, BTI)
    manifest = store.manifest(Product("phenology", season, BTI.key))
    assert manifest is not None
    for one in (season, before):
        for name, variant in (("fused", BTI.key), ("prepared_bti", str(BTI.strategy))):
            assert Product(name, one, variant).reference(season) in manifest.inputs


def test_ground_that_kriging_predicts_under_snow_is_no_part_of_a_season() -> None:
    """Sentinel-3 sees snow until day 80, and no scene is clear before day 90."""
    days = np.datetime64("2024-01-01") + np.arange(200)
    ground = images([day.item() for day in days], (12, 12))
    coarse = ground[::2].reshape(100, 4, 2, 6, 2, 6).mean(axis=(3, 5))
    coarse[:40] = 0.6
    scenes = slice(90, 200, 10)
    stack = SeasonStack(
        fine=ground[scenes],
        fine_days=days[scenes],
        cloud_distance=np.full((11, 2, 2), 15, np.float32),
        coarse=coarse,
        coarse_days=days[::2],
        ratio=6,
    )
    scenario = Scenario(Strategy.AGGRESSIVE, Mode.BTI, None)
    gcc = gcc_image(stack.fuse(scenario, days).values)[:, 0]
    assert np.isfinite(gcc).all(), "the fusion itself has every day"
    known = np.isfinite(drawn_course(days, gcc, stack, scenario).evidence.values)
    assert not known[:75].any()
    assert known[95:195].all()
