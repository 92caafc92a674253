"""Sensors and schedules as Dagster calls them: against archives over HTTP, with a clock that the test turns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from satfusion_assets.orchestration.automation.registry import sites_file
from satfusion_assets.orchestration.automation.seasons import new_seasons
from satfusion_assets.orchestration.automation.sentinel3 import ask_sentinel3
from satfusion_assets.orchestration.automation.watching import watch_phenocam_archive, watch_sentinel2_archive
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteRegistry, SiteSeason

NOON = datetime(2024, 6, 10, 12, tzinfo=UTC)
HERE = Site(name="innsbruck", latitude=47.116, longitude=11.32, seasons=(2023, 2024), vegetation_type="Grassland")
THERE = Site(name="vindeln2", latitude=64.24, longitude=19.77, seasons=(2024,), vegetation_type="Wetland")
REGION = {
    "roi_name": "innsbruck_GR_1000", "site": "innsbruck", "roitype": "GR", "sequence_number": 1000,
    "first_date": "2020-01-01", "last_date": "2024-12-31", "description": "", "active": True,
    "one_day_summary": "/data/archive/innsbruck/ROI/innsbruck_GR_1000_1day.csv",
}  # fmt: skip


@dataclass
class Archives:
    """Earth Search, PhenoCam and Copernicus on one port, as far as somebody asks for news."""

    scenes: dict[str, int] = field(default_factory=lambda: {"innsbruck": 60, "vindeln2": 80})
    updated: str = "2024-06-09T10:00:00Z"
    down: bool = False
    greenness: float = 0.40
    tagged: bool = True
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def summary(self) -> bytes:
        """A camera's year, as the archive writes it."""
        header = "date,year,doy,image_count,midday_filename,midday_gcc,gcc_90,snow_flag,outlierflag_gcc_90"
        rows = [
            f"{date(2024, 1, 1) + timedelta(n)},2024,{n + 1},9,a.jpg,0.4,{self.greenness:.5f},NA,NA" for n in range(160)
        ]
        return ("\n".join([header, *rows]) + "\n").encode()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any] | list[Any]]:
        self.asked.append(path)
        if self.down:
            return 503, {}
        if path == "/v1/search":
            longitude = body["intersects"]["coordinates"][0][0][0]
            matched = self.scenes["innsbruck" if longitude < 15 else "vindeln2"]
            item = {"type": "Feature", "id": "item", "properties": {"updated": self.updated}}
            return 200, {"type": "FeatureCollection", "numberMatched": matched, "features": [item], "links": []}
        if path.startswith("/api/roilists"):
            return 200, {"count": 1, "next": None, "results": [REGION]}
        return 200, {"api_version": "1.2"}


@pytest.fixture
def archives() -> Iterator[Archives]:
    with served(Archives()) as served_archives:
        yield served_archives


@contextmanager
def served(archives: Archives) -> Iterator[Archives]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("1day.csv"):
                return self.send(archives.summary())
            self.reply(*archives.answer(self.path, {}))

        def send(self, body: bytes) -> None:
            tag = f'"{hash(body)}"'
            unchanged = archives.tagged and self.headers.get("if-none-match") == tag
            self.send_response(304 if unchanged else 200)
            if archives.tagged:
                self.send_header("etag", tag)
            self.send_header("content-length", "0" if unchanged else str(len(body)))
            self.end_headers()
            if not unchanged:
                self.wfile.write(body)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.reply(*archives.answer(self.path, body))

        def reply(self, status: int, content: Any) -> None:
            encoded = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    archives.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield archives
    finally:
        server.shutdown()


