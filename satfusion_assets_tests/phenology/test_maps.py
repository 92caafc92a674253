"""Date maps: the series' method in every pixel, and the sandbox's true dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pytest
from affine import Affine

from satfusion_assets.phenology import (
    COURSE,
    SATELLITE,
    TRANSITIONS,
    Label,
    PhenologyMaps,
    transition_maps,
    transitions,
)
from satfusion_assets.sandbox.landscape import Landscape, SurfaceView
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.sites import make_site
from satfusion_assets_tests.phenology.synthetic import CANOPIES, Canopy, Cycle, day, yearly

THREE_YEARS = ("2022-01-01", "2024-12-31")
PERCENTS = (10, 25, 50)


def stack_of(*series: np.ndarray) -> np.ndarray:
    """(p, 1, n) float32 stack of n series."""
    return np.stack(series, axis=1)[:, None, :].astype(np.float32)


def test_a_pixel_has_the_dates_of_its_series() -> None:
    names = sorted(CANOPIES)
    days, _ = CANOPIES[names[0]].series(*THREE_YEARS)
    columns = [CANOPIES[name].series(*THREE_YEARS, seed=5)[1] for name in names]
    maps = transition_maps(days, stack_of(*columns), 2023)
    for pixel, values in enumerate(columns):
        season = transitions(days, values.astype(np.float32), SATELLITE).growing_season(2023)
        assert season is not None
        points = [season.rising[p] for p in PERCENTS] + [season.falling[p] for p in PERCENTS]
        np.testing.assert_allclose(
            maps.day_of_year[:, 0, pixel], [p.day_of_year(2023) for p in points], atol=0.05, err_msg=names[pixel]
        )
        assert maps.label[:, 0, pixel].tolist() == [p.label for p in points]


def test_each_pixel_gets_what_it_is() -> None:
    days, leafy = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    evergreen = Canopy((), noise=0.004).series(*THREE_YEARS)[1]
    missing = np.full(days.size, np.nan)
    few = np.where(np.arange(days.size) % 200 == 0, leafy, np.nan)
    constant = np.full(days.size, 0.35)
    maps = transition_maps(days, stack_of(leafy, evergreen, missing, few, constant), 2023)
    assert maps.day_of_year.shape == (len(TRANSITIONS), 1, 5)
    assert [set(labels.tolist()) for labels in maps.label[:, 0].T] == [
        {Label.OK},
        {Label.NO_SEASON},
        {Label.NO_DATA},
        {Label.NO_DATA},
        {Label.NO_SEASON},
    ]
    assert maps.seasons[0].tolist() == [1, 0, 0, 0, 0]
    assert np.isnan(maps.day_of_year[:, 0, 1:]).all()
    assert maps.day_of_year.dtype == maps.lower.dtype == maps.upper.dtype == np.float32


def test_seasons_across_new_year_need_the_year_before() -> None:
    days, southern = CANOPIES["southern broadleaf"].series(*THREE_YEARS)
    joined = transition_maps(days, stack_of(southern), 2023)
    rising, falling = joined.day_of_year[[2, 5], 0, 0]
    assert abs(rising - (day("2022-10-05") - day("2022-12-31"))) < 3
    assert abs(falling - (day("2023-04-20") - day("2022-12-31"))) < 3
    alone = (days >= day("2023-01-01")) & (days <= day("2023-12-31"))
    single = transition_maps(days[alone], stack_of(southern[alone]), 2023)
    assert single.label[2, 0, 0] == Label.TRUNCATED
    assert np.isnan(single.day_of_year[2, 0, 0])
    assert abs(single.day_of_year[5, 0, 0] - falling) < 2


def test_a_base_that_snow_hides_is_borrowed_from_the_other_side_of_the_season() -> None:
    days, values = Canopy(yearly("05-08", "10-10", range(2022, 2025))).series("2023-04-28", "2023-12-31")
    maps = transition_maps(days, stack_of(values), 2023)
    assert maps.label[:, 0, 0].tolist() == [Label.TRUNCATED, Label.BORROWED, Label.BORROWED, *[Label.OK] * 3]
    assert abs(maps.day_of_year[2, 0, 0] - (day("2023-05-08") - day("2022-12-31"))) < 3


def test_a_shared_error_widens_intervals_and_drowns_small_seasons() -> None:
    days, values = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    plain = transition_maps(days, stack_of(values), 2023)
    shared = transition_maps(days, stack_of(values), 2023, error=0.01)
    drowned = transition_maps(days, stack_of(values), 2023, error=0.05)
    assert np.all(shared.upper - shared.lower > 1.5 * (plain.upper - plain.lower))
    halves = [TRANSITIONS.index("rising_50"), TRANSITIONS.index("falling_50")]
    np.testing.assert_allclose(shared.day_of_year[halves], plain.day_of_year[halves], atol=0.3)
    assert np.all(drowned.label == Label.NO_SEASON)


def test_levels_are_as_sure_as_their_observations_are_many() -> None:
    days, values = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    stack = stack_of(values)
    many, few = (
        transition_maps(days, stack, 2023, error=0.01, information=np.full(stack.shape, share, np.float32))
        for share in (1.0, 0.01)
    )
    beyond_the_foot = [1, 2, 4, 5]
    assert np.all((few.upper - few.lower > many.upper - many.lower + 1.0)[beyond_the_foot])
    np.testing.assert_allclose(few.day_of_year, many.day_of_year, atol=0.5)


def test_a_date_between_a_cut_and_the_regrowth_that_may_reach_half_is_sure_of_neither() -> None:
    """After a September cut it stays just below half the amplitude: errors decide which fall is the last.

    The date tends to the later one as its errors grow, and its interval holds both.
    """
    days = np.arange(day("2023-01-01"), day("2024-01-01"))
    cut, regrown = (
        Cycle(iso, "2024-12-31", amplitude=1.0, rise_days=3.0)(days * 1.0)  # type: ignore[arg-type]
        for iso in ("2023-09-01", "2023-09-25")
    )
    canopy = Cycle("2023-05-01", "2023-10-20", rise_days=4.0, fall_days=4.0)(days * 1.0) * (  # type: ignore[arg-type]
        1.0 - 0.7 * cut + 0.16 * regrown
    )
    sure, unsure = (
        transition_maps(days, stack_of(0.34 + canopy), 2023, COURSE, error=error) for error in (0.0003, 0.003)
    )
    first, last = (day(iso) - day("2022-12-31") for iso in ("2023-09-01", "2023-10-05"))
    assert sure.day_of_year[5, 0, 0] == pytest.approx(first, abs=3)
    assert first + 4 < unsure.day_of_year[5, 0, 0] < last - 4
    assert unsure.lower[5, 0, 0] < first + 3
    assert unsure.upper[5, 0, 0] > last


def test_a_base_from_the_other_side_is_unsure_by_a_twentieth_of_the_amplitude() -> None:
    """Noise is none: the borrowed level, half of it, is all that the 50 % date can be wrong by."""
    canopy = Canopy(yearly("05-08", "10-10", range(2022, 2025)), noise=0.0, lost=0.0)
    borrowed, seen = (
        transition_maps(*(part[:, None, None] if part.dtype.kind == "f" else part for part in series), 2023, COURSE)  # type: ignore[arg-type, call-arg]
        for series in (canopy.series("2023-04-28", "2023-12-31"), canopy.series("2023-02-01", "2023-12-31"))
    )
    assert borrowed.label[2, 0, 0] == Label.BORROWED
    slope = 0.25 / 5.0  # of a logistic rise of 5 days, in amplitudes per day
    width = 2 * 1.96 * 0.5 * 0.05 / slope
    known = seen.upper[2, 0, 0] - seen.lower[2, 0, 0]
    assert borrowed.upper[2, 0, 0] - borrowed.lower[2, 0, 0] == pytest.approx(np.hypot(width, known), abs=0.5)
    assert known < 0.5 * width


def test_the_top_is_the_ninetieth_percentile_and_a_short_peak_does_not_raise_it() -> None:
    """Up from 0.34 to 0.40 in sixty days, level for a hundred, a peak of 0.44 for four."""
    knots = np.array([0, 60, 120, 220, 221, 224, 225, 226, 286, 365])
    values = np.interp(np.arange(365), knots, [0.34, 0.34, 0.40, 0.40, 0.44, 0.44, 0.44, 0.40, 0.34, 0.34])
    days = np.arange(day("2023-01-01"), day("2024-01-01"))
    maps = transition_maps(days, stack_of(values), 2023, COURSE)
    assert maps.day_of_year[2, 0, 0] == pytest.approx(91, abs=1.5), "half of the way to 0.40, not to 0.44"


def test_seasons_below_the_least_amplitude_are_none() -> None:
    days, values = CANOPIES["evergreen needleleaf"].series(*THREE_YEARS)
    assert np.all(transition_maps(days, stack_of(values), 2023, least_amplitude=0.02).label == Label.OK)
    assert np.all(transition_maps(days, stack_of(values), 2023, least_amplitude=0.05).label == Label.NO_SEASON)


def test_clouds_that_were_missed_do_not_move_the_dates() -> None:
    days, values = Canopy(yearly("05-08", "10-10", range(2021, 2026)), lost=0.8).series(*THREE_YEARS)
    clear = transition_maps(days, stack_of(values), 2023)
    observed = np.flatnonzero(np.isfinite(values))
    values[np.random.default_rng(2).choice(observed, observed.size // 12, replace=False)] -= 0.08
    cloudy = transition_maps(days, stack_of(values), 2023)
    assert abs(cloudy.day_of_year[[2, 5]] - clear.day_of_year[[2, 5]]).max() < 3


def test_days_must_ascend_and_fit_the_stack() -> None:
    with pytest.raises(InvalidInput, match="ascending days"):
        transition_maps(np.array([3, 2, 1]), np.zeros((3, 2, 2)), 2023)
    with pytest.raises(InvalidInput, match="ascending days"):
        transition_maps(np.arange(4), np.zeros((3, 2, 2)), 2023)


SITES = {
    "alpine meadow": {"latitude": 47.116, "longitude": 11.320, "elevation": 972, "vegetation_type": "Grassland"},
    "boreal forest": {
        "latitude": 64.24,
        "longitude": 19.77,
        "elevation": 224,
        "vegetation_type": "Deciduous Broadleaf",
    },
    "mediterranean field": {"latitude": 36.75, "longitude": -6.0, "elevation": 56, "vegetation_type": "Agriculture"},
    "southern grass": {"latitude": -35.3, "longitude": 149.1, "elevation": 600, "vegetation_type": "Grassland"},
}


def test_a_shared_error_does_the_same_to_a_series() -> None:
    days, values = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    maps = transition_maps(days, stack_of(values), 2023, error=0.01)
    season = transitions(days, values.astype(np.float32), SATELLITE, error=0.01).growing_season(2023)
    assert season is not None
    point = season.rising[50]
    assert maps.upper[2, 0, 0] - maps.lower[2, 0, 0] == pytest.approx(point.upper - point.lower, abs=0.1)
    assert transitions(days, values, SATELLITE, error=0.05).label is Label.NO_SEASON


@dataclass(frozen=True)
class SandboxCase:
    """Maps from noisy observations of the sandbox's truth, maps from the truth itself, and the true dates."""

    maps: PhenologyMaps
    clean: PhenologyMaps
    truths: list[list[np.ndarray]]
    """Per transition the days of year that are right: the sandbox counts crossings of a calendar year, and a season of
    2023 may have risen in 2022."""
    amplitude: np.ndarray
    land_cover: np.ndarray


