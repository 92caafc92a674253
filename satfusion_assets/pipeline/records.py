"""What a product is: one declarative record, from which everything else about it is derived.

Checks, pictures, jobs, automation, freshness, the command line's stages, partition mappings and the viewer's list of
products all read these records (``registry.py``); nothing else describes a product a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from satfusion_assets.pipeline.measured_cost import NO_COST, Cost
from satfusion_assets.store import ALL_SEASONS, Product
from satfusion_assets.store.manifest import FIRST_CODE, Scope
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Method, Scenario, Strategy
from satfusion_assets.vocabulary.settings import Settings

Columns = Mapping[str, str]
"""Columns of a table: name -> "type: meaning"."""


class Grid(StrEnum):
    """What a product is partitioned by: exactly what it depends on."""

    SITE_SEASON = "site_season"
    STRATEGY = "strategy"
    SCENARIO = "scenario"
    ALL = "all site-seasons"

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that a scope holds of a product on this grid."""
        if self is Grid.STRATEGY:
            return tuple(str(strategy) for strategy in Strategy)
        return tuple(scenario.key for scenario in SCENARIOS) if self is Grid.SCENARIO else ("",)


class Stage(StrEnum):
    """Stages of the pipeline in their order, as people name them."""

    RAW = "raw"
    PRESELECTED = "preselected"
    PREPARED = "prepared"
    FUSED = "fused"
    PROCESSED = "processed"
    METRICS = "metrics"
    EVALUATION = "evaluation"


@dataclass(frozen=True)
class Input:
    """A product that another is made from. scenarios: which of them descend from a product per strategy."""

    product: ProductRecord
    scenarios: tuple[Scenario, ...] = SCENARIOS


@dataclass(frozen=True)
class Shaping:
    """What shapes a product besides its inputs. thresholds: modules of the package whose constants do, a package
    standing for all its modules. chosen: parameters of its manifest that a user chooses -> field of ``Settings``."""

    thresholds: tuple[str, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ProductRecord:
    """One product; two records are never the same product.

    room: the package that holds what makes it; there, ``asset`` is the Dagster asset, ``criteria`` what it is held to,
    ``picture`` what is drawn of it (not every product has one). inputs: what it is made from. code_version: raised
    whenever the product's numbers change without a change of inputs, thresholds or settings; the committed digests of
    the reference products say when (``satfusion_assets_tests/reference``). thresholds and chosen: as in ``Shaping``;
    by_method: what shapes it beside these where a scenario's method is the one. placed: it depends on where the site
    lies and how large it is. kinds, sensor, group, pool, columns: what the UI shows and how many runs at once.
    on_demand: a whole site-season does without it. asked_within: a raw product's longest time without asking its
    archive, while its season is running. cost: of a partition that was never made; news: of one that
    is kept and asked for news.
    """

    name: str
    room: str
    grid: Grid
    stage: Stage
    group: str
    code_version: int = FIRST_CODE
    thresholds: tuple[str, ...] = ()
    placed: bool = True
    inputs: tuple[Input, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    by_method: Mapping[Method, Shaping] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    sensor: str = "all"
    pool: str | None = None
    columns: Columns = field(default_factory=dict)
    on_demand: bool = False
    asked_within: timedelta | None = None
    cost: Cost = NO_COST
    news: Cost | None = None

    def of(self, scope: Scope = ALL_SEASONS, variant: Strategy | Scenario | str = "") -> Product:
        """The product of one partition."""
        return Product(self.name, scope, variant.key if isinstance(variant, Scenario) else str(variant))

    def products(self, scope: Scope) -> tuple[Product, ...]:
        """Every product of a scope."""
        return tuple(self.of(scope, variant) for variant in self.grid.variants)

    def shaping(self, variant: str) -> Shaping:
        """What shapes the products of ``variant``."""
        own = Shaping(self.thresholds, self.chosen)
        if not (self.by_method and variant):
            return own
        besides = self.by_method.get(Scenario.parse(variant).method, Shaping())
        return Shaping(own.thresholds + besides.thresholds, {**own.chosen, **besides.chosen})

    def chosen_in(self, settings: Settings, variant: str) -> dict[str, Any]:
        """The chosen parameters as the installation has them now: with others the product is out of date."""
        chosen = self.shaping(variant).chosen
        values = {name: getattr(settings, field_name) for name, field_name in chosen.items()}
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in values.items()}


STAGES: Final = tuple(Stage)