class Desk:
    """An installation with two sites, its instance and a clock."""

    def __init__(self, root: Path, archives: Archives, instance: dg.DagsterInstance) -> None:
        self.time = NOON
        self.instance = instance
        self.platform = Platform(
            settings=Settings(
                _env_file=None,
                data_root=root,
                earth_search_url=f"{archives.url}/v1",
                openeo_url=f"{archives.url}/openeo",
                phenocam_url=archives.url,
                cdse_user="someone",
                cdse_password="secret",
                archive_timeout_s=5,
            ),
            now=lambda: self.time,
        )
        for site in (HERE, THERE):
            self.platform.registry.add(site)
        self._cursors: dict[str, str | None] = {}

    def tick(self, sensor: dg.SensorDefinition) -> dg.SensorResult:
        """One evaluation; partitions that it asks for are added and removed, as the daemon does."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self._cursors.get(sensor.name),
            sensor_name=sensor.name,
            resources={"platform": self.platform},
        )
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        self._cursors[sensor.name] = result.cursor
        for request in result.dynamic_partitions_requests or []:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions(SITE_SEASON, list(request.partition_keys))
            else:
                for key in request.partition_keys:
                    self.instance.delete_dynamic_partition(SITE_SEASON, key)
        return result

    def requested(self, sensor: dg.SensorDefinition) -> list[str]:
        return [str(request.partition_key) for request in self.tick(sensor).run_requests or []]

    def schedule(self, schedule: dg.ScheduleDefinition) -> tuple[list[str], str]:
        """Partitions that one evaluation requests, and why it requests none."""
        context = dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=self.time, resources={"platform": self.platform}
        )
        found = list(schedule(context))  # type: ignore[arg-type]
        skipped = " ".join(str(item.skip_message) for item in found if isinstance(item, dg.SkipReason))
        return [str(item.partition_key) for item in found if isinstance(item, dg.RunRequest)], skipped

    @property
    def partitions(self) -> set[str]:
        return set(self.instance.get_dynamic_partitions(SITE_SEASON))


@pytest.fixture
def desk(tmp_path: Path, archives: Archives) -> Iterator[Desk]:
    with dg.instance_for_test() as instance:
        (tmp_path / "data").mkdir()
        SiteRegistry(tmp_path / "data" / "sites.geojson", ()).add(HERE)
        yield Desk(tmp_path / "data", archives, instance)


def test_an_edit_of_the_sites_file_becomes_partitions(desk: Desk) -> None:
    desk.tick(sites_file)
    assert desk.partitions == {"innsbruck_2023", "innsbruck_2024", "vindeln2_2024"}
    desk.platform.registry.add(THERE.model_copy(update={"seasons": (2021,)}))
    says = desk.tick(sites_file).skip_reason
    assert desk.partitions == {"innsbruck_2023", "innsbruck_2024", "vindeln2_2021"}
    assert says is not None
    assert "added vindeln2_2021" in str(says.skip_message)


def test_partitions_with_products_are_kept_when_their_site_is_gone(desk: Desk) -> None:
    desk.tick(sites_file)
    with desk.platform.store.publish(Product("metrics", SiteSeason("innsbruck", 2023))) as draft:
        draft.write_json("metrics.json", {})
    desk.platform.registry.remove("innsbruck")
    desk.tick(sites_file)
    assert desk.partitions == {"innsbruck_2023", "vindeln2_2024"}


def test_keys_that_are_no_site_season_are_refused_with_the_reason(desk: Desk) -> None:
    desk.instance.add_dynamic_partitions(SITE_SEASON, ["pipe|key", "no season"])
    says = desk.tick(sites_file).skip_reason
    assert desk.partitions == {"innsbruck_2023", "innsbruck_2024", "vindeln2_2024"}
    assert says is not None
    assert "refused 'pipe|key'" in str(says.skip_message)


def test_a_sites_file_that_cannot_be_read_leaves_the_partitions_alone(desk: Desk) -> None:
    desk.tick(sites_file)
    before = desk.partitions
    desk.platform.settings.sites_path.write_text('{"features": [')
    says = desk.tick(sites_file).skip_reason
    assert desk.partitions == before
    assert says is not None
    assert "not valid JSON" in str(says.skip_message)


def test_only_running_seasons_are_watched_and_asked_for_once(desk: Desk, archives: Archives) -> None:
    desk.tick(sites_file)
    assert desk.requested(watch_sentinel2_archive) == ["innsbruck_2024", "vindeln2_2024"]
    assert desk.requested(watch_sentinel2_archive) == []
    assert archives.asked == ["/v1/search"] * 4, "one request a site and tick"


def test_a_new_scene_requests_the_site_that_it_shows_and_no_other(desk: Desk, archives: Archives) -> None:
    desk.tick(sites_file)
    desk.tick(watch_sentinel2_archive)
    archives.scenes["vindeln2"] += 1
    assert desk.requested(watch_sentinel2_archive) == ["vindeln2_2024"]


def test_a_reprocessed_scene_is_news_although_there_are_no_more_of_them(desk: Desk, archives: Archives) -> None:
    desk.tick(sites_file)
    desk.tick(watch_sentinel2_archive)
    archives.updated = "2024-06-10T08:00:00Z"
    assert desk.requested(watch_sentinel2_archive) == ["innsbruck_2024", "vindeln2_2024"]


def keys(result: dg.SensorResult) -> list[str]:
    return [str(request.run_key) for request in result.run_requests or []]


def test_news_that_comes_again_is_requested_under_another_key(desk: Desk, archives: Archives) -> None:
    """An item is withdrawn and restored; Dagster makes no second run for a run key."""
    desk.tick(sites_file)
    asked: list[str] = []
    for scenes in (60, 59, 60, 59):
        archives.scenes["innsbruck"] = scenes
        desk.time += timedelta(minutes=10)
        news = keys(desk.tick(watch_sentinel2_archive))
        assert any("innsbruck" in key for key in news)
        asked += news
    assert len(asked) == len(set(asked))


def test_a_site_that_was_removed_and_added_again_is_requested_again(desk: Desk) -> None:
    desk.tick(sites_file)
    first = keys(desk.tick(watch_sentinel2_archive))
    desk.platform.registry.remove("vindeln2")
    desk.time += timedelta(minutes=10)
    assert keys(desk.tick(watch_sentinel2_archive)) == []
    desk.platform.registry.add(THERE)
    desk.tick(sites_file)
    desk.time += timedelta(minutes=10)
    again = desk.tick(watch_sentinel2_archive)
    assert [request.partition_key for request in again.run_requests or []] == ["vindeln2_2024"]
    assert not set(keys(again)) & set(first)


def test_a_reset_cursor_requests_everything_again(desk: Desk) -> None:
    desk.tick(sites_file)
    first = keys(desk.tick(watch_sentinel2_archive))
    desk._cursors.clear()
    desk.time += timedelta(minutes=10)
    again = keys(desk.tick(watch_sentinel2_archive))
    assert len(again) == len(first)
    assert not set(again) & set(first)


@pytest.mark.parametrize("validators", [True, False], ids=["etag", "without"])
def test_a_camera_summary_with_other_values_of_the_same_size_is_news(
    desk: Desk, archives: Archives, validators: bool
) -> None:
    desk.platform.registry.remove("vindeln2")
    desk.tick(sites_file)
    archives.tagged = validators
    assert desk.requested(watch_phenocam_archive) == ["innsbruck_2024"]
    assert desk.requested(watch_phenocam_archive) == []
    archives.greenness = 0.43
    assert desk.requested(watch_phenocam_archive) == ["innsbruck_2024"]
    assert desk.requested(watch_phenocam_archive) == []


def test_a_request_whose_run_failed_is_made_again_after_a_day(desk: Desk) -> None:
    desk.time = datetime.now(UTC)
    desk.platform.registry.remove("vindeln2")
    desk.platform.registry.add(HERE.model_copy(update={"seasons": (desk.time.year,)}))
    desk.tick(sites_file)
    (request,) = desk.tick(watch_sentinel2_archive).run_requests or []
    tags = {"dagster/run_key": str(request.run_key), "dagster/sensor_name": watch_sentinel2_archive.name}
    create_run_for_test(desk.instance, "acquire_sentinel2", status=dg.DagsterRunStatus.FAILURE, tags=tags)
    assert desk.requested(watch_sentinel2_archive) == []
    desk.time += timedelta(days=1, hours=1)
    assert desk.requested(watch_sentinel2_archive) == [request.partition_key]
    assert desk.requested(watch_sentinel2_archive) == []


def test_an_archive_that_is_down_is_left_alone_for_longer_and_longer(desk: Desk, archives: Archives) -> None:
    desk.tick(sites_file)
    archives.down = True
    asked = []
    for quarter_hours in range(60):
        desk.time = NOON + timedelta(minutes=15 * quarter_hours)
        before = len(archives.asked)
        says = str(desk.tick(watch_sentinel2_archive).skip_reason.skip_message)
        assert ("did not answer" if len(archives.asked) > before else "was down") in says
        asked += [desk.time] * (len(archives.asked) - before)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=15), timedelta(hours=6))
    archives.down = False
    desk.time += timedelta(hours=6)
    assert desk.requested(watch_sentinel2_archive) == ["innsbruck_2024", "vindeln2_2024"]


def test_sentinel3_is_asked_for_by_schedule_every_few_days(desk: Desk) -> None:
    desk.time = datetime.now(UTC)
    year = desk.time.year
    desk.platform.registry.add(HERE.model_copy(update={"seasons": (2020, year)}))
    desk.platform.registry.remove("vindeln2")
    desk.tick(sites_file)
    key = f"innsbruck_{year}"
    assert desk.schedule(ask_sentinel3) == ([key], "")
    desk.instance.report_runless_asset_event(dg.AssetMaterialization("raw_s3", partition=key))
    assert "all asked for" in desk.schedule(ask_sentinel3)[1]
    desk.time += timedelta(days=3)
    assert desk.schedule(ask_sentinel3) == ([key], "")


def test_sentinel3_that_is_being_asked_for_is_not_asked_for_again(desk: Desk) -> None:
    """As when a machine that was off catches up on yesterday's tick just before today's."""
    desk.tick(sites_file)
    requested, _ = desk.schedule(ask_sentinel3)
    for key in requested:
        tags = {"dagster/partition": key}
        create_run_for_test(desk.instance, "acquire_sentinel3", status=dg.DagsterRunStatus.STARTED, tags=tags)
    again, why = desk.schedule(ask_sentinel3)
    assert again == []
    assert "being asked for" in why


def test_sentinel3_is_not_asked_for_while_copernicus_is_down(desk: Desk, archives: Archives) -> None:
    desk.tick(sites_file)
    archives.down = True
    requested, why = desk.schedule(ask_sentinel3)
    assert not requested
    assert "did not answer" in why
    assert "secret" not in why


def test_a_new_season_begins_at_continuous_sites_only(desk: Desk) -> None:
    desk.tick(sites_file)
    desk.platform.registry.add(HERE.model_copy(update={"continuous": True}))
    desk.time = datetime(2025, 1, 1, 0, 20, tzinfo=UTC)
    requested, _ = desk.schedule(new_seasons)
    assert requested == ["innsbruck_2025"]
    assert "innsbruck_2025" in desk.partitions
    assert desk.platform.registry.site("innsbruck").seasons == (2023, 2024, 2025)
    assert "1 continuous sites have it already" in desk.schedule(new_seasons)[1]