@cache
def sandbox_case(name: str) -> SandboxCase:
    """From the snow-free truth of three years, a third of the days seen, with the noise of a clear observation."""
    landscape = Landscape(make_site(name, name="somewhere", seasons=(2023,), **SITES[name]), seed=7)
    west, south, east, north = landscape.bounds
    view = landscape.view(Affine(60, 0, (west + east) / 2 - 720, 0, -60, (south + north) / 2 + 720), (24, 24))
    days = np.arange(np.datetime64("2022-01-01"), np.datetime64("2025-01-01"))
    truth = np.stack([gcc_without_snow(view, when.item()) for when in days])
    rng = np.random.default_rng(0)
    seen = rng.random(days.size) < 0.35
    noisy = truth[seen] + rng.normal(0, 0.004, truth[seen].shape).astype(np.float32)
    true, before = view.true_dates(2023), view.true_dates(2022)
    return SandboxCase(
        maps=transition_maps(days[seen], noisy, 2023, least_amplitude=0.02),
        clean=transition_maps(days, truth, 2023, least_amplitude=0.02),
        truths=[
            *([now, then - 365] for now, then in zip(true.rising, before.rising, strict=True)),
            *([f] for f in true.falling),
        ],
        amplitude=true.maximum - true.minimum,
        land_cover=view.land_cover,
    )


