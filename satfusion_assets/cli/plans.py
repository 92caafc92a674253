"""What a command would run, and what of it is due; known without loading Dagster, which takes seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import STAGES, Grid, Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import ALL_SEASONS, Product
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

ASKS: Final = "news is asked for; what is kept is not fetched again"
"""Why a raw product is always due."""
ASKS_FIRST: Final = "never made; all is asked for, but what an interrupted try has kept"
"""Why it is, before it is there."""
ASKS_AGAIN: Final = "everything is asked for again, also what is kept"
"""Why it is, when that is what somebody wants."""


@dataclass(frozen=True)
class Run:
    """One Dagster run: some assets of one partition, None for those without partitions. config: of each asset."""

    assets: tuple[str, ...]
    partition_key: str | None
    products: tuple[Product, ...]
    config: Mapping[str, bool] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """What the run is about, in words."""
        return str(Grid.ALL) if self.partition_key is None else self.partition_key


def plan(
    site_season: SiteSeason,
    until: Stage = Stage.METRICS,
    start: Stage = Stage.RAW,
    scenarios: Sequence[Scenario] = SCENARIOS,
) -> list[Run]:
    """The runs that materialise ``site_season`` from stage ``start`` up to and including stage ``until``.

    scenarios: those that the season can have.

    InvalidInput when ``start`` comes after ``until``.
    """
    wanted = STAGES[STAGES.index(start) : STAGES.index(until) + 1]
    if not wanted:
        raise InvalidInput(f"Stage {start} comes after {until}, so there is nothing to do; the stages are {_stages()}.")
    runs = []
    for records in REGISTRY.together():
        chosen = tuple(record for record in records if record.stage in wanted)
        grid = records[0].grid
        scope = ALL_SEASONS if grid is Grid.ALL else site_season
        variants = tuple(item.key for item in scenarios) if grid is Grid.SCENARIO else grid.variants
        for variant in variants if chosen else ():
            products = tuple(record.of(scope, variant) for record in chosen)
            key = None if grid is Grid.ALL else key_text(grid, site_season, variant)
            runs.append(Run(tuple(record.name for record in chosen), key, products))
    return runs


def key_text(grid: Grid, site_season: SiteSeason, variant: str) -> str:
    """The key of one partition as Dagster writes it: its dimensions in the order of their names."""
    if grid is Grid.SITE_SEASON:
        return site_season.key
    return f"{site_season.key}|{variant}" if grid is Grid.STRATEGY else f"{variant}|{site_season.key}"


def possible_scenarios() -> tuple[Scenario, ...]:
    """The scenarios that a season can have with the Sentinel-3 product that is chosen."""
    from satfusion_assets.pipeline.coarse_source import scenarios_of
    from satfusion_assets.vocabulary.settings import Settings

    return scenarios_of(Settings().s3_product)


def _stages() -> str:
    return ", ".join(Stage)


def acquisition(site_season: SiteSeason, assets: Sequence[str], *, again: bool = False) -> list[Run]:
    """The run that asks the archives behind ``assets``; again: for everything, whatever is cached or noted."""
    products = tuple(REGISTRY[name].of(site_season) for name in assets)
    return [Run(tuple(assets), site_season.key, products, {"again": again})]


def why_due(platform: Platform, product: Product) -> list[str]:
    """Why a product is to be made, in words; empty = it is up to date. Raw products always ask."""
    from satfusion_assets.pipeline.provenance import changes

    if REGISTRY[product.name].asked_within is not None:
        return [ASKS if platform.store.manifest(product) is not None else ASKS_FIRST]
    if product.scope == ALL_SEASONS:
        from satfusion_assets.pipeline.gathering import is_complete

        complete = is_complete(platform.store, product, platform.registry.site_seasons)
        return [] if complete else ["it lacks something that it gathers, or its code is newer"]
    return changes(platform.store, product, platform.site(product.site_season), platform.settings)
