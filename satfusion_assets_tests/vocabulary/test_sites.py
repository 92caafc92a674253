"""Sites and seasons are data; whatever cannot be used gets one sentence that names it."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.archives.earth_search.scenes import tile_epsg
from satfusion_assets.vocabulary.errors import InvalidInput, InvalidSitesFile, StoreFull, UnknownSeason, UnknownSite
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.sites import Site, SiteRegistry, SiteSeason, make_site
from satfusion_assets.vocabulary.utm import utm_epsg

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


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,19}", fullmatch=True), st.integers(2015, 2026))
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
        *(
            (
                json.dumps({"features": [feature(sitename=name)]}),
                "feature 0: Site name .* (cannot be used|has|is the name)",
            )
            for name in (
                ".x",
                ".satfusion",
                "-rf",
                "a..b",
                "a.",
                "tables",
                "Tables",
                "sites.geojson",
                "x" * 300,
                "é",
                "",
            )
        ),
        (json.dumps({"features": [feature(extent_m=300_000_000)]}), "site here: extent_m is 300000000: .*30000"),
        (json.dumps({"features": [feature(seasons=[2024, 2024])]}), "site here: Season 2024 stands there twice"),
        (json.dumps({"features": [feature(seasons={"2024": {}, "02024": {}})]}), "Season '02024' is missing or malf"),
        (json.dumps({"features": [feature()]}).replace('"2024": {}', '"2024": {}, "2024": {}'), "Season 2024 stands"),
        (json.dumps({"features": [feature(seasons=[float("inf")])]}), "site here: Season inf is missing or malformed"),
        (json.dumps({"features": [feature(seasons=[True])]}), "site here: Season True is missing or malformed"),
        (json.dumps({"features": [feature(seasons="2024")]}), "site here: seasons is str"),
        (json.dumps({"features": [feature(elevation=float("nan"))]}), "site here: elevation is nan"),
        (json.dumps({"features": [feature(description="x" * 9000)]}), "site here: description is 'x"),
        (json.dumps({"features": [feature(vegetation="grass")]}), "site here: vegetation is 'grass'"),
        (json.dumps({"features": [feature(sitename=5)]}), "feature 0: sitename is missing or malformed"),
        (json.dumps({"features": [{**feature(), "geometry": None}]}), "feature 0: geometry is None: .*malformed"),
        (json.dumps({"features": [feature()]}).replace("11.0", "NaN"), "coordinates.0 is nan"),
        (json.dumps({"features": [feature()]}).replace("11.0", '"11.0"'), "coordinates.0 is '11.0'"),
        (json.dumps({"features": [feature()]}).replace("11.0", "1e999"), "coordinates.0 is inf"),
        (json.dumps({"features": [feature()]}).replace("47.0", "147.0"), "site here: latitude is 147.0"),
        (json.dumps({"features": [feature(), feature(sitename="Here")]}), "differs from 'here' in case only"),
        ('{"features": ' + "[" * 100_000, r"sites\.geojson is nested too deep"),
        ('{"features": [' + "1" * 5000 + "]}", r"sites\.geojson is nested too deep or holds endless numbers"),
        ("{not json", r"sites\.geojson is not valid JSON \(line 1"),
        (
            '"site","lat","lon"\n"acadia",44.4,-68.3\n',
            r"is not GeoJSON, it begins with '\"site\",\"lat\",\"lon\".*turn a table",
        ),
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


def collection(*features: object, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features} | more)


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "sites.geojson").mkdir()
    with pytest.raises(InvalidSitesFile, match=r"sites\.geojson cannot be read as a file of sites \(Is a directory\)"):
        SiteRegistry.load(tmp_path / "sites.geojson")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_is_utf_8_with_or_without_a_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "sites.geojson"
    path.write_text(collection(feature(description="Grünau")).encode().decode("unicode_escape"), encoding)
    assert SiteRegistry.load(path).site("here").description == "Grünau"


@pytest.mark.parametrize(
    ("encoding", "says"), [("latin-1", r"not in UTF-8 \(byte 0xfc in line 2\)"), ("utf-16", "in UTF-16")]
)
def test_another_encoding_is_one_sentence_with_the_file(tmp_path: Path, encoding: str, says: str) -> None:
    path = tmp_path / "sites.geojson"
    path.write_bytes('{"features":\n"Grünau"}'.encode(encoding))
    with pytest.raises(InvalidSitesFile, match=rf"^/[^\n]+sites\.geojson is {says}; save it as UTF-8\.$"):
        SiteRegistry.load(path)


def test_properties_with_names_of_ours_are_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    path.write_text(collection(feature(name="other", where="there", latitude="x", longitude=None, seasons=[2024])))
    assert SiteRegistry.load(path).site("here") == Site(name="here", latitude=47, longitude=11, seasons=(2024,))


def test_what_others_keep_in_the_file_stays_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    mine = feature(seasons={"2024": {"note": "hail"}, "2023": {}}, name="other", elevation=5) | {"id": 7}
    path.write_text(collection(mine, crs="somebody's"))
    SiteRegistry.load(path).add_seasons("here", [2025]).add(Site(name="there", latitude=1, longitude=2))
    written = json.loads(path.read_text("utf-8"))
    assert written["crs"] == "somebody's"
    (here, there) = written["features"]
    assert here["id"] == 7
    assert here["properties"]["name"] == "other"
    assert here["properties"]["seasons"] == {"2023": {}, "2024": {"note": "hail"}, "2025": {}}
    assert there["properties"]["sitename"] == "there"


def test_null_is_nothing_as_real_lists_have_it(tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    path.write_text(collection(feature(vegetation_type=None, elevation=None)))
    assert SiteRegistry.load(path).site("here").vegetation_type == ""


def test_a_site_on_the_date_line_is_west_of_it() -> None:
    east, west = (Site(name="fiji", latitude=-16.8, longitude=longitude) for longitude in (180, -180))
    assert east == west
    assert site_grid(east).epsg == 32701


ADDS = 15


def add_sites(path: Path, writer: str) -> None:
    registry = SiteRegistry.load(path)  # as old as the process, as those of long-lived services are
    for number in range(ADDS):
        registry.add(Site(name=f"{writer}{number}", latitude=number, longitude=number))
        registry.add_seasons("shared", [2016 + number // 2] if writer == "a" else [2024])


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    SiteRegistry(path, ()).add(Site(name="shared", latitude=0, longitude=0))
    start = get_context("spawn")
    writers = [start.Process(target=add_sites, args=(path, writer)) for writer in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    registry = SiteRegistry.load(path)
    assert {site.name for site in registry.sites} == {"shared", *(f"{w}{n}" for w in "ab" for n in range(ADDS))}
    assert registry.site("shared").seasons == (*range(2016, 2016 + (ADDS + 1) // 2), 2024)


@pytest.mark.parametrize("depth", [100, 400, 900, 980])
def test_a_deep_property_of_somebody_else_is_kept_or_refused(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "sites.geojson"
    content = collection(feature(note="here")).replace('"here"}}', "[" * depth + "]" * depth + "}}")
    path.write_text(content)
    with suppress(InvalidSitesFile):
        SiteRegistry.load(path).add(Site(name="there", latitude=0, longitude=0))
        content = path.read_text()
    assert path.read_text() == content
    assert content.replace("\n", "").replace(" ", "").count("[" * depth) == 1


def test_a_writer_that_holds_the_file_for_good_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satfusion_assets.vocabulary.sites.registry.LOCK_SECONDS", 0.1)
    path = tmp_path / "sites.geojson"
    with (
        FileLock(tmp_path / ".sites.geojson.lock"),
        pytest.raises(InvalidSitesFile, match="has been held by another writer"),
    ):
        SiteRegistry(path, ()).add(Site(name="here", latitude=0, longitude=0))
    assert not path.exists()


@pytest.mark.parametrize("what", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: int) -> None:
    path = tmp_path / "sites.geojson"
    before = SiteRegistry(path, ()).add(Site(name="here", latitude=0, longitude=0))
    content = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(what, os.strerror(what))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match="nothing was changed"):
        before.remove("here")
    assert path.read_bytes() == content
    assert {file.name for file in tmp_path.iterdir()} <= {"sites.geojson", ".sites.geojson.lock"}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "shared.geojson", tmp_path / "sites.geojson"
    SiteRegistry(real, ()).add(Site(name="here", latitude=0, longitude=0))
    link.symlink_to(real)
    SiteRegistry.load(link).add(Site(name="there", latitude=0, longitude=0))
    assert link.is_symlink()
    assert len(SiteRegistry.load(real).sites) == 2


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


@pytest.mark.parametrize(
    ("latitude", "longitude", "tile"),
    [
        pytest.param(47.26, 11.39, "32TPT", id="Innsbruck"),
        pytest.param(-33.9, 18.4, "34HBH", id="Cape Town"),
        pytest.param(60.39, 5.32, "32VKN", id="Bergen"),
        pytest.param(58.97, 5.73, "32VLL", id="Stavanger"),
        pytest.param(60.0, 2.5, "31VDG", id="North Sea"),
        pytest.param(55.9, 5.0, "31UFB", id="south of the wider zone"),
        pytest.param(64.2, 5.5, "31WFM", id="north of it"),
        pytest.param(79.0, 8.9, "31XFH", id="west of Svalbard"),
        pytest.param(78.92, 11.93, "33XVH", id="Ny-Alesund"),
        pytest.param(80.1, 32.0, "35XNJ", id="Kvitoya"),
        pytest.param(73.0, 40.0, "37XEB", id="Barents Sea"),
    ],
)
def test_a_site_lies_in_the_zone_of_the_tile_that_holds_it(latitude: float, longitude: float, tile: str) -> None:
    """Names as in ESA's list of tiles; in any other zone every image would be warped."""
    assert site_grid(Site(name="any", latitude=latitude, longitude=longitude)).epsg == tile_epsg(tile)
