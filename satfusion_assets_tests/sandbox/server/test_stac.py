"""Earth Search as pystac-client sees it, and the shapes of its recorded answers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
from pystac_client import Client
from pystac_client.exceptions import APIError
from rasterio.windows import Window

from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets_tests.sandbox.server.fake_world import SCENES, TODAY, scene_day, scene_id, scene_pixels

COLLECTION = "sentinel-2-l2a"
VISIBLE = [number for number in range(SCENES) if scene_day(number) <= TODAY]
NEWEST_FIRST = [scene_id(number) for number in reversed(VISIBLE)]
AROUND_SITE = [11.39, 47.19, 11.41, 47.21]
RECORDED = Path(__file__).parent / "fixtures"


def found(server: ServerProcess, **parameters: Any) -> list[str]:
    client = Client.open(f"{server.url}/v1")
    return [item.id for item in client.search(collections=[COLLECTION], **parameters).items()]


def posted(server: ServerProcess, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/search", json=body)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_matching_item_arrives_once_and_newest_first_whatever_the_page_size(
    server: ServerProcess, method: str
) -> None:
    client = Client.open(f"{server.url}/v1")
    search = client.search(collections=[COLLECTION], bbox=AROUND_SITE, limit=5, method=method)
    assert [item.id for item in search.items()] == NEWEST_FIRST
    assert search.matched() == len(NEWEST_FIRST)


def test_a_page_says_what_matched_and_names_the_next_one_until_a_page_is_empty(server: ServerProcess) -> None:
    body: dict[str, Any] = {"collections": [COLLECTION], "limit": len(VISIBLE)}
    full = posted(server, **body).json()
    (following, *_) = full["links"]
    assert following["rel"] == "next"
    assert following["merge"] is False
    empty = httpx.post(following["href"], json=following["body"]).json()
    assert (full["numberMatched"], full["numberReturned"]) == (len(VISIBLE), len(VISIBLE))
    assert empty["context"] == {"limit": len(VISIBLE), "matched": len(VISIBLE), "returned": 0}
    assert [link["rel"] for link in empty["links"]] == ["root"]


@pytest.mark.parametrize(
    ("interval", "numbers"),
    [
        ("2024-05-12T10:06:11.024Z", [2]),
        ("2024-05-07/2024-05-12", [2, 1]),
        ("2024-05-07T10:06:11.024Z/2024-05-12T10:06:11.023Z", [1]),
        ("2024-06-20/..", [11, 10]),
        ("../2024-05-02", [0]),
        ("2024-05-07T12:06:11.024+02:00", [1]),
    ],
)
def test_both_ends_of_a_datetime_interval_belong_to_it(
    server: ServerProcess, interval: str, numbers: list[int]
) -> None:
    assert found(server, datetime=interval) == [scene_id(number) for number in numbers]


def test_only_scenes_that_touch_the_area_are_found(server: ServerProcess) -> None:
    inside = {"type": "Point", "coordinates": [11.4, 47.2]}
    corner = {"type": "Polygon", "coordinates": [[[11.45, 47.2], [11.6, 47.2], [11.6, 47.4], [11.45, 47.2]]]}
    assert found(server, intersects=inside) == found(server, intersects=corner) == NEWEST_FIRST
    assert found(server, bbox=[11.5, 47.1, 11.6, 47.3]) == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"eo:cloud_cover": {"lt": 8}}, [1, 0]),
        ({"eo:cloud_cover": {"lte": "8"}}, [2, 1, 0]),
        (["eo:cloud_cover<8"], [1, 0]),
        ({"eo:cloud_cover": {"gte": 40, "lt": 44}}, [10]),
        ({"platform": {"eq": "sentinel-2b"}, "eo:cloud_cover": {"lt": 16}}, [3, 1]),
        ({"platform": {"neq": "sentinel-2b"}, "eo:cloud_cover": {"lt": 16}}, [2, 0]),
        ({"eo:cloud_cover": {"in": [4, 8]}}, [2, 1]),
        ({"platform": {"endsWith": "2a"}, "eo:cloud_cover": {"lt": 16}}, [2, 0]),
        ({"updated": {"gt": "2024-06-21T20:00:00Z"}}, [11, 10]),
        ({"no:such_property": {"lt": 1}}, []),
    ],
)
def test_the_query_extension_compares_properties_as_what_they_are(
    server: ServerProcess, query: Any, numbers: list[int]
) -> None:
    assert found(server, query=query) == [scene_id(number) for number in numbers]


def test_items_are_found_by_id_and_sorted_as_asked(server: ServerProcess) -> None:
    wanted = [scene_id(4), scene_id(1), scene_id(9)]
    by_cloud = found(server, ids=wanted, sortby="+properties.eo:cloud_cover", limit=2)
    assert by_cloud == [scene_id(1), scene_id(4), scene_id(9)]
    assert found(server, ids=wanted, sortby=[{"field": "properties.platform", "direction": "desc"}], limit=1) == [
        scene_id(9),
        scene_id(1),
        scene_id(4),
    ]


def test_fields_limit_what_is_sent_but_not_the_links(server: ServerProcess) -> None:
    fields = {"include": ["properties.eo:cloud_cover", "assets.nir08"], "exclude": ["geometry", "assets"]}
    (item, *_) = posted(server, collections=[COLLECTION], fields=fields, limit=1).json()["features"]
    assert sorted(item["properties"]) == ["datetime", "eo:cloud_cover"]
    assert "geometry" not in item
    assert "assets" not in item
    assert item["links"]
    (sparse, *_) = httpx.get(
        f"{server.url}/v1/search", params={"fields": "properties.platform,-bbox", "limit": 1}
    ).json()["features"]
    assert sorted(sparse["properties"]) == ["datetime", "platform"]
    assert "bbox" not in sparse
    assert sparse["assets"]


def test_items_and_collections_have_addresses_of_their_own(server: ServerProcess) -> None:
    client = Client.open(f"{server.url}/v1")
    collection = client.get_collection(COLLECTION)
    item = collection.get_item(scene_id(3))
    assert item is not None
    assert item.get_self_href() == (f"{server.url}/v1/collections/{COLLECTION}/items/{scene_id(3)}")
    assert item.assets["nir08"].href.startswith(f"{server.url}/data/sentinel-s2-l2a-cogs/32/T/PT/2024/5/")
    assert [one.id for one in collection.get_items()] == NEWEST_FIRST
    assert httpx.get(f"{server.url}/v1/collections/{COLLECTION}/items/none").status_code == 404
    assert httpx.get(f"{server.url}/v1/collections/none").status_code == 404
    assert posted(server, collections=["none"]).json()["features"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"limit": 268}, 500),
        ({"limit": 267}, 200),
        ({"limit": 0}, 400),
        ({"limit": "many"}, 400),
        ({"filter": {"op": "lt", "args": [{"property": "eo:cloud_cover"}, 30]}}, 400),
        ({"bbox": AROUND_SITE, "intersects": {"type": "Point", "coordinates": [11, 47]}}, 400),
        ({"bbox": [11, 47]}, 400),
        ({"intersects": {"type": "Blob"}}, 400),
        ({"datetime": "2024-05-01"}, 400),
        ({"datetime": "2024-05-02T00:00:00Z/2024-05-01T00:00:00Z"}, 400),
        ({"datetime": "../.."}, 400),
        ({"query": {"eo:cloud_cover": {"lt": "cloudy"}}, "collections": [COLLECTION]}, 400),
        ({"next": "2024,none,none", "collections": [COLLECTION]}, 400),
    ],
)
def test_searches_that_the_service_cannot_answer_are_refused(
    server: ServerProcess, body: dict[str, Any], status: int
) -> None:
    assert posted(server, **body).status_code == status


def test_the_client_raises_on_a_limit_that_breaks_the_service(server: ServerProcess) -> None:
    with pytest.raises(APIError):
        found(server, limit=1000)


def test_a_window_read_over_the_network_equals_the_scene_and_costs_two_requests(server: ServerProcess) -> None:
    client = Client.open(f"{server.url}/v1")
    (item,) = client.search(collections=[COLLECTION], ids=[scene_id(7)]).items()
    httpx.delete(f"{server.url}/_faults?log")
    window = Window(200, 240, 60, 40)  # over four blocks
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        rasterio.open(item.assets["red"].href) as scene,
    ):
        pixels = scene.read(1, window=window)
    np.testing.assert_array_equal(pixels, scene_pixels(7, "red")[240:280, 200:260])
    log = httpx.get(f"{server.url}/_faults?log").json()
    assert [(entry["method"], entry["status"]) for entry in log][:2] == [("HEAD", 200), ("GET", 206)]
    assert all(entry["range"].startswith("bytes=") for entry in log[1:])


def test_scenes_appear_when_their_day_comes(server: ServerProcess) -> None:
    later = TODAY + timedelta(days=3)
    coming = scene_id(len(VISIBLE))
    path = f"/data/sentinel-s2-l2a-cogs/32/T/PT/2024/7/{coming}/B02.tif"
    assert httpx.head(server.url + path).status_code == 404
    httpx.post(f"{server.url}/_world", json={"today": later.isoformat()})
    assert found(server, limit=100)[0] == coming
    assert httpx.head(server.url + path).status_code == 200
    httpx.post(f"{server.url}/_world", json={"today": TODAY.isoformat()})
    assert found(server, limit=100) == NEWEST_FIRST
    assert httpx.head(server.url + path).status_code == 404


def answered(server: ServerProcess, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A recorded answer, and ours to the same request for the collection that we hold."""
    asked = json.loads((RECORDED / f"earthsearch_v1_{name}.request.json").read_text())
    recorded = json.loads((RECORDED / f"earthsearch_v1_{name}.json").read_text())
    path = asked["uri"].removeprefix("https://earth-search.aws.element84.com")
    body = {"collections": [COLLECTION]} if asked["method"] == "POST" else None
    return recorded, httpx.request(asked["method"], server.url + path, json=body).json()


