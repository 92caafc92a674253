"""Transition dates of one series: known truth per vegetation type, and what must not be invented."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.phenology import CAMERA, SCENES, Label, Phenology, Season, contract_dates, transitions
from satfusion_assets.phenology.smoothing import Smoother
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets_tests.phenology.synthetic import CANOPIES, Canopy, Cycle, day, yearly
from satfusion_assets_tests.phenology.test_noise import autocorrelated

PERCENTS = (10, 25, 50)
THREE_YEARS = ("2022-01-01", "2024-12-31")


def season_of(cycle: Cycle, phenology: Phenology) -> Season:
    middle = (day(cycle.up) + day(cycle.down)) / 2
    return min(phenology.seasons, key=lambda season: abs(season.peak_day - middle))


@pytest.mark.parametrize("name", CANOPIES)
def test_every_season_of_the_middle_year_is_found_with_its_dates(name: str) -> None:
    canopy = CANOPIES[name]
    cycles = [cycle for cycle in canopy.cycles if date.fromisoformat(cycle.down).year == 2023]
    errors: dict[int, list[float]] = {percent: [] for percent in PERCENTS}
    for seed in range(5):
        phenology = transitions(*canopy.series(*THREE_YEARS, seed=seed))
        assert phenology.label is Label.OK
        assert len(phenology.of_year(2023)) == len(cycles)
        for cycle in cycles:
            season = season_of(cycle, phenology)
            assert season.label is Label.OK
            for percent in PERCENTS:
                errors[percent] += [
                    abs(season.rising[percent].day - cycle.rising(percent)),
                    abs(season.falling[percent].day - cycle.falling(percent)),
                ]
    assert np.median(errors[50]) <= 1.5
    assert np.median(errors[25]) <= 2.5
    assert np.median(errors[10]) <= 4.0


@pytest.mark.slow
def test_nine_in_ten_intervals_hold_the_true_date() -> None:
    covered = []
    for canopy in CANOPIES.values():
        cycles = [cycle for cycle in canopy.cycles if date.fromisoformat(cycle.down).year == 2023]
        for seed in range(40):
            phenology = transitions(*canopy.series(*THREE_YEARS, seed=100 + seed))
            for cycle in cycles:
                season = season_of(cycle, phenology)
                for percent in PERCENTS:
                    up, down = season.rising[percent], season.falling[percent]
                    covered.append(up.lower <= cycle.rising(percent) <= up.upper)
                    covered.append(down.lower <= cycle.falling(percent) <= down.upper)
    assert np.mean(covered) >= 0.9


def test_dates_stand_in_order_within_their_intervals() -> None:
    for canopy in CANOPIES.values():
        for season in transitions(*canopy.series(*THREE_YEARS)).seasons:
            points = [season.rising[p] for p in PERCENTS] + [season.falling[p] for p in reversed(PERCENTS)]
            dated = [p for p in points if not np.isnan(p.day)]
            assert [p.day for p in dated] == sorted(p.day for p in dated)
            assert all(p.lower <= p.day <= p.upper for p in dated)


def test_seasons_across_new_year_belong_to_the_year_they_end_in() -> None:
    for name in ("southern broadleaf", "winter-green grass"):
        canopy = CANOPIES[name]
        phenology = transitions(*canopy.series(*THREE_YEARS))
        season = phenology.growing_season(2023)
        assert season is not None
        assert phenology.of_year(2023) == (season,)
        assert season.rising[50].date.year == 2022
        assert season.falling[50].date.year == 2023
        assert season.rising[50].day_of_year(2023) < 1


def test_without_the_year_before_a_season_across_new_year_is_truncated_not_guessed() -> None:
    canopy = CANOPIES["southern broadleaf"]
    season = transitions(*canopy.series("2023-01-01", "2023-12-31")).growing_season(2023)
    assert season is not None
    assert season.label is Label.TRUNCATED
    assert season.rising[50].date is None
    assert season.falling[50].label is Label.OK
    assert abs(season.falling[50].day - day("2023-04-20")) < 3


def test_half_a_year_gives_the_half_season_it_holds() -> None:
    days, values = CANOPIES["deciduous broadleaf"].series("2023-01-01", "2023-07-20")
    phenology = transitions(days, values)
    assert len(phenology.seasons) == 1
    season = phenology.seasons[0]
    assert abs(season.rising[50].day - day("2023-05-08")) < 3
    assert {season.falling[p].label for p in PERCENTS} == {Label.TRUNCATED}
    assert contract_dates(phenology, 2023) == {
        "green_up_50pct_date": season.rising[50].date.isoformat(),
        "green_down_50pct_date": None,
    }


def test_a_series_that_breaks_off_in_the_rise_has_no_date_for_it() -> None:
    phenology = transitions(*CANOPIES["deciduous broadleaf"].series("2023-01-01", "2023-05-12"))
    assert all(np.isnan(season.rising[50].day) for season in phenology.seasons)


def test_evergreen_without_a_season_is_said_to_have_none() -> None:
    flat = Canopy((), noise=0.004)
    for seed in range(20):
        phenology = transitions(*flat.series(*THREE_YEARS, seed=seed))
        assert phenology.label is Label.NO_SEASON
        assert phenology.seasons == ()
        assert contract_dates(phenology, 2023) == {"green_up_50pct_date": None, "green_down_50pct_date": None}


def test_weather_that_lasts_for_days_makes_no_season() -> None:
    false = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=1096)
        for i in range(1, noise.size):
            noise[i] += 0.6 * noise[i - 1]
        false += transitions(np.arange(18993, 18993 + 1096), 0.35 + 0.004 * noise).label is Label.OK
    assert false <= 1


def test_a_crossing_in_a_gap_is_labelled_and_its_interval_spans_the_gap() -> None:
    gap = ("2023-04-25", "2023-05-25")
    canopy = Canopy(yearly("05-08", "10-10", range(2021, 2026)), gaps=(gap,))
    season = transitions(*canopy.series(*THREE_YEARS)).growing_season(2023)
    assert season is not None
    point = season.rising[50]
    assert point.label is Label.GAP
    assert point.lower <= day(gap[0]) - 1 + 1e-9
    assert point.upper >= day(gap[1]) + 1 - 1e-9
    assert season.falling[50].label is Label.OK


def test_a_crossing_in_a_gap_of_a_season_has_no_date() -> None:
    canopy = Canopy(yearly("05-08", "10-10", range(2021, 2026)), gaps=(("2023-04-01", "2023-07-15"),))
    season = transitions(*canopy.series(*THREE_YEARS)).growing_season(2023)
    assert season is not None
    assert season.rising[50].label is Label.GAP
    assert season.rising[50].date is None
    assert abs(season.falling[50].day - day("2023-10-10")) < 3


def test_cuts_above_half_the_amplitude_do_not_end_the_growing_season() -> None:
    meadow = Canopy(
        tuple(
            c
            for y in range(2021, 2026)
            for c in (
                Cycle(f"{y}-04-20", f"{y}-10-20", 0.06),
                Cycle(f"{y}-04-20", f"{y}-06-10", 0.04, fall_days=2.0),
                Cycle(f"{y}-07-05", f"{y}-08-10", 0.04, fall_days=2.0),
            )
        ),
        noise=0.003,
    )
    phenology = transitions(*meadow.series(*THREE_YEARS))
    assert len(phenology.of_year(2023)) >= 2
    season = phenology.growing_season(2023)
    assert season is not None
    assert abs(season.rising[50].day - day("2023-04-20")) < 4
    half_of_the_whole = day("2023-10-20") - 7.0 * np.log(0.05 / 0.01)  # where the uncut 0.06 has come down to 0.05
    assert abs(season.falling[50].day - half_of_the_whole) < 4


def test_sparse_cloudy_observations_are_enough_for_a_season() -> None:
    days, values = Canopy(yearly("05-08", "10-10", range(2021, 2026)), noise=0.008, lost=0.85).series(*THREE_YEARS)
    season = transitions(days, values).growing_season(2023)
    assert season is not None
    for point, truth in ((season.rising[50], day("2023-05-08")), (season.falling[50], day("2023-10-10"))):
        assert abs(point.day - truth) < 8
        assert point.lower <= truth <= point.upper


@pytest.mark.parametrize(
    ("values", "label"),
    [
        (np.full(400, 0.35), Label.NO_SEASON),
        (np.full(400, np.nan), Label.NO_DATA),
        (np.r_[0.35, np.full(399, np.nan)], Label.NO_DATA),
        (np.empty(0), Label.NO_DATA),
        (np.r_[np.linspace(0.3, 0.4, 9), np.full(300, np.nan)], Label.NO_DATA),
    ],
    ids=["constant", "all missing", "one sample", "empty", "nine samples"],
)
def test_degenerate_series_are_labelled(values: np.ndarray, label: Label) -> None:
    phenology = transitions(np.arange(19000, 19000 + values.size), values)
    assert phenology.label is label
    assert phenology.seasons == ()
    assert phenology.growing_season(2022) is None


def test_several_values_of_a_day_count_as_one_and_order_does_not_matter() -> None:
    days, values = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    shuffled = np.random.default_rng(3).permutation(2 * days.size)
    spread = np.r_[values - 0.01, values + 0.01]
    once, twice = transitions(days, values), transitions(np.r_[days, days][shuffled], spread[shuffled])
    for a, b in zip(once.seasons, twice.seasons, strict=True):
        assert a.rising[50].day == pytest.approx(b.rising[50].day, abs=1e-6)


def test_days_and_values_must_match() -> None:
    with pytest.raises(InvalidInput, match="one value a day"):
        transitions(np.arange(5), np.zeros(4))
    with pytest.raises(InvalidInput, match="datetime64 or integer days"):
        transitions(np.arange(5) / 2, np.zeros(5))


@settings(max_examples=25, deadline=None)
@given(
    shift=st.integers(-20000, 20000),
    gain=st.floats(1e-3, 1e3),
    offset=st.floats(-10, 10),
    name=st.sampled_from(sorted(CANOPIES)),
)
def test_shifted_days_shift_the_dates_and_scaled_values_change_nothing(
    shift: int, gain: float, offset: float, name: str
) -> None:
    days, values = CANOPIES[name].series(*THREE_YEARS)
    plain = transitions(days, values)
    moved = transitions(days + shift, gain * values + offset)
    assert len(moved.seasons) == len(plain.seasons)
    for a, b in zip(plain.seasons, moved.seasons, strict=True):
        for percent in PERCENTS:
            for p, q in ((a.rising[percent], b.rising[percent]), (a.falling[percent], b.falling[percent])):
                assert q.label is p.label
                np.testing.assert_allclose(
                    [q.day - shift, q.lower - shift, q.upper - shift], [p.day, p.lower, p.upper], atol=1e-3
                )
        assert (b.peak - offset) / gain == pytest.approx(a.peak, abs=1e-6)


def test_noise_that_lasts_a_day_or_two_does_not_make_the_curve_follow_it() -> None:
    """Cross-validation takes correlated noise for signal; charged 1.4-fold for each degree of freedom, it does less."""
    leafy = Canopy(yearly("05-08", "10-10", range(2021, 2026)), noise=0.0, lost=0.0).series(*THREE_YEARS)[1]
    rows = np.stack([leafy + 0.004 * autocorrelated(0.3, leafy.size, seed) for seed in range(15)])
    assert np.median(Smoother(rows, CAMERA).lam) >= 100.0


def test_few_clear_days_show_a_season_that_daily_noise_could_not_tell() -> None:
    """Sentinel-2 at a cloudy site: 34 clear days with noise of a sixth of the season, three of them spoilt."""
    days, clear = Canopy(yearly("04-27", "09-25", range(2023, 2026), amplitude=0.08), noise=0.0, lost=0.0).series(
        "2024-01-01", "2024-12-31"
    )
    found, held = 0, []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(np.arange(60, days.size), 34, replace=False))
        values = clear[chosen] + rng.normal(0, 0.012, chosen.size)
        values[rng.choice(chosen.size, 3, replace=False)] += 0.09
        season = transitions(days[chosen], values, SCENES).growing_season(2024)
        found += season is not None
        if season is not None and season.falling[50].date:
            held.append(season.falling[50].lower <= day("2024-09-25") <= season.falling[50].upper)
    assert found >= 36
    assert np.mean(held) >= 0.85


def test_few_days_of_noise_alone_show_none() -> None:
    chance = (np.random.default_rng(seed) for seed in range(100))
    series = ((np.sort(rng.choice(365, 34, replace=False)), rng.normal(0, 1, 34)) for rng in chance)
    assert sum(transitions(days, values, SCENES).label is Label.OK for days, values in series) <= 3
