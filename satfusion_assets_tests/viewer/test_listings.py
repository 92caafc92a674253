"""What a bucket lists is asked for once by questions close to one another, and again a second later."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from satfusion_assets.viewer.listings import LISTING_S, Listings
from satfusion_assets.vocabulary.errors import StoreUnavailable


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_listing_answers_for_a_second_from_before_it_was_asked_for():
    clock, versions = Clock(), iter((1, 2, 3))

    def ask(_: str) -> int:
        clock.now += 0.4 * LISTING_S  # the server takes its time, and its answer is as old as the question
        return next(versions)

    listings = Listings(ask, clock)
    assert listings("season") == listings("season") == 1
    clock.now = 100 + 0.99 * LISTING_S
    assert listings("season") == 1
    clock.now = 100 + LISTING_S
    assert listings("season") == 2


def test_each_season_has_a_listing_of_its_own():
    listings = Listings(str.upper, Clock())
    assert (listings("one"), listings("other")) == ("ONE", "OTHER")


def test_questions_at_the_same_time_wait_for_one_listing():
    entered, answers, asked = threading.Event(), threading.Event(), []

    def ask(season: str) -> list[str]:
        asked.append(season)
        entered.set()
        assert answers.wait(20)
        return [season]

    listings = Listings(ask, Clock())
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(listings, "season")
        assert entered.wait(20)
        others = [pool.submit(listings, "season") for _ in range(3)]
        answers.set()
        found = [one.result(20) for one in (first, *others)]
    assert asked == ["season"]
    assert found == [["season"]] * 4


def test_a_failure_is_not_kept():
    answers = iter((StoreUnavailable("The bucket is away."), 7))

    def ask(_: str) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    listings = Listings(ask, Clock())
    with pytest.raises(StoreUnavailable):
        listings("season")
    assert listings("season") == 7


def test_what_is_older_is_not_kept_in_memory():
    clock = Clock()
    listings = Listings(str.upper, clock)
    for number in range(5):
        listings(f"season {number}")
        clock.now += LISTING_S
    assert len(listings._answers) == 1
