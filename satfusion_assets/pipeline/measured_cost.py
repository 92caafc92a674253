"""What a product costs, as its record says: archives' requests and jobs, disk and time.

Source of the records' figures: the demo season innsbruck 2024, 12 scenarios, two cores (docs/cost.md); requests, jobs
and what asking for news costs from docs/acquisition-benchmark.md, with 50 ms before every answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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
        disk, hours = number_text(self.gigabytes), number_text(self.hours)
        asked = f"{number_text(self.requests)} requests, {number_text(self.jobs)} openEO jobs"
        return f"{asked}, {disk} GB on disk, {hours} hours"


def number_text(value: float) -> str:
    """With a space every three digits, or two digits that count."""
    if value >= 100 or value == round(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2g}"


NO_COST: Final = Cost()
