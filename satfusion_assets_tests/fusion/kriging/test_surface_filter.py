"""What the coarse series says of the surface, where an atmosphere is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from satfusion_assets.fusion.kriging import Hyperparameters, KrigingQuality, SnowFlags, surface_coarse
from satfusion_assets.fusion.kriging.surface_filter import SEEN, SurfaceFilter, common_change
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.screening.preparation import gcc_image
from satfusion_assets_tests.fusion.kriging.scenes import FIXED, RATIO, START, Season

DAYS = 180
HEIGHT, WIDTH = 3, 4
AIR = np.array([1.0, 0.6, 0.3, 0.1])
"""How air goes together in blue, green, red and near infrared."""
GREEN_UP = np.array([-0.01, 0.01, -0.04, 0.15])
SCENES = np.arange(4, DAYS, 7)


def season(seed: int = 1, *, air: float = 1.0, scenes: np.ndarray = SCENES) -> Season:
    """A green-up under an atmosphere that changes by more than blue does, with its own season and from day to day."""
    rng = np.random.default_rng(seed)
    time = np.arange(DAYS)
    course = 1 / (1 + np.exp(-(time - DAYS / 2) / 8))
    share = rng.uniform(0, 1.6, (HEIGHT * RATIO, WIDTH * RATIO))
    level = np.array([0.06, 0.08, 0.1, 0.2])[:, None, None] * rng.uniform(0.8, 1.2, share.shape)
    truth = level + GREEN_UP[:, None, None] * share * course[:, None, None, None]
    coarse = truth.reshape(DAYS, 4, HEIGHT, RATIO, WIDTH, RATIO).mean(axis=(3, 5))
    path = 0.04 * np.cos(time / 40) + rng.normal(0, 0.01, DAYS)
    coarse = coarse + air * ((0.08 + path)[:, None] * AIR)[..., None, None]
    coarse += rng.normal(0, 0.001, coarse.shape)
    fine = truth[scenes] + rng.normal(0, 0.001, (len(scenes), *truth.shape[1:]))
    return Season(coarse, START + time, fine, START + scenes, truth)


def filtered(given: Season, snow: SnowFlags | None = None) -> np.ndarray:
    return surface_coarse(given.coarse, given.coarse_days, given.fine, given.fine_days, RATIO, snow)


def learned(given: Season, **options: Any) -> Hyperparameters:
    quality = given.fuse(START, **options).quality
    assert isinstance(quality, KrigingQuality)
    return quality.hyperparameters


def truth_of(given: Season) -> np.ndarray:
    """Of coarse pixels."""
    return given.truth.reshape(DAYS, 4, HEIGHT, RATIO, WIDTH, RATIO).mean(axis=(3, 5))


def off(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Root mean square (b,) by which changes of the area differ from the true ones."""
    wrong = (images - truth).mean(axis=(2, 3))
    return np.sqrt(np.square(wrong - wrong.mean(axis=0)).mean(axis=0))


def test_air_that_all_bands_share_is_taken_off_each() -> None:
    given = season()
    before, after = off(given.coarse, truth_of(given)), off(filtered(given), truth_of(given))
    assert (after[:3] < before[:3] / 3).all()
    assert after[3] < 1.1 * before[3], "near infrared has hardly any air in it"


def test_the_level_is_that_of_the_scenes() -> None:
    given = season()
    np.testing.assert_allclose(filtered(given).mean(axis=(0, 2, 3)), given.truth.mean(axis=(0, 2, 3)), rtol=0.05)


