"""Mutated answers of Earth Search: what is accepted fulfils what was asked, everything else is one typed error.

Real items, recorded pages, real metadata and files of the archive's form are changed at random places, as a damaged or
hostile server would. The whole campaign is slow; a sample of it runs every day.
"""

from __future__ import annotations

import gzip
import json
import math
import random
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest

from satfusion_assets.archives.earth_search import Scene, read_view_zenith, scene_from_item, search_scenes
from satfusion_assets.archives.earth_search.boxes import geographic_boxes, shared_area
from satfusion_assets.archives.earth_search.cog import Layer, read_around
from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.retry import THROTTLED, RetryPolicy, is_web_address
from satfusion_assets.vocabulary.errors import ArchiveError
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.settings import S2Collection
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES, archive, item, real_items
from satfusion_assets_tests.archives.tiles import GRID, HERE, Bucket, cog, georeferenced

T = TypeVar("T")

DAILY, CAMPAIGN = 15, 300
"""Cases of each edge in the daily run, and in the whole campaign."""
HASTE = RetryPolicy(attempts=1, first_wait_s=0, timeout_s=2, deadline_s=5)
JUNK: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, 1e999, float("nan"), "", "x", "../../x", "\ud800", "a\nb", "\x00", "9" * 5000,
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "s3://bucket/key", "http://h:99999/", "http://[::1",
    [], {}, [[]], {"href": 5}, [None], [1e999] * 4, "sentinel-2-c1-l2a", "05.99", "S2A_MSIL2A_x",
]  # fmt: skip


def cases() -> list[Any]:
    return [pytest.param(n, marks=[] if n < DAILY else pytest.mark.slow) for n in range(CAMPAIGN)]


def mutated(document: Any, dice: random.Random, times: int) -> Any:
    """A copy of a JSON document with parts replaced, dropped, renamed, doubled or moved."""
    changed = deepcopy(document)
    for _ in range(times):
        node, key = dice.choice(_places(changed))
        match dice.randrange(4):
            case 0 | 1:
                node[key] = dice.choice(JUNK)
            case 2:
                del node[key]
            case _ if isinstance(node, list):
                node.append(deepcopy(node[key]))
            case _:
                node[dice.choice(["x", "id", "href", "next", "type"])] = node.pop(key)
    return changed


