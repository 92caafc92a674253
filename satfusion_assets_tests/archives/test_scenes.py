"""Items of the catalogue as scenes: real items of every baseline, reprocessings, split granules, names."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.archives.earth_search import Scene, name_scenes, resolve_reprocessings, scene_from_item
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import item, real_items


@pytest.mark.parametrize("path", real_items(), ids=lambda path: path.stem)
def test_real_items_of_every_baseline_are_scenes(path: Path) -> None:
    raw = json.loads(path.read_text("utf-8"))
    scene = scene_from_item(raw)
    assert scene.baseline == raw["properties"]["s2:processing_baseline"]
    assert scene.missing_assets == ()
    assert scene.href("nir08").endswith("B8A.tif"), "the catalogue's nir is B08; B8A is nir08"
    assert scene.tile in scene.id
    assert f"_R{scene.relative_orbit:03d}_" in raw["properties"]["s2:product_uri"]
    assert f"{scene.datatake:%Y%m%dT%H%M%S}" in raw["properties"]["s2:product_uri"]


def test_collection_1_items_carry_the_view_angle() -> None:
    scene = scene_from_item(item("S2B_T24MWV_20250731T130245_L2A"))
    assert scene.view_zenith == pytest.approx(5.381695387512898)
    assert (scene.boa_offset_applied, scene.epsg) == (None, 32724)


def test_an_item_without_nir08_names_item_and_asset() -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    del raw["assets"]["nir08"]
    scene = scene_from_item(raw)
    assert scene.missing_assets == ("nir08",)
    with pytest.raises(ArchiveAnswerInvalid, match=r"S2B_33TWN_20220226_0_L2A.*'nir08' \(B8A\)"):
        scene.href("nir08")


def other(scene: Scene, **changes: Any) -> Scene:
    return Scene.model_validate(scene.model_dump() | changes)


@pytest.fixture
def scene() -> Scene:
    return scene_from_item(item("S2B_33TWN_20220226_0_L2A"))


def test_the_highest_baseline_replaces_older_processings(scene: Scene) -> None:
    newer = other(scene, id="S2B_33TWN_20220226_1_L2A", baseline="05.10", datastrip="20220226T095160")
    kept, replaced = resolve_reprocessings([scene, newer])
    assert [one.id for one in kept] == [newer.id]
    assert replaced == {scene.id: newer.id}


def test_baseline_05_10_is_newer_than_05_09(scene: Scene) -> None:
    kept, _ = resolve_reprocessings([other(scene, id="b", baseline="05.10"), other(scene, id="a", baseline="05.09")])
    assert [one.id for one in kept] == ["b"]


def test_of_one_baseline_the_newest_generation_is_kept(scene: Scene) -> None:
    assert scene.generated is not None
    later = other(scene, id="later", generated=scene.generated.replace(year=2023))
    kept, _ = resolve_reprocessings([later, scene])
    assert [one.id for one in kept] == ["later"]


def test_a_high_baseline_beats_a_new_generation(scene: Scene) -> None:
    assert scene.generated is not None
    regenerated = other(scene, id="regenerated", baseline="03.01", generated=scene.generated.replace(year=2025))
    kept, replaced = resolve_reprocessings([regenerated, scene])
    assert [one.id for one in kept] == [scene.id]
    assert replaced == {"regenerated": scene.id}


def test_reprocessing_may_move_the_items_time(scene: Scene) -> None:
    """Old baselines give the datastrip's start as the item's time: minutes away from later processings."""
    old = other(scene, id="old", baseline="02.09", sensed=scene.sensed.replace(minute=52))
    kept, _ = resolve_reprocessings([old, scene])
    assert [one.id for one in kept] == [scene.id]


def test_split_granules_stay_two_scenes(scene: Scene) -> None:
    west, south, east, north = scene.bbox
    middle = (south + north) / 2
    upper = other(scene, id="upper", bbox=(west, middle, east, north))
    lower = other(
        scene, id="lower", bbox=(west, south, east, middle), datastrip="20220226T095735",
        sensed=scene.sensed.replace(second=46),
    )  # fmt: skip
    kept, replaced = resolve_reprocessings([lower, upper])
    assert [one.id for one in kept] == ["upper", "lower"]
    assert replaced == {}


@pytest.mark.parametrize(
    "change",
    [{"tile": "33TVN"}, {"platform": "sentinel-2a"}, {"relative_orbit": 122}],
    ids=["tile", "platform", "orbit"],
)
def test_tiles_platforms_and_orbits_of_one_day_are_kept_apart(scene: Scene, change: dict[str, Any]) -> None:
    kept, _ = resolve_reprocessings([scene, other(scene, id="other", **change)])
    assert len(kept) == 2


def test_scenes_are_named_by_rank_within_their_day(scene: Scene) -> None:
    later = other(scene, id="later", sensed=scene.sensed.replace(minute=59), tile="33TVN")
    west = other(scene, id="west", tile="33TVN")
    tomorrow = other(scene, id="tomorrow", sensed=scene.sensed.replace(day=27))
    named = name_scenes([tomorrow, later, scene, west])
    assert {name: one.id for name, one in named.items()} == {
        "20220226_0": "west",
        "20220226_1": scene.id,
        "20220226_2": "later",
        "20220227_0": "tomorrow",
    }


def test_a_day_is_one_mornings_scenes_wherever_utc_changes_it(scene: Scene) -> None:
    """Over 151 E one pass is at 10:02 on 9 May, one at 09:52 on 10 May, local time: both on 9 May in UTC."""
    east = site_grid(Site(name="east", latitude=-33.0, longitude=151.0))
    ninth = other(scene, id="ninth", sensed=datetime(2024, 5, 9, 0, 2, tzinfo=UTC))
    tenth = other(scene, id="tenth", sensed=datetime(2024, 5, 9, 23, 52, tzinfo=UTC))
    named = name_scenes([tenth, ninth], east.local_day)
    assert {name: one.id for name, one in named.items()} == {"20240509_0": "ninth", "20240510_0": "tenth"}


@given(
    st.sampled_from(
        ["id", "bbox", "assets", "properties", "datetime", "platform", "s2:processing_baseline", "proj:epsg"]
    ),
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=3), st.just({"a": 1})),
)
@settings(max_examples=150, deadline=None)
def test_a_malformed_item_is_one_typed_error(field: str, junk: Any) -> None:
    raw = deepcopy(item("S2B_33TWN_20220130_0_L2A"))
    (raw if field in raw else raw["properties"])[field] = junk
    with suppress(ArchiveAnswerInvalid):  # anything else fails the test
        scene_from_item(raw)


@pytest.mark.parametrize("angle", [float("nan"), float("inf"), -3, 90, 1e999, "5", True, [5], 10**400, None])
def test_an_odd_view_angle_is_unknown_and_costs_no_scene(angle: Any) -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    raw["properties"] |= {"view:incidence_angle": angle, "eo:cloud_cover": angle}
    assert scene_from_item(raw).view_zenith is None


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "", 5, None, "now"]
)
@pytest.mark.parametrize("field", ["datetime", "s2:generation_time"])
def test_times_at_the_ends_of_time_are_one_malformed_item(field: str, moment: Any) -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    raw["properties"][field] = moment
    if field == "s2:generation_time" and not moment:
        assert scene_from_item(raw).generated is None
        return
    with pytest.raises(ArchiveAnswerInvalid, match=r"S2B_33TWN_20220226_0_L2A"):
        scene_from_item(raw)


@pytest.mark.parametrize("name", ["", "x" * 300, "a\nb", "\ud800", "a\x00", 5, None, ["a"]])
def test_what_is_no_name_is_no_id(name: Any) -> None:
    with pytest.raises(ArchiveAnswerInvalid) as caught:
        scene_from_item(item("S2B_33TWN_20220226_0_L2A") | {"id": name})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("box", [[1, 2, 3], [float("nan")] * 4, [0, 0, 1e999, 1], ["a"] * 4, [1] * 5, None, 5, {}])
def test_what_is_no_box_is_one_malformed_item(box: Any) -> None:
    with pytest.raises(ArchiveAnswerInvalid):
        scene_from_item(item("S2B_33TWN_20220226_0_L2A") | {"bbox": box})


def test_a_box_with_heights_is_a_box(scene: Scene) -> None:
    west, south, east, north = scene.bbox
    raw = item("S2B_33TWN_20220226_0_L2A") | {"bbox": [west, south, 0, east, north, 3000]}
    assert scene_from_item(raw).bbox == scene.bbox


def newer_stac(raw: dict[str, Any]) -> dict[str, Any]:
    """The item as STAC 1.1 has it: ``bands``, ``proj:code``, ``raster:*`` on the asset, B names as keys."""
    bands = {"blue": "B02", "green": "B03", "red": "B04", "nir08": "B8A", "scl": "SCL", "nir": "B08"}
    made = deepcopy(raw) | {"stac_version": "1.1.0", "assets": {"granule_metadata": raw["assets"]["granule_metadata"]}}
    for key, band in bands.items():
        asset = raw["assets"][key]
        plain = {"href": asset["href"], "type": asset["type"], "raster:scale": 0.0001, "raster:offset": -0.1}
        made["assets"][f"{band}_anything"] = plain | {"bands": [{"name": band, "eo:common_name": key}]}
    properties = made["properties"]
    properties["proj:code"] = f"EPSG:{properties.pop('proj:epsg')}"
    properties["processing:version"] = properties.pop("s2:processing_baseline")
    return made


def test_an_item_of_stac_1_1_is_the_same_scene() -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    old, new = scene_from_item(raw), scene_from_item(newer_stac(raw))
    assert new.model_dump() == old.model_dump()
    assert new.href("nir08").endswith("B8A.tif"), "not B08, which comes after it"


def test_an_alternate_that_can_be_fetched_is_taken() -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    there = raw["assets"]["green"]["href"]
    raw["assets"]["green"] |= {
        "href": "s3://bucket/B03.tif",
        "alternate": {"s3": {"href": "s3://x"}, "web": {"href": there}},
    }
    assert scene_from_item(raw).href("green") == there
    raw["assets"]["green"]["alternate"] = {}
    assert scene_from_item(raw).unreachable_assets == ("green",)


def test_an_asset_that_is_not_there_is_told_with_those_that_are() -> None:
    raw = item("S2B_33TWN_20220226_0_L2A")
    raw["assets"] = {"B02_10m": raw["assets"]["blue"], "TCI": raw["assets"]["visual"]}
    assert scene_from_item(raw).missing_assets == ("green", "red", "nir08", "scl")
    assert "B02_10m, TCI" in str(scene_from_item(raw).lacks)


def test_boxes_across_180_degrees_share_what_they_share(scene: Scene) -> None:
    """Two baselines of one datatake, one box in the form with west > east, the other as if it belted the globe."""
    across = (179.4, -17.3, -179.6, -16.3)
    for other_box in (
        across,
        (-180.0, -17.3, 180.0, -16.3),
        (179.4, -17.3, 180.0, -16.3),
        (-180.0, -17.3, -179.6, -16.3),
    ):
        newer = other(scene, id="newer", baseline="05.10", datastrip="20220226T095160", bbox=other_box)
        kept, _ = resolve_reprocessings([other(scene, bbox=across), newer])
        assert [one.id for one in kept] == ["newer"]
    apart = other(scene, id="apart", baseline="05.10", datastrip="20220226T095160", bbox=(178.0, -17.3, 179.0, -16.3))
    assert len(resolve_reprocessings([other(scene, bbox=across), apart])[0]) == 2