def test_a_gap_under_changing_air_is_filled_almost_as_under_none() -> None:
    beyond = np.abs(SCENES - DAYS // 2) > 30
    inside = START + np.arange(DAYS // 2 - 25, DAYS // 2 + 25)
    errors = {}
    for air in (0.0, 1.0):
        given = season(air=air, scenes=SCENES[beyond])
        truth = given.truth[DAYS // 2 - 25 : DAYS // 2 + 25]
        wrong = np.square(given.fuse(inside).values - truth)
        errors[air] = np.sqrt(wrong.mean(axis=(0, 2, 3)))
    assert (errors[1.0] < 1.5 * errors[0.0]).all()


def test_units_of_a_band_do_not_matter() -> None:
    given = season()
    times = np.array([2.0, 1.0, 0.5, 3.0])[:, None, None]
    scaled = replace(given, coarse=given.coarse * times, fine=given.fine * times)
    np.testing.assert_allclose(filtered(scaled), filtered(given) * times, rtol=1e-6, atol=1e-9)


def test_order_of_scenes_does_not_matter() -> None:
    given = season()
    turned = np.random.default_rng(3).permutation(len(SCENES))
    np.testing.assert_allclose(filtered(given.of_scenes(turned)), filtered(given), rtol=1e-9)


def test_noise_of_places_is_not_followed() -> None:
    given = season()
    rng = np.random.default_rng(5)
    noisy = replace(given, coarse=given.coarse + rng.normal(0, 0.05, given.coarse.shape))
    apart = [images - images.mean(axis=(2, 3), keepdims=True) for images in (noisy.coarse, filtered(noisy))]
    before, after = (np.diff(images, axis=0).std(axis=(0, 2, 3)) for images in apart)
    assert (after < before / 2).all()


@pytest.mark.parametrize("scenes", [SCENES[:5], SCENES[:0]])
def test_with_few_scenes_the_series_is_taken_as_it_is(scenes: np.ndarray) -> None:
    given = season(scenes=scenes)
    np.testing.assert_array_equal(filtered(given), given.coarse)


def test_one_band_is_left_to_its_gain() -> None:
    given = season()
    alone = replace(given, coarse=given.coarse[:, :1], fine=given.fine[:, :1], truth=given.truth[:, :1])
    np.testing.assert_array_equal(filtered(alone), alone.coarse)


def test_a_given_gain_is_one_of_the_series_as_it_is() -> None:
    given = season()
    assert learned(given).surface is not None
    assert learned(given, gain=0.7).surface is None
    assert learned(given, **FIXED).surface is None


def test_what_was_learned_is_taken_whole() -> None:
    given = season()
    fused = given.fuse()
    again = given.fuse(hyperparameters=learned(given))
    np.testing.assert_array_equal(again.values, fused.values)


def test_a_pixel_without_one_band_has_no_surface() -> None:
    given = season()
    coarse = given.coarse.copy()
    coarse[7, 2, 1, 1] = np.nan
    coarse[9] = np.nan
    known = np.isfinite(filtered(replace(given, coarse=coarse)))
    assert not known[7, :, 1, 1].any()
    assert not known[9].any()
    assert known.sum() == known.size - 4 - 4 * HEIGHT * WIDTH


def test_snow_is_left_as_it_was_and_teaches_nothing() -> None:
    given = season()
    white = given.coarse.copy()
    white[:20, :, 0] += 0.5
    on_coarse = np.zeros((DAYS, HEIGHT, WIDTH), bool)
    on_coarse[:20, 0] = True
    snow = SnowFlags(on_coarse, np.zeros((len(SCENES), HEIGHT * RATIO, WIDTH * RATIO), bool))
    whiter = white.copy()
    whiter[:20, :, 0] += 0.2
    found, other = (filtered(replace(given, coarse=images), snow) for images in (white, whiter))
    np.testing.assert_array_equal(found[:20, :, 0], white[:20, :, 0])
    np.testing.assert_array_equal(found[20:], other[20:])


def test_change_is_told_by_the_pixels_that_are_there() -> None:
    coarse = np.stack([np.full((1, 2, 2), value) for value in (0.1, 0.2, 0.3)])
    coarse[:, :, 0, 0] += 5
    coarse[1, :, 0] = np.nan
    np.testing.assert_allclose(common_change(coarse)[:, 0], [-0.1, 0.0, 0.1], atol=1e-12)


def test_pixels_that_are_seen_in_half_of_the_year_make_no_step() -> None:
    """As under snow, or where a part of the area has no images until spring."""
    given = season()
    later = given.coarse.copy()
    later[: DAYS // 2, :, :, : WIDTH // 2] = np.nan
    gaps = filtered(replace(given, coarse=later))[..., WIDTH // 2 :]
    steps, usual = (np.abs(np.diff(images.mean(axis=(2, 3)), axis=0)) for images in (gaps, filtered(given)))
    assert (steps[DAYS // 2 - 1] < 3 * usual[DAYS // 2 - 5 : DAYS // 2 + 5].max(axis=0)).all()
    half = truth_of(given)[..., WIDTH // 2 :]
    assert (off(gaps, half) < 2 * off(filtered(given)[..., WIDTH // 2 :], half) + 0.002).all()


def test_change_of_pixels_with_gaps_is_that_of_pixels_without() -> None:
    rng = np.random.default_rng(7)
    change = np.cumsum(rng.normal(0, 1, (30, 2)), axis=0)
    coarse = change[:, :, None, None] + rng.normal(0, 5, (2, 3, 4))
    coarse[:20, :, 0] = np.nan
    coarse[25:, :, 2, 1:] = np.nan
    coarse[3] = np.nan
    found = common_change(coarse)
    assert np.isnan(found[3]).all()
    known = np.arange(30) != 3
    np.testing.assert_allclose(found[known] - found[0], change[known] - change[0], atol=1e-9)


@pytest.mark.parametrize("band", [0, 3])
def test_a_band_that_the_coarse_series_never_saw_leaves_it_as_it_is(band: int) -> None:
    given = season()
    coarse = given.coarse.copy()
    coarse[:, band] = np.nan
    blind = replace(given, coarse=coarse)
    np.testing.assert_array_equal(filtered(blind), coarse)
    assert np.isfinite(blind.fuse(START).values).all()


def test_hyperparameters_of_other_bands_are_refused_by_name() -> None:
    settings = learned(season())
    fewer = season()
    fewer = replace(fewer, coarse=fewer.coarse[:, :2], fine=fewer.fine[:, :2])
    with pytest.raises(
        ValueError, match=r"hyperparameters are of \(26, 4\) scenes and bands; the images have \(26, 2\)"
    ):
        fewer.fuse(START, hyperparameters=settings)


def test_a_filter_mixes_what_is_common_and_what_places_have() -> None:
    common, places = np.array([[0.5, 0.25], [0.0, 1.0]]), np.array([[0.0, 0.0], [2.0, 0.0]])
    coarse = np.zeros((2, 2, 1, 2))
    coarse[1] = np.array([[0.3, 0.5], [0.2, 0.2]])[:, None]
    change = common_change(coarse)
    made = SurfaceFilter(np.arange(2), change, common, places, np.array([1.0, 2.0])).surface(coarse)
    np.testing.assert_allclose(made.mean(axis=0)[:, 0], [[1.15, 1.25], [2.1, 2.1]])
    step = (made[1] - made[0])[:, 0]
    np.testing.assert_allclose(step[0], 0.5 * 0.4 + 0.25 * 0.2)
    np.testing.assert_allclose(step[1], 0.2 + 2 * np.array([-0.1, 0.1]))


def test_a_part_of_the_area_with_what_the_whole_taught_is_the_part_of_the_whole() -> None:
    given = season()
    found = learned(given).surface
    assert found is not None
    part = (..., slice(1, None), slice(1, 3))
    np.testing.assert_array_equal(found.surface(given.coarse[part]), found.surface(given.coarse)[part])


def test_what_was_learned_on_other_days_is_refused() -> None:
    given = season()
    settings = learned(given)
    fewer = replace(given, coarse=given.coarse[1:], coarse_days=given.coarse_days[1:])
    with pytest.raises(ValueError, match="hyperparameters are of coarse images of other days"):
        fewer.fuse(START, hyperparameters=settings)


def stack(given: Season) -> SeasonStack:
    near = np.full((len(given.fine), HEIGHT, WIDTH), 255, np.float32)
    fine, coarse = given.fine.astype(np.float32), given.coarse.astype(np.float32)
    return SeasonStack(fine, given.fine_days, near, coarse, given.coarse_days, RATIO)


def test_gcc_of_itself_is_drawn_along_by_the_surface_of_its_bands() -> None:
    bands = stack(season())
    own = bands.gcc
    np.testing.assert_array_equal(own.coarse, gcc_image(bands.coarse), err_msg="EFAST takes the series as it is")
    images = (bands.coarse, bands.coarse_days, bands.fine, bands.fine_days, RATIO, bands.snow_flags)
    expected = np.clip(gcc_image(surface_coarse(*images)), *np.quantile(own.fine, SEEN).astype(np.float32))
    np.testing.assert_array_equal(own.drift, expected)
    np.testing.assert_array_equal(own.kriging_plan.images.coarse, own.drift)


def test_gcc_of_dark_ground_stays_within_what_scenes_show() -> None:
    given = season()
    dark = np.ones((HEIGHT, WIDTH))
    dark[0, :2] = 0.08
    bands = stack(replace(given, coarse=given.coarse * dark, fine=given.fine * np.kron(dark, np.ones((RATIO, RATIO)))))
    own = bands.gcc
    assert np.nanmin(own.drift) >= own.fine.min()
    assert np.nanmax(own.drift) <= own.fine.max()


def test_the_drift_of_a_part_is_a_part_of_the_drift() -> None:
    own = stack(season()).gcc
    part, _, _ = own.around(5, 5, 0)
    assert part.drift.shape == part.coarse.shape
    assert part.cut_from is not None
    rows, columns = part.cut_from[1].rows, part.cut_from[1].columns
    np.testing.assert_array_equal(part.drift, own.drift[..., rows, columns])


def test_scenes_that_are_withheld_teach_the_drift_of_gcc_nothing() -> None:
    bands = stack(season())
    left = np.abs(SCENES - DAYS // 2) > 30
    np.testing.assert_array_equal(bands.gcc.scenes(left).drift, bands.scenes(left).gcc.drift)