def gcc_without_snow(view: SurfaceView, when: date) -> np.ndarray:
    blue, green, red = view.canopy(when)[:3]
    return green / (blue + green + red)


@pytest.mark.parametrize("name", SITES)
def test_true_dates_of_the_sandbox_are_found_in_every_pixel(name: str) -> None:
    case = sandbox_case(name)
    seasonal = case.amplitude >= 0.04
    for k in (TRANSITIONS.index("rising_50"), TRANSITIONS.index("falling_50")):
        found = np.isfinite(case.maps.day_of_year[k])
        assert found[seasonal].mean() >= 0.95
        error = np.fmin.reduce([abs(case.maps.day_of_year[k] - truth) for truth in case.truths[k]])
        assert np.nanmedian(error[seasonal]) <= 3
    assert np.isnan(case.maps.day_of_year[:, case.amplitude < 0.01]).all()


@pytest.mark.parametrize("name", SITES)
def test_intervals_of_pixels_cover_as_they_claim(name: str) -> None:
    """They are about noise, not about another definition of the levels: held against the dates without noise."""
    case = sandbox_case(name)
    day_of_year = case.clean.day_of_year
    both = np.isfinite(case.maps.day_of_year) & np.isfinite(day_of_year)
    inside = (case.maps.lower <= day_of_year) & (day_of_year <= case.maps.upper)
    assert inside[both].mean() >= 0.9
