"""``prepared_bti`` and ``prepared_itb``: what the fusion takes, per strategy; reflectance, and its GCC."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import PREPARATION
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.scenarios import Mode

_SCREENED: Final = (Input(RAW_S2), Input(RAW_S3), Input(PRESELECTED))
"""Both modes start from here, neither from the other. A backfill looks at each asset once, breadth first: what fused
descends from has to be met before it, whatever the root."""


def _prepared(mode: Mode, cost: Cost) -> ProductRecord:
    return ProductRecord(
        name=f"prepared_{mode}",
        room=__package__,
        grid=Grid.STRATEGY,
        stage=Stage.PREPARED,
        group="prepared",
        code_version=2,
        thresholds=PREPARATION,
        inputs=_SCREENED,
        chosen={"smoothing_days": "smoothing_days"},
        kinds=("sentinel2", "sentinel3", "geotiff"),
        sensor="both",
        cost=cost,
    )


PREPARED_BTI: Final = _prepared(Mode.BTI, Cost(megabytes=10.4, seconds=2.1))
PREPARED_ITB: Final = _prepared(Mode.ITB, Cost(megabytes=2.9, seconds=1.9))
PREPARED: Final = {Mode.BTI: PREPARED_BTI, Mode.ITB: PREPARED_ITB}
"""The product of each mode."""


def is_prepared(product: Product) -> bool:
    """Whether a product is one of the two."""
    return any(product.name == record.name for record in PREPARED.values())


def mode_of(product: Product) -> Mode:
    """Which mode a prepared product is of."""
    return next(mode for mode, record in PREPARED.items() if record.name == product.name)
