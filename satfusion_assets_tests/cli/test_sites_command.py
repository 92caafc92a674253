"""``satfusion sites``: no site is moved by accident, and lists of the real world are taken as far as they are good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.errors import InvalidInput, TooCostly, UnknownSeason
from satfusion_assets.vocabulary.sites import SiteRegistry

NOBODY = "http://127.0.0.1:9"
FOREST = {"primary_veg_type": "DB", "site_description": "Fontainebleau-Barbeau, France"}
CAMERA = {"Sitename": "ICOSFR-Fon1", "Lat": 48.4764, "Lon": 2.7801, "sitemetadata": FOREST}
PLACE = ("--lat", "48.4764", "--lon", "2.7801")

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, whose PhenoCam does not answer."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("SATFUSION_PHENOCAM_URL", NOBODY)
    return tmp_path


@pytest.fixture
def phenocam(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A PhenoCam with cameras by name; it knows one."""
    cameras: dict[str, Any] = {"ICOSFR-Fon1": CAMERA}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            camera = cameras.get(self.path.split("/")[3])
            body = json.dumps(camera).encode()
            self.send_response(200 if camera else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests' output is theirs."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("SATFUSION_PHENOCAM_URL", f"http://127.0.0.1:{server.server_port}")
        yield cameras
        server.shutdown()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sits before it."""
    monkeypatch.setattr("satfusion_assets.cli.sites.at_terminal", lambda: True)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sites", *arguments])  # type: ignore[return-value]


def run(*arguments: str) -> str:
    """What the command says; its error when it has one."""
    result = invoke(*arguments)
    if result.exception is not None:
        raise result.exception
    return " ".join(result.output.split())


def registry() -> SiteRegistry:
    return Platform().registry


def partitions() -> set[str]:
    with dg.DagsterInstance.get() as instance:
        return set(instance.get_dynamic_partitions(SITE_SEASON))


def test_a_site_near_its_camera_is_registered_without_a_word_more(phenocam: dict[str, Any], terminal: None) -> None:
    given = ("--vegetation-type", "Deciduous Broadleaf", "--description", "an oak forest")
    says = run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023", *given)
    assert says == (
        "ICOSFR-Fon1: seasons 2023; materialise them in the UI or with 'satfusion materialize ICOSFR-Fon1 2023'."
    )
    assert "ICOSFR-Fon1_2023" in partitions()


def test_a_known_site_takes_seasons_and_stays_where_it_is(phenocam: dict[str, Any]) -> None:
    run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023")
    run("add", "ICOSFR-Fon1", "--season", "2024", "--lat", "48.47640001", "--lon", "2.7801")
    site = registry().site("ICOSFR-Fon1")
    assert (site.latitude, site.longitude, site.seasons) == (48.4764, 2.7801, (2023, 2024))


@pytest.mark.parametrize("place", [("--lat", "48.5"), ("--lon", "2.9"), ("--lat", "48.5", "--lon", "2.9")])
def test_a_known_site_is_never_moved_unless_asked(phenocam: dict[str, Any], place: tuple[str, ...]) -> None:
    run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023")
    before = registry().path.read_bytes()
    with pytest.raises(
        InvalidInput, match=r"ICOSFR-Fon1 moves [\d.]+ k?m, from 48\.47640, 2\.78010 .* only with --move"
    ):
        run("add", "ICOSFR-Fon1", "--season", "2024", *place)
    assert registry().path.read_bytes() == before


def test_a_move_says_which_products_become_stale(phenocam: dict[str, Any]) -> None:
    run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023", "--season", "2024")
    for name in ("raw_s2", "raw_phenocam"):
        with Platform().store.publish(Product(name, registry().site_season("ICOSFR-Fon1", 2023))) as draft:
            draft.write_json(f"raw/{name}.json", {})
    says = run("add", "ICOSFR-Fon1", "--lat", "48.4770", "--lon", "2.7801", "--move")
    assert "ICOSFR-Fon1 moves 67 m, from 48.47640, 2.78010 to 48.47700, 2.78010." in says
    assert "Stale now, of the old place: ICOSFR-Fon1_2023 (raw_s2). Materialise them again." in says
    assert registry().site("ICOSFR-Fon1").latitude == 48.477


DOUBTFUL = {
    "swapped": (("--lat", "2.7801", "--lon", "48.4764"), "latitude and longitude swapped"),
    "far": (("--lat", "48.4864", "--lon", "2.7801"), "lies 1.1 km from where PhenoCam has camera ICOSFR-Fon1"),
}


@pytest.mark.parametrize(("place", "says"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_place_is_refused_on_a_terminal_without_yes(
    phenocam: dict[str, Any], terminal: None, place: tuple[str, ...], says: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"{says}.* add --yes when they are right\.$"):
        run("add", "ICOSFR-Fon1", *place, "--season", "2023")
    assert registry().get("ICOSFR-Fon1") is None
    assert says in run("add", "ICOSFR-Fon1", *place, "--season", "2023", "--yes")
    assert registry().get("ICOSFR-Fon1") is not None


@pytest.mark.parametrize(("place", "says"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_script_is_warned_of_a_doubtful_place(phenocam: dict[str, Any], place: tuple[str, ...], says: str) -> None:
    said = run("add", "ICOSFR-Fon1", *place, "--season", "2023")
    assert "Warning: " in said
    assert says in said


@pytest.mark.parametrize(("camera", "why"), [({}, "knows no camera"), ({"ICOSFR-Fon1": {"Lat": None}}, "does not say")])
def test_a_place_that_cannot_be_checked_is_said(
    phenocam: dict[str, Any], terminal: None, camera: dict[str, Any], why: str
) -> None:
    phenocam.clear()
    phenocam.update(camera)
    assert f"The position was not checked: PhenoCam {why}" in run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023")


def test_an_archive_that_does_not_answer_is_said_and_stops_nobody(terminal: None) -> None:
    says = run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023")
    assert "The position was not checked: PhenoCam did not answer http://127.0.0.1:9/api/cameras/ICOSFR-Fon1/" in says
    assert registry().site("ICOSFR-Fon1").seasons == (2023,)


def test_numbers_that_are_positions_only_the_other_way_round_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"--lat 148\.15 is no latitude, --lon -35\.65 would be one"):
        run("add", "tumbarumba", "--lat", "148.15", "--lon", "-35.65", "--season", "2023")


def test_a_new_site_may_take_its_place_from_phenocam(phenocam: dict[str, Any]) -> None:
    assert "position 48.47640, 2.78010, where PhenoCam has the camera" in run("add", "ICOSFR-Fon1", "--season", "2023")
    assert registry().site("ICOSFR-Fon1").longitude == 2.7801


def test_a_new_site_takes_vegetation_and_description_from_phenocam_unless_they_are_given(
    phenocam: dict[str, Any],
) -> None:
    says = run("add", "ICOSFR-Fon1", "--season", "2023", "--description", "an oak forest")
    assert "ICOSFR-Fon1: Deciduous Broadleaf, as PhenoCam says." in says
    site = registry().site("ICOSFR-Fon1")
    assert (site.vegetation_type, site.description) == ("Deciduous Broadleaf", "an oak forest")
    phenocam["ICOSFR-Fon1"] = CAMERA | {"sitemetadata": FOREST | {"primary_veg_type": "GR"}}
    run("add", "ICOSFR-Fon1", "--season", "2024")
    assert registry().site("ICOSFR-Fon1").vegetation_type == "Deciduous Broadleaf", "a known site keeps what it is"


@pytest.mark.parametrize("code", ["NA", "", None, "XX", 7])
def test_a_vegetation_that_phenocam_has_no_name_for_is_left_empty(phenocam: dict[str, Any], code: Any) -> None:
    phenocam["ICOSFR-Fon1"] = CAMERA | {"sitemetadata": FOREST | {"primary_veg_type": code}}
    run("add", "ICOSFR-Fon1", "--season", "2023")
    assert registry().site("ICOSFR-Fon1").vegetation_type == ""
    assert registry().site("ICOSFR-Fon1").description == FOREST["site_description"]


def test_a_new_site_without_a_place_says_what_is_needed() -> None:
    with pytest.raises(
        InvalidInput, match=r"Site nowhere is new: give its position with --lat and --lon\. PhenoCam did"
    ):
        run("add", "nowhere", "--season", "2023")
    with pytest.raises(InvalidInput, match="Site nowhere is new: give at least one --season"):
        run("add", "nowhere", *PLACE)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "91"])
def test_a_number_that_is_no_degree_is_one_sentence(number: str) -> None:
    with pytest.raises(InvalidInput, match="Site x: latitude is"):
        run("add", "x", f"--lat={number}", "--lon", "181", "--season", "2023")


def test_a_season_is_removed_alone(phenocam: dict[str, Any]) -> None:
    run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023", "--season", "2024")
    assert "ICOSFR-Fon1 2023 removed" in run("remove", "ICOSFR-Fon1", "--season", "2023")
    assert registry().site("ICOSFR-Fon1").seasons == (2024,)
    assert partitions() == {"ICOSFR-Fon1_2024"}
    with pytest.raises(UnknownSeason, match="Season 2023 is not registered"):
        run("remove", "ICOSFR-Fon1", "--season", "2023")
    run("remove", "ICOSFR-Fon1")
    assert registry().get("ICOSFR-Fon1") is None
    assert partitions() == set()


@pytest.mark.parametrize("home", ["home", "/nowhere/home", "/etc/hostname"])
def test_a_dagster_home_that_is_none_is_one_sentence_and_registers_nothing(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", home)
    with pytest.raises(InvalidInput, match=rf"^DAGSTER_HOME is '{home}'; give the absolute path of a folder"):
        run("add", "ICOSFR-Fon1", *PLACE, "--season", "2023")
    assert not registry().path.exists()


# -- import ----------------------------------------------------------------------------------------------------


def feature(name: str, *seasons: int, at: tuple[float, float] = (11.0, 47.0), **more: Any) -> dict[str, Any]:
    properties = {"sitename": name, "seasons": {str(year): {} for year in seasons}} | more
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": at}, "properties": properties}


def listing(folder: Path, *features: dict[str, Any]) -> str:
    path = folder / "cameras.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8-sig")
    return str(path)


def mixed(folder: Path) -> str:
    """A list as real ones are: good sites beside everything that a list can have wrong."""
    return listing(
        folder,
        feature("good", 2023, 2024, vegetation_type=None, elevation=None),
        feature("older", 2012, 2014, 2019),
        feature("ended", 2012, 2013),
        feature("HF_Vivotek", 2023),
        feature("arctic", 2023, at=(0, 88)),
        feature("odd", 2023, elevation="high"),
        feature("good", 2020),
        feature("innsbruck", 2022, at=(11.4, 47.3)),
    )


def test_an_import_takes_what_is_good_and_says_the_rest_in_one_table(installation: Path) -> None:
    says = run("import", mixed(installation))
    assert registry().site("good").seasons == (2023, 2024)
    assert registry().site("older").seasons == (2019,)
    assert registry().site("odd").elevation is None
    here = registry().site("innsbruck")
    assert (here.seasons, here.latitude) == ((2020, 2022, 2024), 47.116171)
    assert {registry().get(name) for name in ("ended", "HF_Vivotek", "arctic")} == {None}
    for row in (
        "site older Season 2012 is out of range: before Sentinel-2",
        "site older Season 2014 is out of range: before Sentinel-2",
        "site ended Season 2013 is out of range: before Sentinel-2",
        "site ended Not registered: none of its seasons can be used.",
        "feature 3 Site name 'HF_Vivotek' cannot be used as a key",
        "site arctic latitude is 88.0",
        "site odd elevation is 'high'",
        "site good It lists site 'good' more than once",
        "site innsbruck Its position is kept (47.11617, 11.32031)",
    ):
        assert row in says, row
    assert "4 sites with 5 seasons registered; 3 of them new, 10 entries left out." in says
    assert {"good_2023", "older_2019", "innsbruck_2022"} <= partitions()
    assert "older_2012" not in partitions()


def test_a_dry_run_says_the_same_and_changes_nothing(installation: Path) -> None:
    says = run("import", mixed(installation), "--dry-run")
    assert (
        "4 sites with 5 seasons would be registered, nothing was changed; 3 of them new, 10 entries left out." in says
    )
    assert not registry().path.exists()
    assert partitions() == set()


def test_a_dry_run_says_what_the_seasons_would_cost(installation: Path) -> None:
    file = listing(installation, feature("good", 2023), feature("second", 2024), feature("older", 2019))
    says = run("import", file, "--dry-run")
    assert "would cost 5 691 requests, 18 openEO jobs, 1.7 GB on disk, 1.6 hours" in says


def test_a_list_beyond_a_limit_is_refused_whole(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATFUSION_MOST_JOBS", "10")
    file = listing(installation, feature("good", 2023), feature("older", 2019))
    with pytest.raises(TooCostly, match="12 openEO jobs where SATFUSION_MOST_JOBS allows 10"):
        run("import", file)
    assert not registry().path.exists()


def test_a_list_without_anything_good_is_an_error(installation: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no site that can be registered; nothing was changed"):
        run("import", listing(installation, feature("ended", 2012)))


def test_two_imports_say_the_same_of_what_is_there(installation: Path) -> None:
    run("import", mixed(installation))
    before = registry().path.read_bytes()
    assert "0 of them new" in run("import", mixed(installation))
    assert registry().path.read_bytes() == before
