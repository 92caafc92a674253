"""Every product of the pipeline, once; who wants to know something about all of them asks here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK, GAP_EXPERIMENT
from satfusion_assets.pipeline.gap_table.product import GAP_TABLE
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.phenology.product import PHENOLOGY
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI, PREPARED_ITB
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.records import STAGES, Grid, ProductRecord, Stage
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS
from satfusion_assets.pipeline.score_table.product import SCORE_TABLE
from satfusion_assets.pipeline.stac_catalogue.product import STAC_CATALOGUE
from satfusion_assets.vocabulary.errors import InvalidInput, SatfusionError

if TYPE_CHECKING:
    from satfusion_assets.pipeline.criteria import Criterion
    from satfusion_assets.pipeline.pictures.charts import Image
    from satfusion_assets.store import Product, Store, View
    from satfusion_assets.vocabulary.sites import Site

log = logging.getLogger(__name__)

PRODUCTS: Final = (
    RAW_S2,
    RAW_S3,
    RAW_PHENOCAM,
    CAMERA_PHENOLOGY,
    PRESELECTED,
    PREPARED_BTI,
    PREPARED_ITB,
    FUSED,
    PROCESSED,
    PACK,
    SCENARIO_METRICS,
    PHENOLOGY,
    METRICS,
    GAP_BENCHMARK,
    SCORE_TABLE,
    STAC_CATALOGUE,
    GAP_TABLE,
)
"""In the order in which they are made: each after what it is made from."""


class Registry:
    """Some products and what follows from their records."""

    def __init__(self, products: tuple[ProductRecord, ...], others: tuple[ProductRecord, ...] = ()) -> None:
        """others: what is published like a product and is no asset."""
        self.products = products
        self._by_name = {record.name: record for record in (*products, *others)}
        for place, record in enumerate(products):
            later = [item.product.name for item in record.inputs if item.product not in products[:place]]
            if later:
                raise InvalidInput(f"{record.name} stands before {', '.join(later)}, which it is made from.")

    def __getitem__(self, name: str) -> ProductRecord:
        """The record of that name; InvalidInput lists the names."""
        if name not in self._by_name:
            raise InvalidInput(f"{name!r} is no product; there are {', '.join(self.names)}.")
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(record.name for record in self.products)

    @property
    def rooms(self) -> tuple[str, ...]:
        """The packages that hold the products, each once."""
        return tuple(dict.fromkeys(record.room for record in self.products))

    def of_stage(self, *stages: Stage) -> tuple[ProductRecord, ...]:
        return tuple(record for record in self.products if record.stage in stages)

    def until(self, stage: Stage) -> tuple[ProductRecord, ...]:
        """Everything up to and including ``stage``."""
        return self.of_stage(*STAGES[: STAGES.index(stage) + 1])

    def inputs(self, record: ProductRecord) -> tuple[ProductRecord, ...]:
        return tuple(item.product for item in record.inputs)

    def depth(self, record: ProductRecord) -> int:
        """Steps from the archives by the longest way; 0 = raw."""
        return max((self.depth(item) + 1 for item in self.inputs(record)), default=0)

    def together(self) -> tuple[tuple[ProductRecord, ...], ...]:
        """Products that share a run a partition, in the order of their runs: those of one grid that lie equally many
        changes of grid from the archives. The archives are asked in runs of their own, since only what they changed
        makes the rest due.
        """
        groups: dict[tuple[int, Grid], list[ProductRecord]] = {}
        for record in self.products:
            groups.setdefault((self._runs_before(record), record.grid), []).append(record)
        return tuple(tuple(groups[key]) for key in sorted(groups, key=lambda key: key[0]))

    def _runs_before(self, record: ProductRecord) -> int:
        """How many runs come before the one that makes ``record``."""
        steps = (
            self._runs_before(item) + (item.grid is not record.grid or not item.inputs) for item in self.inputs(record)
        )
        return max(steps, default=0)

    def archives_of(self, record: ProductRecord) -> frozenset[ProductRecord]:
        """The raw products that ``record`` descends from."""
        above = self.inputs(record)
        return frozenset(item for item in above if not item.inputs).union(*map(self.archives_of, above))

    def criteria(self, name: str) -> tuple[Criterion, ...]:
        """What a product is held to: its own criteria, and that its files are whole."""
        from satfusion_assets.pipeline.criteria import FILES

        return (FILES, *import_module(f"{self[name].room}.criteria").CRITERIA)

    def picture(self, store: Store, site: Site, product: Product) -> Image | None:
        """What is drawn of a published product, None when there is nothing to see.

        A product that cannot be drawn is still published: its checks say what is wrong with it, so this only warns.
        """
        draw = self.drawing(product.name)
        if draw is None:
            return None
        try:
            with store.read(product) as view:
                return draw(store, site, view)
        except (SatfusionError, KeyError, TypeError, ValueError, IndexError) as error:
            log.warning("%s has no picture: %s", product.key, str(error) or repr(error))
            return None

    def drawing(self, name: str) -> Callable[[Store, Site, View], Image | None] | None:
        """The function that draws a product; None where its room has no picture."""
        room = f"{self[name].room}.picture"
        if find_spec(room) is None:
            return None
        drawing: Callable[[Store, Site, View], Image | None] = import_module(room).draw
        return drawing


REGISTRY: Final = Registry(PRODUCTS, others=(GAP_EXPERIMENT,))
RECORDS: Final = (*REGISTRY.names, GAP_EXPERIMENT.name)
"""Names of everything that is published."""
