"""Snow in coarse pixels: told from soil, haze and low sun by the pixel's own snow-free days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.fusion.efast import fuse
from satfusion_assets.screening.snow import SnowLooks, SnowRule, snow_share, snowy

RULE = SnowRule()
YEAR = np.arange(np.datetime64("2024-01-01"), np.datetime64("2025-01-01"))
MELT = np.datetime64("2024-04-10")
GRASS = np.array([0.10, 0.10, 0.07, 0.30], np.float32)
FRESH_SNOW = np.array([0.80, 0.78, 0.75, 0.65], np.float32)


def looks(every: int = 5, snow: float = 0.0) -> SnowLooks:
    """A scene every few days over one coarse pixel; ``snow`` is the share of ground under snow until the melt."""
    days = YEAR[::every]
    return SnowLooks(days, np.where(days < MELT, snow, 0.0)[:, None, None])


def season(share_of_snow: float = 0.0) -> np.ndarray:
    """(366, 4, 1, 1): grass with that share of snow until the melt."""
    share = np.where(YEAR < MELT, share_of_snow, 0.0)[:, None]
    return (share * FRESH_SNOW + (1 - share) * GRASS)[:, :, None, None].astype(np.float32)


@pytest.mark.parametrize("share", [0.08, 0.3, 1.0])
def test_a_pixel_whiter_than_it_ever_is_without_snow_is_snow(share: float) -> None:
    flagged = snowy(season(share), YEAR, looks(snow=share))[:, 0, 0]
    assert flagged[YEAR < MELT].all()
    assert not flagged[YEAR >= MELT].any()


def test_snow_that_no_scene_classified_is_found_by_the_days_that_were_seen_without() -> None:
    """Thin snow passes the classification, and the slope beside the site has none: only its whiteness tells."""
    flagged = snowy(season(0.25), YEAR, looks(snow=0.0))[:, 0, 0]
    assert not flagged.any(), "held against itself, a third of the year is no exception"
    short = season(0.25)
    short[(YEAR >= MELT) | (np.datetime64("2024-03-20") > YEAR)] = GRASS[:, None, None]
    assert snowy(short, YEAR, looks(snow=0.0))[:, 0, 0].sum() == 21


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ploughed soil", (0.02, 0.04, 0.10, -0.05)),
        ("haze", (0.08, 0.05, 0.025, 0.0)),
        ("low sun", (0.09, 0.05, 0.03, 0.0)),
        ("green-up", (-0.02, 0.05, -0.03, 0.2)),
    ],
)
def test_what_is_not_white_is_no_snow(name: str, change: tuple[float, ...]) -> None:
    values = season()
    values[300:] += np.array(change, np.float32)[:, None, None]
    assert not snowy(values, YEAR, looks()).any(), name


def test_bright_ground_is_held_against_itself() -> None:
    """A salt pan is as white as snow all year."""
    values = np.broadcast_to(FRESH_SNOW[:, None, None], (len(YEAR), 4, 1, 1)).astype(np.float32)
    assert not snowy(values, YEAR, looks()).any()


def test_a_pixel_that_was_hardly_seen_without_snow_is_not_judged() -> None:
    glacier = SnowLooks(YEAR[::5], np.full((len(YEAR[::5]), 1, 1), 0.9))
    assert not snowy(season(1.0), YEAR, glacier).any()
    nothing = SnowLooks(YEAR[:0], np.empty((0, 1, 1)))
    assert not snowy(season(1.0), YEAR, nothing).any()


def test_days_far_from_any_scene_are_no_reference() -> None:
    """Snow came and went while no scene looked: its days do not count as snow-free."""
    values, seen = season(), looks()
    unseen = (np.datetime64("2024-01-10") < YEAR) & (np.datetime64("2024-05-10") > YEAR)
    values[unseen] = FRESH_SNOW[:, None, None]
    apart = SnowLooks(seen.days[~unseen[::5]], seen.share[~unseen[::5]])
    flagged = snowy(values, YEAR, apart)[:, 0, 0]
    assert (flagged == unseen).all()


def test_missing_is_not_snow() -> None:
    values = season(0.5)
    values[10] = np.nan
    assert not snowy(values, YEAR, looks(snow=0.5))[10].any()


@given(st.permutations(range(40)), st.permutations(range(20)))
def test_the_order_of_images_and_scenes_does_not_matter(images: list[int], scenes: list[int]) -> None:
    random = np.random.default_rng(1)
    days = np.datetime64("2024-02-01") + random.integers(0, 60, 40)
    values = random.uniform(0.05, 0.4, (40, 4, 2, 2)).astype(np.float32)
    seen = SnowLooks(
        np.datetime64("2024-02-01") + random.integers(0, 60, 20), random.choice([0.0, 0.5, np.nan], (20, 2, 2))
    )
    shuffled = SnowLooks(seen.days[scenes], seen.share[scenes])
    np.testing.assert_array_equal(
        snowy(values[images], days[images], shuffled, SnowRule(least_reference=2)),
        snowy(values, days, seen, SnowRule(least_reference=2))[images],
    )


def test_snow_beside_a_coarse_pixel_counts() -> None:
    """A site of 1x2 coarse pixels with its rim; snow fills the rim's north-east corner."""
    scl = np.full((3 * 15, 4 * 15), 4, np.uint8)
    scl[:15, 45:] = 11
    np.testing.assert_allclose(snow_share(scl), [[0.0, 1.0]])


def test_clouds_say_nothing_of_the_ground() -> None:
    scl = np.full((45, 45), 9, np.uint8)
    assert np.isnan(snow_share(scl)).all()
    scl[15:22, 15:30] = np.repeat([11, 4], 15 * 7 // 2 + 1)[: 15 * 7].reshape(7, 15)
    assert snow_share(scl)[0, 0] == pytest.approx(0.5, abs=0.01)


def test_the_melt_beside_a_fine_pixel_is_no_change_of_its_own() -> None:
    """Fine pixels without snow stay as they are while the snow in their coarse pixel melts."""
    coarse = season(0.3)
    coarse += np.random.default_rng(0).normal(0, 0.001, coarse.shape).astype(np.float32)
    scenes = YEAR[[95, 105, 115, 125]]
    fine = np.broadcast_to(GRASS[:, None, None], (4, 4, 2, 2)).astype(np.float32)
    distance = np.full((4, 1, 1), 255, np.float32)
    around = YEAR[95:125]

    def error(images: np.ndarray) -> float:
        kept = np.isfinite(images).all(axis=(1, 2, 3))
        fused = fuse(around, images[kept], YEAR[kept], fine, scenes, distance, ratio=2)
        return float(np.abs(fused.values - fine[0]).max())

    assert error(coarse) > 0.05
    screened = np.where(snowy(coarse, YEAR, looks(snow=0.3))[:, None], np.float32(np.nan), coarse)
    assert error(screened) < 0.01
