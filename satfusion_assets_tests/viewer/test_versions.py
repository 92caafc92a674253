"""Each answer of the viewer is of one version, though products are published again between every two of its reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.viewer import files as reading
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason
from satfusion_assets_tests.viewer.conftest import serve

SEASON = SiteSeason("innsbruck", 2024)
SCENARIO = Scenario.parse("aggressive_sigma20")
LAYOUT = ProcessedLayout(SCENARIO)
DAYS = ["2024-05-01", "2024-05-02", "2024-05-03"]
PIXEL = (675_255.0, 5_221_405.0)


class World:
    """A store whose version n says n everywhere; each version has days and files that the one before had not."""

    def __init__(self, root: Path) -> None:
        self.store = ProductStore(root)
        registry = SiteRegistry.load(root / "sites.geojson")
        registry.add(registry.site("innsbruck"))
        self.version = 0

    def publish(self) -> None:
        self.version += 1
        value = self.version / 1000
        with self.store.publish(Product("processed", SEASON, SCENARIO.key)) as draft:
            for kind, columns in (("gcc", ["greenness_index"]), ("ndvi", ["ndvi"]), ("bands", ["b02", "b03", "b04"])):
                rows = [{"date": day} | dict.fromkeys(columns, value) for day in DAYS[self.version % 2 :]]
                draft.write_json(LAYOUT.series(kind, "fusion"), rows)  # type: ignore[arg-type]
        with self.store.publish(Product("pack", SEASON, SCENARIO.key)) as draft:
            days = np.array(DAYS[self.version % 2 :], "datetime64[D]")
            values = np.full((len(days), 4, 12, 12), value, np.float32)
            layers = [PackLayer(name, days, values, ("a", "b", "c", "d")) for name in ("s2", "fused", "s3")]
            pack = pack_folder(SCENARIO)
            place = self.store.folder(SEASON) / pack
            write_pack(draft.path(pack), layers, (10, 0, 675_200, 0, -10, 5_221_450), 32632, replaces=place)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "data")
    world.publish()
    return world


@pytest.fixture
def client(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Publishes whenever the viewer has looked for where a file lies, and whenever it is about to read one."""

    def then(plain: Callable[..., Any], before: bool) -> Callable[..., Any]:
        def between(*arguments: Any, **options: Any) -> Any:
            if before:
                world.publish()
            found = plain(*arguments, **options)
            if not before:
                world.publish()
            return found

        return between

    monkeypatch.setattr(reading.Snapshot, "real", then(reading.Snapshot.real, before=False))
    monkeypatch.setattr(reading, "read_json", then(reading.read_json, before=True))
    monkeypatch.setattr("satfusion_assets.viewer.app.read_json", then(reading.read_json, before=True))
    with serve(world.store.root) as url, httpx.Client(base_url=url, timeout=120) as client:
        yield client


def test_a_series_of_three_files_is_of_one_version(world: World, client: httpx.Client) -> None:
    before = world.version
    fused = client.get(f"/_api/series/innsbruck/2024/{SCENARIO.key}/processed").json()["sources"]["fused"]
    assert world.version > before + 3, "several were published meanwhile"
    assert len(fused["date"]) >= 2
    said = {value for key in ("gcc", "ndvi", "b02", "b03", "b04") for value in fused[key]}
    assert len(said) == 1, said
    assert None not in said


def test_a_pixel_of_a_pack_is_of_one_version(world: World, client: httpx.Client) -> None:
    place = f"x={PIXEL[0]}&y={PIXEL[1]}"
    answer = client.get(f"/_api/pixel/innsbruck/2024/{SCENARIO.key}/processed?{place}").json()
    assert answer["origin"] == "pack"
    said = {value for source in answer["sources"].values() for value in source["b02"]}
    assert len(said) == 1, said
    assert None not in said


def test_a_file_that_is_replaced_while_it_is_asked_for_is_sent_whole(world: World, client: httpx.Client) -> None:
    name = f"innsbruck/2024/{LAYOUT.series('gcc', 'fusion')}"
    for address in (f"/_files/{name}", f"/_api/json/{name}"):
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        assert len({row["greenness_index"] for row in json.loads(answer.text)}) == 1