def _places(node: Any) -> list[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    here = [(node, key) for key in keys]
    return here + [place for key in keys for place in _places(node[key])] or [([None], 0)]


def spoilt(body: bytes, dice: random.Random) -> bytes:
    """Bytes changed, cut out, put in, or cut off."""
    at, length = dice.randrange(len(body)), dice.randrange(1, 40)
    match dice.randrange(5):
        case 0:
            return body[:at] + dice.randbytes(length) + body[at + length :]
        case 1:
            return body[:at] + bytes([body[at] ^ 1 << dice.randrange(8)]) + body[at + 1 :]
        case 2:
            return body[:at] + body[at + length :]
        case 3:
            return body[:at] + dice.randbytes(length) + body[at:]
        case _:
            return body[:at]


def fulfils(scene: Scene) -> bool:
    """A scene is complete and finite, whatever its item was."""
    finite = [*scene.bbox, *(value for value in (scene.view_zenith, scene.cloud_cover) if value is not None)]
    return (
        all(map(math.isfinite, finite))
        and scene.id.isascii()
        and scene.id.isprintable()
        and scene.sensed.tzinfo is not None
        and (
            scene.lacks is not None
            or all(is_web_address(scene.href(k)) for k in ("blue", "green", "red", "nir08", "scl"))
        )
        and json.dumps(scene.model_dump(mode="json"), allow_nan=False) != ""
    )


def result_or_error(ask: Callable[[], T]) -> T | ArchiveError:
    """What came, or the typed error; any other exception fails the test."""
    try:
        return ask()
    except ArchiveError as error:
        return error


ITEMS = [json.loads(path.read_text("utf-8")) for path in real_items()]


@pytest.mark.parametrize("seed", cases())
def test_a_mutated_item_is_a_scene_or_one_typed_error(seed: int) -> None:
    dice = random.Random(seed)
    raw = mutated(dice.choice(ITEMS), dice, dice.randrange(1, 4))
    outcome = result_or_error(lambda: scene_from_item(raw))
    assert fulfils(outcome) if isinstance(outcome, Scene) else str(outcome).isprintable()


AREA = site_grid(Site(name="boulder", latitude=40.1672, longitude=-105.1019)).fine
DAY = date(2023, 10, 8)


def recorded(name: str) -> Any:
    return json.loads((FIXTURES / f"earthsearch_v1_{name}.json").read_text("utf-8"))


LANDING, FIRST, LAST = map(recorded, ("landing", "search_20231008_point_s2l2a_landsat", "search_20231008_page2_empty"))


@pytest.mark.parametrize("seed", cases())
def test_mutated_pages_are_the_scenes_asked_for_or_one_typed_error(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    answers = {"GET": LANDING, "first": FIRST, "next": LAST}
    struck = dice.choice([*answers])
    answers[struck] = mutated(answers[struck], dice, dice.randrange(1, 5))
    bodies = {name: json.dumps(answer).encode() for name, answer in answers.items()}
    if dice.random() < 0.3:
        bodies[struck] = spoilt(bodies[struck], dice)

    def serve(request: httpx.Request) -> httpx.Response:
        which = "GET" if request.method == "GET" else "next" if b'"next"' in request.content else "first"
        return httpx.Response(200, content=bodies[which])

    served = HttpArchive("Earth Search", HASTE, transient=THROTTLED, transport=httpx.MockTransport(serve))
    monkeypatch.setattr("satfusion_assets.archives.earth_search.catalogue._archive", lambda policy: served)
    found = result_or_error(lambda: search_scenes("https://a.example/v1", S2Collection.L2A, AREA, DAY, DAY, HASTE))
    if isinstance(found, ArchiveError):
        assert str(found).isprintable()
        return
    for scene in found.scenes:
        assert fulfils(scene)
        assert (scene.collection, scene.sensed.astimezone(UTC).date()) == (S2Collection.L2A, DAY)
        assert any(shared_area(scene.bbox, box) > 0 for box in geographic_boxes(AREA))
    assert found.matched is None or found.matched == len(found.scenes) + len(found.malformed)


PIXELS = np.random.default_rng(5).integers(1, 4000, (600, 600)).astype(np.uint16)
FILES = {
    "cog": cog(PIXELS, 10, (672_000, 5_222_000)),
    "strips": georeferenced(PIXELS, HERE, tiled=False, blockysize=64),
    "predictor": georeferenced(PIXELS, HERE, predictor=2),
    "packed": georeferenced(PIXELS, HERE, NBITS=15),
}
HEAD, PIXELS_FROM = 700, 2000
"""Bytes that hold the tags of each file, and those after which its blocks lie."""
LAYER = Layer("uint16", 10, 32632)
WHOLE = {
    name: read_around(archive(Bucket({"x.tif": body})), "https://a.example/x.tif", GRID.fine, LAYER).patch
    for name, body in FILES.items()
}


@pytest.mark.parametrize("seed", cases())
def test_a_mutated_file_is_the_pixels_of_its_asset_or_one_typed_error(seed: int) -> None:
    dice = random.Random(seed)
    name = dice.choice([*FILES])
    body = FILES[name]
    at_blocks = dice.random() < 0.5
    changed = (
        body[:PIXELS_FROM] + spoilt(body[PIXELS_FROM:], dice) if at_blocks else spoilt(body[:HEAD], dice) + body[HEAD:]
    )
    served = archive(Bucket({"x.tif": changed}), HASTE)
    remote = result_or_error(lambda: read_around(served, "https://a.example/x.tif", GRID.fine, LAYER))
    if isinstance(remote, ArchiveError) or remote.patch is None:
        return
    box, values = remote.patch.geobox, remote.patch.values
    assert (box.resolution.x, box.resolution.y, box.crs.epsg) == (10, -10, 32632)
    assert values.dtype == np.uint16
    assert max(values.shape) <= 154
    whole = WHOLE[name]
    if whole is not None and box == whole.geobox and at_blocks:
        assert np.array_equal(values, whole.values), "a damaged block has its checksum against it"


METADATA = gzip.decompress((FIXTURES / "S2A_12RWT_20240106_0_L2A.granule_metadata.xml.gz").read_bytes())
SCENE = scene_from_item(item("S2A_32TMS_20221207_0_L2A"))


@pytest.mark.parametrize("seed", cases())
def test_mutated_metadata_are_an_angle_or_unknown(seed: int) -> None:
    dice = random.Random(seed)
    body = spoilt(METADATA, dice)
    angle = read_view_zenith(archive(lambda request: httpx.Response(200, content=body), HASTE), SCENE)
    assert angle.degrees is None or 0 <= angle.degrees < 90
    assert (angle.degrees is None) == angle.source.startswith("unknown")
