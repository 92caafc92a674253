"""What a site-season costs: archives' requests and jobs, disk and time, from the measured figures of the records.

What a plan would cost is said before it is made, and a limit of the settings stops what exceeds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from satfusion_assets.pipeline.measured_cost import Cost, number_text
from satfusion_assets.pipeline.records import STAGES, Grid, Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.errors import TooCostly
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.settings import S3Product, Settings


def cost_of(product: Product, kept: bool) -> Cost:
    """What it costs to make ``product``; kept: a raw product that is there, and only asks for news."""
    record = REGISTRY[product.name]
    return record.news if kept and record.news is not None else record.cost


def total(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())


def season_cost(scenarios: Collection[Scenario], s3_product: S3Product, until: Stage = Stage.METRICS) -> Cost:
    """A site-season from nothing up to and including stage ``until``, with the ``scenarios`` that it can have."""
    made = REGISTRY.of_stage(*STAGES[: STAGES.index(until) + 1])
    counts = {record: len(scenarios) if record.grid is Grid.SCENARIO else len(record.grid.variants) for record in made}
    return total(
        record.cost * count
        for record, count in counts.items()
        if not (record.name == "raw_s3" and s3_product is S3Product.NONE)
    )


def excess(cost: Cost, settings: Settings) -> str | None:
    """What of ``cost`` is beyond the settings' limits, in words; None = nothing."""
    limits: Sequence[tuple[str, float, float | None, str]] = (
        ("SATFUSION_MOST_REQUESTS", cost.requests, settings.most_requests, "requests"),
        ("SATFUSION_MOST_JOBS", cost.jobs, settings.most_jobs, "openEO jobs"),
        ("SATFUSION_MOST_GB", cost.gigabytes, settings.most_gb, "GB on disk"),
        ("SATFUSION_MOST_HOURS", cost.hours, settings.most_hours, "hours"),
    )
    for variable, wanted, most, unit in limits:
        if most is not None and wanted > most:
            return f"{number_text(wanted)} {unit} where {variable} allows {number_text(most)}"
    return None


def refuse_beyond(cost: Cost, settings: Settings, what: str) -> None:
    """TooCostly where ``what`` costs more than a limit of the settings allows."""
    if (beyond := excess(cost, settings)) is not None:
        raise TooCostly(f"{what} would cost {beyond}; raise the limit, or ask for less.")
