"""Sites and seasons are data; whatever cannot be used gets one sentence that names it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.errors import InvalidInput, InvalidSitesFile, UnknownSeason, UnknownSite
from satfusion_assets.grid import site_grid, utm_epsg
from satfusion_assets.sites import Site, SiteRegistry, SiteSeason, make_site

THESIS_SITES = ["innsbruck", "forthgr", "pitsalu", "vindeln2", "sunflowerjerez1", "institutekarnobat"]


@pytest.fixture
def registry(tmp_path: Path) -> SiteRegistry:
    return SiteRegistry.load(tmp_path / "data" / "sites.geojson")


def test_a_new_data_root_starts_with_the_sites_of_the_thesis(registry: SiteRegistry) -> None:
    assert [site.name for site in registry.sites] == THESIS_SITES
    assert registry.site("innsbruck").seasons == (2020, 2024)


def test_a_written_registry_reads_back_the_same(registry: SiteRegistry) -> None:
    site = Site(name="ICOSFR-Fon1", latitude=48.476, longitude=2.780, seasons=(2023,), extent_m=3000, continuous=True)
    written = registry.add(site)
    assert SiteRegistry.load(registry.path).sites == written.sites
    assert SiteRegistry.load(registry.path).site("ICOSFR-Fon1") == site
    removed = written.remove("innsbruck")
    assert "innsbruck" not in [item.name for item in removed.sites]


def test_a_typo_suggests_the_site_that_was_meant(registry: SiteRegistry) -> None:
    with pytest.raises(UnknownSite, match="'insbruck' is not in .*; did you mean innsbruck?"):
        registry.site("insbruck")


def test_a_season_that_is_not_registered_says_which_are(registry: SiteRegistry) -> None:
    with pytest.raises(
        UnknownSeason, match=r"Season 2022 is not registered for site innsbruck \(registered: 2020, 2024\)"
    ):
        registry.site_season("innsbruck", 2022)


@pytest.mark.parametrize(
    "key", ["innsbruck", "innsbruck_24", "inns bruck_2024", "a|b_2024", "a...b_2024", "_2024", "a/b_2024"]
)
def test_a_key_that_dagster_would_lose_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        SiteSeason.parse(key)


@given(st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True), st.integers(2015, 2026))
def test_a_key_names_its_site_and_season(name: str, season: int) -> None:
    assert SiteSeason.parse(SiteSeason(name, season).key) == SiteSeason(name, season)


def test_latitude_out_of_range_names_the_site_and_the_value() -> None:
    with pytest.raises(
        InvalidInput, match=r"Site nowhere: latitude is 91\.0: Input should be less than or equal to 84"
    ):
        make_site("Site nowhere", name="nowhere", latitude=91.0, longitude=0.0)


def feature(**properties: object) -> dict[str, object]:
    given_properties = {"sitename": "here", "seasons": {"2024": {}}} | properties
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [11.0, 47.0]},
        "properties": given_properties,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{not json", r"sites\.geojson is not valid JSON \(line 1"),
        ("[]", "is not a GeoJSON FeatureCollection"),
        (json.dumps({"features": [{"properties": {}}]}), "feature 0: .* is missing or malformed"),
        (json.dumps({"features": [feature(sitename="a b")]}), "feature 0: Site name 'a b' cannot be used"),
        (json.dumps({"features": [feature(seasons={"1980": {}})]}), "site here: Season 1980 is out of range"),
        (json.dumps({"features": [feature(extent_m=1000)]}), "site here: extent_m is 1000: .*multiple of 300"),
        (json.dumps({"features": [feature(), feature()]}), "lists site 'here' more than once"),
    ],
)
def test_a_malformed_file_is_named_with_the_place(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "sites.geojson"
    path.write_text(content)
    with pytest.raises((InvalidSitesFile, InvalidInput), match=says):
        SiteRegistry.load(path)
    assert path.read_text() == content


@given(latitude=st.floats(-79, 83), longitude=st.floats(-180, 179.9))
def test_a_site_grid_holds_the_site_and_nests_in_sentinel_2_pixels(latitude: float, longitude: float) -> None:
    site = Site(name="any", latitude=latitude, longitude=longitude)
    grid = site_grid(site)
    assert grid.epsg == utm_epsg(latitude, longitude)
    assert tuple(grid.fine.shape) == (150, 150)
    assert tuple(grid.coarse.shape) == (5, 5)
    assert tuple(grid.scl.shape) == (525, 525)
    corner = grid.fine.boundingbox
    assert grid.coarse.boundingbox == corner
    assert corner.left % 60 == corner.top % 60 == 0
    assert grid.scl.boundingbox.left == corner.left - 4500
    centre = grid.fine.geographic_extent.boundingbox
    assert centre.bottom < latitude < centre.top


def test_a_southern_site_lies_in_a_southern_zone() -> None:
    assert utm_epsg(-33.9, 18.4) == 32734
    assert utm_epsg(47.1, 11.3) == 32632
