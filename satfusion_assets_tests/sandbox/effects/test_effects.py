"""Each effect of the hard landscape has the size that its module names, and none of them touches the plain one."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import ndimage

from satfusion_assets.sandbox.camera import SyntheticCamera
from satfusion_assets.sandbox.catalogue import Catalogue
from satfusion_assets.sandbox.effects import HARD, PLAIN, Effects, brdf, processor, registration, season, terrain
from satfusion_assets.sandbox.effects import camera as stand
from satfusion_assets.sandbox.geometry import Cells
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.scene import Renderer
from satfusion_assets.sandbox.sentinel3 import Olci
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.sandbox.weather import Weather
from satfusion_assets_tests.sandbox.conftest import SITES

SITE = SITES["innsbruck"]
JULY = (date(2024, 7, 1), date(2024, 7, 31))


def landscape(*names: str, seed: int = 1) -> Landscape:
    return Landscape(SITE, seed, Effects(**dict.fromkeys(names, True)))


def cover_mean(world: Landscape, cover: Cover, day: date) -> np.ndarray:
    """(4,): mean snow-free reflectance of a cover."""
    return world.whole.canopy(day)[:, world.whole.land_cover == cover].mean(axis=1)


def test_the_plain_landscape_is_what_it_was_before_there_were_effects() -> None:
    means = Landscape(SITE, 1).whole.reflectance(date(2024, 5, 3)).mean(axis=1, dtype=np.float64)
    np.testing.assert_allclose(means, PLAIN_MEANS, rtol=1e-6)


PLAIN_MEANS = (0.09062319164188455, 0.11368477066852883, 0.11136420539724282, 0.30940286314495724)
"""Blue, green, red and near infrared of all cells on 3 May 2024, from the release without effects."""


def test_a_landscape_is_named_or_put_together_from_effects() -> None:
    assert Effects.parse("plain") == PLAIN == Effects()
    assert Effects.parse("hard") == HARD
    assert Effects.parse("brdf, terrain") == Effects(brdf=True, terrain=True)
    assert [str(Effects.parse(name)) for name in ("plain", "hard", "brdf")] == ["plain", "hard", "brdf"]
    assert set(HARD.names) == {field.name for field in fields(Effects)}
    with pytest.raises(ValueError, match="no landscape 'fog'"):
        Effects.parse("brdf,fog")


def test_scenes_lie_off_by_a_third_of_a_pixel_each_in_its_own_way() -> None:
    for pixel in (10.0, 300.0):
        offsets = np.array([registration.offset(pixel, 1, "site", f"scene {i}") for i in range(2000)])
        assert np.sqrt((offsets**2).sum(axis=1).mean()) == pytest.approx(pixel / 3, rel=0.05)
        assert np.abs(offsets.mean(axis=0)).max() < 0.02 * pixel


def test_a_displaced_image_shows_what_lies_as_far_to_the_west_and_south() -> None:
    cells = Cells.of(SITE)
    east, north = cells.coordinates
    ramp = (east - east.mean() + 3 * (north - north.mean())).astype(np.float32)
    inner = np.zeros((cells.core_size,) * 2, bool)
    inner[3:-3, 3:-3] = True
    moved = registration.displaced(ramp, cells, 4.0, -2.0)[: inner.size].reshape(inner.shape)
    expected = ramp[: inner.size].reshape(inner.shape) - 4.0 + 3 * 2.0
    np.testing.assert_allclose(moved[inner], expected[inner], atol=0.02)


def test_a_sentinel_2_image_is_found_where_its_offset_says() -> None:
    plain, off = Renderer(landscape()), Renderer(landscape("misregistration"))
    product = Catalogue(plain.landscape).products("sentinel-2-l2a", *JULY)[0]
    cells = plain.landscape.cells
    side = cells.core_size
    straight, moved = (r.observed(product, "nir")[: side * side].reshape(side, side) for r in (plain, off))
    gradient_north, gradient_east = np.gradient(ndimage.uniform_filter(straight, 3), 10)
    design = np.stack([-gradient_east.ravel(), gradient_north.ravel()], axis=1)
    found = np.linalg.lstsq(design, (moved - straight).ravel(), rcond=None)[0]
    expected = registration.offset(10, 1, SITE.name, product.entropy)
    np.testing.assert_allclose(found, expected, rtol=0.5, atol=0.8)


def test_the_kernels_have_the_values_of_their_formulas() -> None:
    assert brdf.kernels(0, 0, 0) == pytest.approx((0, 0), abs=1e-12)
    # Sun at 45 degrees, view from nadir: cos(phase) = cos 45, worked out by hand from the paper's equations.
    volume = (np.pi / 4 * np.sqrt(0.5) + np.sqrt(0.5)) / (np.sqrt(0.5) + 1) - np.pi / 4
    assert brdf.kernels(45, 0, 0)[0] == pytest.approx(volume)
    assert brdf.kernels(45, 0, 0)[1] == pytest.approx(-1.1068, abs=2e-3)
    # The hot spot: no shadow is seen, so the geometric kernel is at its highest.
    assert brdf.kernels(45, 45, 0)[1] == pytest.approx(2.0 - np.sqrt(2) * 2 + np.sqrt(2), abs=1e-6)


def test_back_scatter_is_brighter_than_forward_scatter_by_what_the_weights_say() -> None:
    back, forward = (brdf.factors(("red", "nir08"), 35, 10, azimuth) for azimuth in (0, 180))
    assert np.all(back > forward)
    # Across Sentinel-2's swath the view changes reflectance by 0.01 to 0.02 in the infrared (Roy et al. 2017).
    assert 0.02 < back[1] / forward[1] - 1 < 0.15
    assert brdf.factors(("red",), brdf.REFERENCE_SUN, 0, 0)[0] == pytest.approx(1)


def test_sentinel_3_looks_aslant_at_the_edge_of_its_swath() -> None:
    assert brdf.coarse_view(0, 635)[0] == 0
    assert brdf.coarse_view(1, 635)[0] == pytest.approx(43, abs=2)
    assert brdf.coarse_view(1, 635)[1] - brdf.coarse_view(-1, 635)[1] == 180


def test_both_sensors_see_the_factor_of_their_angles() -> None:
    plain, with_brdf = Olci(landscape()), Olci(landscape("brdf"))
    ratios = []
    for i in range(20):
        for overpass in plain.overpasses(date(2024, 7, 1) + timedelta(i)):
            a, b = plain.swath(overpass).ground, with_brdf.swath(overpass).ground
            ratios.append(float((b[-1] / a[-1]).mean()))
    assert 0.05 < np.ptp(ratios) < 0.5


def test_a_slope_gets_the_light_of_its_angle_and_flat_ground_all_of_it() -> None:
    cells = Cells.of(SITE)
    east, _ = cells.coordinates
    flat = terrain.Terrain(cells, np.zeros(east.size, np.float32))
    np.testing.assert_allclose(flat.factor("red", 40, 170), 1, atol=1e-6)
    # A plane that rises to the east at 20 degrees, with the sun in the west at 50: it stands at 70 to the rays.
    plane = terrain.Terrain(cells, (np.tan(np.radians(20)) * (east - east.min())).astype(np.float32))
    expected = np.sin(np.radians(70)) / np.sin(np.radians(50))
    assert np.median(plane.direct(50, 270)) == pytest.approx(expected, rel=1e-3)
    assert np.median(plane.direct(15, 90)) == 0


def test_a_ridge_casts_its_shadow_away_from_the_sun_as_far_as_the_sun_is_low() -> None:
    cells = Cells.of(SITE)
    east, _ = cells.coordinates
    middle = (east.min() + east.max()) / 2
    ridge = terrain.Terrain(cells, np.where(np.abs(east - middle) < 60, 300, 0).astype(np.float32))
    shaded = ridge.shaded(20, 270)
    row = shaded[shaded.shape[0] // 2]
    assert row.sum() * 60 == pytest.approx(300 / np.tan(np.radians(20)), abs=120)
    assert np.flatnonzero(row).min() > shaded.shape[1] // 2 - 2


@pytest.mark.parametrize("band", ["blue", "nir08"])
def test_the_sky_gives_a_tenth_to_a_quarter_of_the_light(band: str) -> None:
    assert 0.04 < terrain.diffuse_share(band, 45) < 0.3
    assert terrain.diffuse_share(band, 15) > terrain.diffuse_share(band, 45)


def test_a_few_scenes_have_a_wrong_stretch_of_two_to_three_standard_deviations() -> None:
    slips = [processor.slip(Effects(stretch=True), 1, f"scene {i}") for i in range(4000)]
    wrong = [slip for slip in slips if slip.gain != 1]
    assert len(wrong) / len(slips) == pytest.approx(processor.STRETCH_SHARE, rel=0.2)
    assert {slip.haze for slip in slips} == {0.0}
    assert all(0.0999 <= abs(slip.gain - 1) <= 0.1501 for slip in wrong)
    assert all(slip.bias == pytest.approx(0.1 * (slip.gain - 1)) for slip in wrong)


def test_a_tenth_of_the_scenes_has_haze_left_in_it() -> None:
    depths = np.array([processor.slip(Effects(residual_haze=True), 1, f"scene {i}").haze for i in range(4000)])
    assert (depths > 0).mean() == pytest.approx(processor.HAZE_SHARE, rel=0.15)
    assert depths[depths > 0].min() >= 0.10
    assert depths.max() <= 0.20


def year_with(kind: str, names: tuple[str, ...]) -> tuple[Landscape, Landscape, int, float]:
    """Landscapes without and with an effect, and a year and day (of year, from 0) at which it strikes."""
    plain, struck = landscape(), landscape(*names)
    for year in range(2016, 2026):
        day = getattr(struck.year(year).events, kind)
        if day is not None:
            return plain, struck, year, day
    raise AssertionError(f"no {kind} in ten years")


def test_a_drought_takes_half_of_the_grass_and_less_of_the_trees() -> None:
    plain, dry, year, day = year_with("drought", ("drought",))
    height = date(year, 1, 1) + timedelta(round(day))
    for cover, loss in ((Cover.GRASS, 0.5), (Cover.BROADLEAF, 0.15)):
        before, after = (world.whole.greenness(height)[world.whole.land_cover == cover] for world in (plain, dry))
        assert 1 - after.mean() / before.mean() == pytest.approx(loss, abs=0.05)
    winter = date(year, 1, 20)
    np.testing.assert_array_equal(plain.whole.canopy(winter), dry.whole.canopy(winter))


def test_a_late_frost_takes_two_fifths_of_the_young_leaves_which_come_again() -> None:
    plain, cold, year, day = year_with("frost", ("late_frost",))
    trees = plain.whole.land_cover == Cover.BROADLEAF
    lost = {}
    for after in (-2, 2, 20, 60):
        when = date(year, 1, 1) + timedelta(round(day) + after)
        lost[after] = 1 - float(cold.whole.greenness(when)[trees].mean() / plain.whole.greenness(when)[trees].mean())
    assert lost[-2] == 0
    assert lost[2] == pytest.approx(0.4, abs=0.04)
    assert lost[20] == pytest.approx(0.2, abs=0.04)
    assert abs(lost[60]) < 0.01


def test_a_second_flush_greens_the_fields_again_in_two_of_five_patches() -> None:
    plain, again = landscape(), landscape("second_flush")
    crop = plain.whole.land_cover == Cover.CROP
    days = [date(2024, 1, 1) + timedelta(n) for n in range(160, 340, 5)]
    gain = np.max([again.whole.greenness(d)[crop] - plain.whole.greenness(d)[crop] for d in days], axis=0)
    assert gain.max() == pytest.approx(season.FLUSH[Cover.CROP], abs=0.05)
    flushing = again.year(2024).events.flushing
    assert flushing.mean() == pytest.approx(season.FLUSH_SHARE, abs=0.06)


def test_leaves_turn_and_their_gcc_falls_below_that_of_the_bare_canopy() -> None:
    plain, coloured = landscape(), landscape("autumn_colour")
    days = [date(2024, 9, 1) + timedelta(n) for n in range(0, 90, 3)]

    def lowest(world: Landscape) -> float:
        means = [cover_mean(world, Cover.BROADLEAF, day) for day in days]
        return min(float(mean[1] / mean[:3].sum()) for mean in means)

    summer = date(2024, 7, 1)
    assert lowest(plain) - lowest(coloured) > 0.012
    np.testing.assert_allclose(
        cover_mean(coloured, Cover.BROADLEAF, summer), cover_mean(plain, Cover.BROADLEAF, summer), rtol=0.05
    )


def test_wet_soil_is_darker_by_up_to_a_third_where_it_lies_open() -> None:
    plain, wet = landscape(), landscape("wetness")
    days = [date(2024, 1, 1) + timedelta(n) for n in range(366)]
    soaked = max(days, key=plain.weather.wetness)
    ratio = wet.whole.canopy(soaked) / plain.whole.canopy(soaked)
    bare, water = (plain.whole.land_cover == cover for cover in (Cover.BARE, Cover.WATER))
    expected = 1 - season.SOIL_DARKENING * plain.weather.wetness(soaked) * wet.soaking[bare]
    np.testing.assert_allclose(ratio[0][bare], expected, rtol=1e-4)
    assert ratio[:, bare].min() < 0.75
    np.testing.assert_array_equal(ratio[:, water], 1)
    assert 0.0 <= min(plain.weather.wetness(day) for day in days) < 0.2
    assert isinstance(plain.weather, Weather)


def test_near_ground_fills_more_of_an_oblique_picture() -> None:
    weights = stand.footprint(np.array([20.0, 40.0, 200.0]))
    assert weights.sum() == pytest.approx(1)
    assert weights[0] / weights[1] == pytest.approx(((100 + 1600) / (100 + 400)) ** 1.5)
    near, even = (SyntheticCamera(landscape(*names), *JULY) for names in (("oblique",), ()))
    roi = even.rois[0]
    distance = np.hypot(even._views[roi.cover].east, even._views[roi.cover].north)
    assert near._pooled(roi, distance) < 0.7 * even._pooled(roi, distance)


def test_the_white_balance_drifts_slowly_by_its_spread() -> None:
    days = [date(2001, 1, 1) + timedelta(n) for n in range(0, 365 * 40, 20)]
    drift = np.array([stand.drift(1, "site", day) for day in days])
    assert drift.std() == pytest.approx(stand.DRIFT, rel=0.15)
    steps = np.diff([stand.drift(1, "site", days[0] + timedelta(n)) for n in range(2000)])
    assert np.abs(steps).max() < stand.DRIFT * 0.15
    even, drifting = (SyntheticCamera(landscape(*names), *JULY) for names in ((), ("white_balance",)))
    roi, day = even.rois[0], date(2024, 7, 5)
    assert drifting.shot(roi, day).gcc - even.shot(roi, day).gcc == pytest.approx(stand.drift(1, SITE.name, day))


def test_the_cameras_field_lies_some_metres_from_its_coordinate() -> None:
    far = [np.hypot(*stand.displacement(seed, SITE.name)) for seed in range(200)]
    assert stand.DISPLACEMENT[0] <= min(far)
    assert max(far) <= stand.DISPLACEMENT[1]
    moved = landscape("displaced_field")
    view = moved.field(moved.main)
    centre = np.array([view.east.mean(), view.north.mean()])
    np.testing.assert_allclose(centre, stand.displacement(1, SITE.name), atol=15)
