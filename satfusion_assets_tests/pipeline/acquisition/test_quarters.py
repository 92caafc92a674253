"""Sentinel-3 through the real clients: nothing bad is remembered, and one bad quarter costs itself."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from satfusion_assets.pipeline.criteria import CheckedProduct
from satfusion_assets.pipeline.raw_s3.criteria import s3_coverage
from satfusion_assets.pipeline.raw_s3.quarters import is_dark
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets_tests.pipeline.acquisition.conftest import SEASON, SPRING, TODAY, Sandbox
from satfusion_assets_tests.pipeline.acquisition.quarters import (
    RAW_S3,
    acquire,
    copy,
    kinds,
    made_jobs,
    overpasses,
    version,
)

# -- nothing bad is remembered ------------------------------------------------------------------------------------


def test_a_job_whose_result_cannot_be_used_is_made_once_more(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore
) -> None:
    with sandbox.turned(spoilt="cut off", spoilt_jobs=1):
        acquire(sandbox, store, TODAY)
    assert version(store) == version(whole)
    assert made_jobs(sandbox) == 3


def test_a_result_that_cannot_be_used_is_not_taken_up_by_the_next_run(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore
) -> None:
    with sandbox.turned(spoilt="cut off"), pytest.raises(ArchiveAnswerInvalid, match="twice without a result"):
        acquire(sandbox, store, TODAY)
    assert json.loads((store.cache(SEASON, "s3") / "jobs.json").read_text()) == {}
    acquire(sandbox, store, TODAY)
    assert version(store) == version(whole)


def test_a_failed_job_whose_log_mentions_missing_products_is_not_an_empty_quarter(
    sandbox: Sandbox, store: ProductStore
) -> None:
    line = "no data available for product S3A_OL_1_EFR, no products found in the first catalogue"
    with sandbox.turned(failing_jobs=9, failure_log=line):
        with pytest.raises(ArchiveUnavailable, match="failed twice on SENTINEL3_OLCI_L1B"):
            acquire(sandbox, store, TODAY)
    assert acquire(sandbox, store, TODAY).numbers["empty_quarters"] == 0


def test_an_empty_quarter_between_full_ones_is_an_error_and_asked_again_at_once(
    sandbox: Sandbox, store: ProductStore, spring: ProductStore
) -> None:
    with sandbox.turned(nothing_from="2024-01-01", nothing_until="2024-03-31"):
        with pytest.raises(ArchiveAnswerInvalid, match="from 2024-01-01 to 2024-03-31, between quarters with data"):
            acquire(sandbox, store)
    assert store.manifest(RAW_S3) is None
    assert acquire(sandbox, store).numbers["jobs_in_this_run"] == 1
    assert version(store) == version(spring)


def test_an_empty_quarter_at_the_edge_is_asked_again_some_days_apart_and_then_believed(
    sandbox: Sandbox, store: ProductStore
) -> None:
    asked = []
    with sandbox.turned(nothing_until="2023-12-31"):
        for days in (0, 1, 3, 4, 6, 7, 12, 40):
            outcome = acquire(sandbox, store, SPRING + timedelta(days=days))
            assert outcome.numbers["empty_quarters"] == 1
            asked.append(outcome.numbers["jobs_in_this_run"] - (days > 0))  # the open quarter is asked for each day
    assert asked == [3, 0, 1, 0, 1, 0, 0, 0]
    assert acquire(sandbox, store, SPRING + timedelta(days=41), again=True).numbers["empty_quarters"] == 0


def test_a_quarter_is_empty_only_where_the_sun_stays_down() -> None:
    assert is_dark(82.5, date(2023, 11, 17), date(2023, 12, 31))
    assert not is_dark(82.5, date(2024, 4, 1), date(2024, 6, 30))
    assert is_dark(-82.5, date(2024, 5, 1), date(2024, 7, 31))
    assert not is_dark(47.1, date(2023, 11, 17), date(2023, 12, 31))


def test_data_that_come_back_as_nothing_do_not_replace_those_that_are_there(
    sandbox: Sandbox, spring: ProductStore, tmp_path: Path
) -> None:
    store = copy(spring, tmp_path, without="20231117")
    with sandbox.turned(nothing_until="2023-12-31"):
        with pytest.raises(ArchiveAnswerInvalid, match="which the published season has"):
            acquire(sandbox, store)
    assert version(store) == version(spring)


# -- one bad quarter costs itself ---------------------------------------------------------------------------------


def test_a_quarter_of_which_nothing_comes_is_left_out_and_said(
    sandbox: Sandbox, spring: ProductStore, tmp_path: Path
) -> None:
    store = copy(spring, tmp_path, without="20240101", published=False)
    with sandbox.turned(spoilt="cut off"):
        outcome = acquire(sandbox, store)
    assert outcome.numbers["missing_quarters"] == 1
    assert {row["source"] for row in outcome.tables["set_aside"] if row["kind"] == "unreadable"} == {
        "2024-01-01 to 2024-03-31"
    }
    with store.read(RAW_S3) as view:
        verdict = s3_coverage(CheckedProduct(view, sandbox.site, store))
    assert not verdict.passed
    assert "Of 3 quarters asked for, 1 could not be had" in verdict.says
    acquire(sandbox, store)
    assert version(store) == version(spring)


def test_a_quarter_whose_file_is_not_given_away_costs_itself_and_is_made_anew_in_the_end(
    sandbox: Sandbox, spring: ProductStore, tmp_path: Path
) -> None:
    """HTTP 500 for one finished job's file, for good: taken up once more, in case the storage was down, then left."""
    store = copy(spring, tmp_path, without="20240101", published=False)
    jobs = []
    sandbox.fault(path=r"/openEO\.nc", kind="status", status=500)
    for _ in range(2):
        outcome = acquire(sandbox, store)
        assert outcome.numbers["missing_quarters"] == 1
        jobs.append(made_jobs(sandbox))
    assert jobs == [1, 1]
    sandbox.heal()
    acquire(sandbox, store)
    assert made_jobs(sandbox) == 2
    assert version(store) == version(spring)


