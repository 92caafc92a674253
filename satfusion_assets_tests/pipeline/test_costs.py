"""What is asked for has a price that is said beforehand, and a limit stops what exceeds it."""

from __future__ import annotations

import pytest

from satfusion_assets.pipeline.costs import cost_of, refuse_beyond, season_cost
from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.measured_cost import NO_COST, Cost
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.records import Grid, Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.vocabulary.errors import TooCostly
from satfusion_assets.vocabulary.scenarios import KRIGING_SCENARIOS, SCENARIOS
from satfusion_assets.vocabulary.settings import S3Product, Settings
from satfusion_assets.vocabulary.sites import SiteSeason


def test_every_product_of_a_site_season_has_a_price() -> None:
    free = {record.name for record in REGISTRY.products if record.cost == NO_COST}
    assert free == {record.name for record in REGISTRY.products if record.grid is Grid.ALL} | {"scenario_metrics"}
    assert all((record.news is None) == (record.asked_within is None) for record in REGISTRY.products)


def test_a_season_costs_each_of_its_partitions() -> None:
    whole = season_cost(SCENARIOS, S3Product.OLCI_L1B)
    fewer = season_cost(SCENARIOS[:-1], S3Product.OLCI_L1B)
    scenario = sum(REGISTRY[name].cost.megabytes for name in ("fused", "processed", "pack", "scenario_metrics"))
    assert whole.megabytes - fewer.megabytes == pytest.approx(scenario)
    assert (whole.requests, whole.jobs) == (fewer.requests, 6)


def test_sentinel2_alone_starts_no_job() -> None:
    assert season_cost(KRIGING_SCENARIOS, S3Product.NONE).jobs == 0


def test_the_evaluation_comes_on_top() -> None:
    until = season_cost(SCENARIOS, S3Product.OLCI_L1B, Stage.EVALUATION)
    assert until.seconds > season_cost(SCENARIOS, S3Product.OLCI_L1B).seconds + GAP_BENCHMARK.cost.seconds


def test_what_is_kept_is_only_asked_for_news() -> None:
    product = RAW_S2.of(SiteSeason("innsbruck", 2024))
    assert cost_of(product, kept=True).requests < 10 < cost_of(product, kept=False).requests


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"most_requests": 1000}, "2 000 requests where SATFUSION_MOST_REQUESTS allows 1 000"),
        ({"most_jobs": 5}, "6 openEO jobs where SATFUSION_MOST_JOBS allows 5"),
        ({"most_gb": 0.5}, "0.8 GB on disk where SATFUSION_MOST_GB allows 0.5"),
        ({"most_hours": 0.5}, "0.52 hours where SATFUSION_MOST_HOURS allows 0.5"),
    ],
)
def test_one_sentence_names_the_limit_that_is_exceeded(limit: dict[str, float], says: str) -> None:
    asked = Cost(requests=2000, jobs=6, megabytes=800, seconds=72)
    with pytest.raises(TooCostly, match=f"innsbruck_2024 would cost {says}"):
        refuse_beyond(asked, Settings(**limit), "innsbruck_2024")


def test_without_a_limit_and_at_it_nothing_is_refused() -> None:
    refuse_beyond(Cost(requests=10**9, jobs=10**9, megabytes=1e12, seconds=1e12), Settings(), "everything")
    refuse_beyond(Cost(jobs=6), Settings(most_jobs=6), "innsbruck_2024")