def test_the_landing_page_has_the_members_and_relations_of_the_recorded_one(server: ServerProcess) -> None:
    recorded, ours = answered(server, "landing")
    assert set(ours) == set(recorded)
    assert {link["rel"] for link in ours["links"]} == {"self", "root", "conformance", "data", "search", "child"}
    assert {link["rel"] for link in ours["links"]} < {link["rel"] for link in recorded["links"]}
    assert set(ours["conformsTo"]) <= set(recorded["conformsTo"])


def test_a_page_has_the_shape_of_the_recorded_one(server: ServerProcess) -> None:
    recorded, ours = answered(server, "search_20231008_point_s2l2a_landsat")
    assert set(ours) == set(recorded)
    assert set(ours["context"]) == set(recorded["context"])
    (theirs, root), (next_page, own_root) = recorded["links"], ours["links"]
    assert set(next_page) == set(theirs)
    assert [next_page[key] for key in ("rel", "title", "method", "type", "merge")] == [
        theirs[key] for key in ("rel", "title", "method", "type", "merge")
    ]
    assert next_page["body"]["next"] == "{datetime},{id},{collection}".format(
        **ours["features"][-1], datetime=ours["features"][-1]["properties"]["datetime"]
    )
    assert set(own_root) == set(root)
    assert set(ours["features"][0]) == set(recorded["features"][0])


def test_the_page_after_the_last_has_the_shape_of_the_recorded_one(server: ServerProcess) -> None:
    recorded = json.loads((RECORDED / "earthsearch_v1_search_20231008_page2_empty.json").read_text())
    ours = posted(server, collections=["none"]).json()
    assert set(ours) == set(recorded)
    assert [link["rel"] for link in ours["links"]] == [link["rel"] for link in recorded["links"]]
