"""The day at a site: one morning's passes, whatever the day in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.vocabulary.grid import PASS_HOUR, SiteGrid, site_grid
from satfusion_assets.vocabulary.sites import Site

DAY = date(2024, 5, 9)


def grid(longitude: float) -> SiteGrid:
    return site_grid(Site(name="somewhere", latitude=-16.8, longitude=longitude))


def at(hour_of_utc: float, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour_of_utc)


@pytest.mark.parametrize("longitude", [-179.99, -120.0, 0.0, 11.3, 151.0, 179.99])
def test_a_grid_knows_its_longitude(longitude: float) -> None:
    assert grid(longitude).longitude == pytest.approx(longitude, abs=0.01)


@given(st.floats(-179.9, 179.9), st.floats(8.5, 12.5))
def test_a_morning_pass_belongs_to_the_local_day(longitude: float, local_hour: float) -> None:
    assert grid(longitude).local_day(at(local_hour - longitude / 15)) == DAY


@given(st.floats(-179.9, 135.0), st.floats(9.5, 11.5))
def test_west_of_150_degrees_it_is_the_day_in_utc(longitude: float, local_hour: float) -> None:
    moment = at(local_hour - longitude / 15)
    assert grid(longitude).local_day(moment) == moment.date()


@pytest.mark.parametrize(
    ("longitude", "utc_hour", "zone"), [(174.8, 22.3, 12), (178.4, 22.2, 12), (-171.8, 21.5, -11), (-155.5, 20.9, -10)]
)
def test_the_day_is_the_cameras(longitude: float, utc_hour: float, zone: int) -> None:
    """New Zealand, Fiji, Samoa and Hawaii: PhenoCam dates its pictures by standard time."""
    moment = at(utc_hour)
    assert grid(longitude).local_day(moment) == (moment + timedelta(hours=zone)).date()


@pytest.mark.parametrize(("longitude", "later"), [(-171.8, 0), (11.3, 0), (140.0, 0), (155.0, 1), (178.4, 1)])
def test_a_mosaic_of_a_day_in_utc_holds_the_morning_that_began_in_it(longitude: float, later: int) -> None:
    place = grid(longitude)
    assert place.local_day_of_mosaic(DAY) == DAY + timedelta(days=later)
    passed = at((PASS_HOUR - longitude / 15) % 24)
    assert passed.date() == DAY
    assert place.local_day(passed) == place.local_day_of_mosaic(DAY)