def test_a_published_season_is_not_replaced_by_one_that_lacks_a_quarter(
    sandbox: Sandbox, spring: ProductStore, tmp_path: Path
) -> None:
    store = copy(spring, tmp_path, without="20240101")
    with sandbox.turned(spoilt="cut off"), pytest.raises(ArchiveAnswerInvalid, match="twice without a result"):
        acquire(sandbox, store)
    assert version(store) == version(spring)


def test_a_cached_quarter_that_is_no_answer_to_its_request_is_asked_for_again(
    sandbox: Sandbox, whole: ProductStore, tmp_path: Path
) -> None:
    """As one may have been kept by an earlier release."""
    from satfusion_assets.pipeline.acquisition.cache import FetchCache

    store = copy(whole, tmp_path)
    cache = FetchCache(store.kept(SEASON, "s3"))
    key = next(path.name.partition("+")[0] for path in cache.folder.glob("*_20231117_*.nc"))
    entry = cache.get(key)
    assert entry is not None
    other = next(path for path in cache.folder.glob("*_20240101_*.nc"))
    cache.put(key, {".nc": other.read_bytes()}, entry.facts)
    assert acquire(sandbox, store, TODAY).numbers["jobs_in_this_run"] == 1
    assert version(store) == version(whole)


# -- asking for everything again ----------------------------------------------------------------------------------


def test_everything_can_be_asked_for_again_and_what_is_there_stays_until_then(
    sandbox: Sandbox, whole: ProductStore, tmp_path: Path
) -> None:
    store = copy(whole, tmp_path)
    with sandbox.turned(spoilt="cut off"):
        outcome = acquire(sandbox, store, TODAY, again=True)
    assert kinds(outcome).count("unreadable") == 2, "the quarters are those of before, and it is said"
    assert overpasses(store) == overpasses(whole)
    sandbox.forget_requests()
    assert acquire(sandbox, store, TODAY, again=True).numbers["jobs_in_this_run"] == made_jobs(sandbox) == 2
    assert version(store) == version(whole)
