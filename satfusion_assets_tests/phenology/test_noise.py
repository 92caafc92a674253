"""What counts as noise when a swing is to be a season, and what does not: cuts and regrowth."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.phenology import CAMERA, SATELLITE, SCENES, Label, Smoothing, transitions
from satfusion_assets.phenology.noise import noise_variance
from satfusion_assets_tests.phenology.synthetic import Canopy, Cycle, day, yearly

DAYS = np.arange(np.datetime64("2022-01-01"), np.datetime64("2025-01-01"))
DAY_OF_YEAR = (DAYS - DAYS.astype("datetime64[Y]")).astype(int)
SOUTH = 182
"""Half a year later, as in the south [d]."""


def mown(
    cuts: int, stubble: float, noise: float, first: int = 90, last: int = 310, regrowth: float = 25.0
) -> np.ndarray:
    """GCC of a meadow or lucerne field: 0.33 in winter, 0.415 from ``regrowth`` days after ``first`` and each cut."""
    values = np.full(DAYS.size, 0.33)
    of_year = (DAY_OF_YEAR - first) % 365
    length = last - first
    start = 0
    for cut in (*np.linspace(40, length - 35, cuts).round().astype(int), length):
        grown = (of_year >= start) & (of_year < cut)
        values[grown] = stubble + (0.415 - stubble) * np.minimum((of_year[grown] - start) / regrowth, 1.0)
        start = cut
    return values + np.random.default_rng(cuts).normal(0, noise, values.size)


def autocorrelated(rho: float, size: int, seed: int) -> np.ndarray:
    """Noise of variance 1 that lasts, as weather does."""
    noise = np.random.default_rng(seed).normal(size=size)
    for i in range(1, size):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return noise


@pytest.mark.parametrize("smoothing", [CAMERA, SATELLITE], ids=["camera", "fused"])
@pytest.mark.parametrize("noise", [0.0, 0.004, 0.008])
@pytest.mark.parametrize("stubble", [0.335, 0.345, 0.365])
def test_however_often_a_meadow_is_cut_it_has_one_growing_season(
    stubble: float, noise: float, smoothing: Smoothing
) -> None:
    for cuts in range(1, 9):
        season = transitions(DAYS, mown(cuts, stubble, noise), smoothing).growing_season(2023)
        assert season is not None, f"{cuts} cuts"
        assert season.label is Label.OK
        assert day("2023-04-01") <= season.rising[50].day <= day("2023-04-18"), f"{cuts} cuts"
        assert abs(season.falling[50].day - day("2023-11-07")) <= 3, f"{cuts} cuts"


@pytest.mark.parametrize(("first", "last"), [(120, 280), (60, 330), (90 + SOUTH, 310 + SOUTH)], ids=str)
def test_so_it_does_in_shorter_and_longer_seasons_and_across_new_year(first: int, last: int) -> None:
    for cuts in range(1, 9):
        phenology = transitions(DAYS, mown(cuts, 0.345, 0.004, first, last, regrowth=18.0))
        seasons = [season for year in (2022, 2023, 2024) if (season := phenology.growing_season(year))]
        fall = (last - 1) % 365 + 1
        nearest = [min(abs(s.falling[50].day_of_year(s.year) - fall) for s in seasons)] if seasons else [np.inf]
        assert nearest[0] <= 5, f"{cuts} cuts"


def test_a_cut_field_seen_on_few_clear_days_has_its_season_too() -> None:
    """Every fourth to ninth day, as Sentinel-2 without clouds sees it."""
    for every in (4, 6, 9):
        found = []
        for cuts in range(1, 8):
            for seed in range(5):
                seen = np.sort(np.random.default_rng(seed).choice(DAYS.size, DAYS.size // every, replace=False))
                phenology = transitions(DAYS[seen], mown(cuts, 0.345, 0.005)[seen], SCENES)
                found.append(phenology.growing_season(2023) is not None)
        assert np.mean(found) >= 0.9, f"every {every} days"


@pytest.mark.parametrize("width", [15.0, 20.0, 25.0])
def test_slow_rises_of_winter_green_grass_are_seasons(width: float) -> None:
    grass = Canopy(yearly("12-10", "05-20", range(2020, 2026), amplitude=0.08, rise_days=width), noise=0.005)
    days, values = grass.series("2022-01-01", "2024-12-31")
    season = transitions(days, values).growing_season(2023)
    assert season is not None
    assert abs(season.falling[50].day - day("2023-05-20")) <= 4
    assert abs(season.rising[50].day - day("2022-12-10")) <= 8


def test_two_seasons_a_year_stay_two_also_where_each_is_cut() -> None:
    def grown(up: str, down: str, cut: str) -> tuple[Cycle, Cycle]:
        return Cycle(up, down, 0.05), Cycle(up, cut, 0.04, fall_days=3.0)

    cycles = [
        cycle
        for year in range(2021, 2026)
        for cycle in (
            *grown(f"{year}-02-20", f"{year}-05-25", f"{year}-04-10"),
            *grown(f"{year}-08-15", f"{year}-11-15", f"{year}-10-01"),
        )
    ]
    phenology = transitions(*Canopy(tuple(cycles), noise=0.004).series("2022-01-01", "2024-12-31"))
    ends = [season.falling[50].day for season in phenology.growing_seasons if season.year == 2023]
    assert len(ends) == 2
    assert abs(ends[0] - day("2023-05-15")) < 20
    assert abs(ends[1] - day("2023-11-05")) < 20


@pytest.mark.parametrize(("rho", "allowed"), [(0.0, 0), (0.3, 0), (0.6, 1), (0.8, 4)])
def test_noise_makes_no_season_however_long_its_weather_lasts(rho: float, allowed: int) -> None:
    """Sixty series of one year and sixty of three; a third of the days of half of them is lost."""
    false = 0
    for seed in range(60):
        noise = autocorrelated(rho, 1096, seed)
        noise[np.random.default_rng(seed).random(noise.size) < (0.3 if seed % 2 else 0.0)] = np.nan
        false += sum(transitions(DAYS[:n], 0.36 + 0.004 * noise[:n]).label is Label.OK for n in (366, 1096))
    assert false <= allowed


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.8])
def test_the_variance_of_lasting_noise_is_told_whatever_lies_beneath(rho: float) -> None:
    """Cuts five weeks apart look a little like noise: by a factor of two in the standard error, not of ten."""
    leafy = Canopy(yearly("05-08", "10-10", range(2021, 2026)), noise=0.0, lost=0.0)
    beneath = {
        "nothing": (np.zeros(DAYS.size), 1.6),
        "a season": (leafy.series("2022-01-01", "2024-12-31")[1], 2.5),
        "cuts": (mown(5, 0.345, 0.0), 6.0),
    }
    true = 0.006**2 * (1 + rho) / (1 - rho)
    for name, (values, most) in beneath.items():
        rows = np.stack([values + 0.006 * autocorrelated(rho, DAYS.size, seed) for seed in range(20)])
        found = np.median(noise_variance(rows, np.ones(rows.shape, bool)))
        assert 0.6 * true <= found <= most * true, name


def test_cuts_without_noise_are_no_noise_and_too_few_days_tell_nothing() -> None:
    cuts = mown(5, 0.345, 0.0)[None]
    assert noise_variance(cuts, np.ones(cuts.shape, bool))[0] < 0.002**2
    few = np.zeros(cuts.shape, bool)
    few[0, ::150] = True
    assert np.isnan(noise_variance(cuts, few)[0])
