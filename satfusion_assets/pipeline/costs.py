"""What a site-season costs: archives' requests and jobs, disk and time, from one table of measured figures.

What a plan would cost is said before it is made, and a limit of the settings stops what exceeds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from satfusion_assets.pipeline.records import STAGES, Grid, Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.errors import TooCostly
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.settings import S3Product, Settings

JOB_SECONDS: Final = 300.0
"""What a job adds to the time: at Copernicus one takes minutes to half an hour, 600 s stand for it here, and two run at
the same time. Reported by users of the back-end, not measured by us; hours of queueing happen."""


@dataclass(frozen=True)
class Cost:
    """requests: to archives, those for files and pictures included. jobs: batch jobs of openEO. megabytes: on the disk
    in the end. seconds: of one run after the other, without what the back-end of openEO takes for its jobs.
    """

    requests: int = 0
    jobs: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.requests + other.requests,
            self.jobs + other.jobs,
            self.megabytes + other.megabytes,
            self.seconds + other.seconds,
        )

    def __mul__(self, times: int) -> Cost:
        return Cost(self.requests * times, self.jobs * times, self.megabytes * times, self.seconds * times)

    @property
    def gigabytes(self) -> float:
        return self.megabytes / 1000

    @property
    def hours(self) -> float:
        """With the wait for the jobs."""
        return (self.seconds + self.jobs * JOB_SECONDS) / 3600

    def __str__(self) -> str:
        return (
            f"{_number(self.requests)} requests, {_number(self.jobs)} openEO jobs, {_number(self.gigabytes)} GB on "
            f"disk, {_number(self.hours)} hours"
        )


FIRST: Final = {
    "raw_s2": Cost(requests=1617, megabytes=22, seconds=24.5),
    "raw_s3": Cost(requests=44, jobs=6, megabytes=3.1, seconds=8.2),
    "raw_phenocam": Cost(requests=321, megabytes=8.3, seconds=12.9),
    "camera_phenology": Cost(seconds=10.8),
    "preselected": Cost(megabytes=0.3, seconds=0.7),
    "prepared_bti": Cost(megabytes=10.4, seconds=2.1),
    "prepared_itb": Cost(megabytes=2.9, seconds=1.9),
    "fused": Cost(megabytes=30.0, seconds=2.2),
    "processed": Cost(megabytes=0.5, seconds=0.8),
    "pack": Cost(megabytes=11.9, seconds=2.1),
    "scenario_metrics": Cost(),
    "phenology": Cost(megabytes=0.9, seconds=5.5),
    "metrics": Cost(megabytes=0.2, seconds=3.2),
    "gap_benchmark": Cost(megabytes=16.3, seconds=137),
}
"""A partition that was never made. Source: the demo season innsbruck 2024, 12 scenarios, two cores (docs/cost.md);
requests and jobs from docs/acquisition-benchmark.md, with 50 ms before every answer."""
AGAIN: Final = {
    "raw_s2": Cost(requests=6, seconds=0.7),
    "raw_s3": Cost(seconds=0.9),
    "raw_phenocam": Cost(requests=5, seconds=0.5),
}
"""A raw product that is kept and asked for news. Source: docs/acquisition-benchmark.md, "Again, nothing changed"."""


def cost_of(product: Product, kept: bool) -> Cost:
    """What it costs to make ``product``; kept: a raw product that is there, and only asks for news."""
    table = AGAIN if kept and product.name in AGAIN else FIRST
    return table.get(product.name, Cost())


def total(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())


def season_cost(scenarios: Collection[Scenario], s3_product: S3Product, until: Stage = Stage.METRICS) -> Cost:
    """A site-season from nothing up to and including stage ``until``, with the ``scenarios`` that it can have."""
    made = REGISTRY.of_stage(*STAGES[: STAGES.index(until) + 1])
    counts = {record: len(scenarios) if record.grid is Grid.SCENARIO else len(record.grid.variants) for record in made}
    return total(
        FIRST.get(record.name, Cost()) * count
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
            return f"{_number(wanted)} {unit} where {variable} allows {_number(most)}"
    return None


def refuse_beyond(cost: Cost, settings: Settings, what: str) -> None:
    """TooCostly where ``what`` costs more than a limit of the settings allows."""
    if (beyond := excess(cost, settings)) is not None:
        raise TooCostly(f"{what} would cost {beyond}; raise the limit, or ask for less.")


def _number(value: float) -> str:
    if value >= 100 or value == round(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2g}"
