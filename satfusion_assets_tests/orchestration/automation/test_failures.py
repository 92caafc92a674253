"""People are told of what failed, once, by webhook and by mail, and of nothing else."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from satfusion_assets.orchestration.automation.failures import LINES, failures, message, send, tell_failures
from satfusion_assets.orchestration.automation.freshness import FRESH
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.errors import NoticeNotSent
from satfusion_assets.vocabulary.settings import Settings


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


class Chat(ThreadingHTTPServer):
    """What takes webhooks; ``status`` is its answer."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.status = 200
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                chat.told.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/s3cret"


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fail(instance: dg.DagsterInstance, says: str, **tags: str) -> dg.DagsterRun:
    """A run that ends with what a stage refuses."""

    @dg.asset(name="fused")
    def refusing() -> None:
        raise dg.Failure(says)

    done = dg.materialize([refusing], instance=instance, raise_on_error=False, tags=tags)
    return instance.get_run_by_id(done.run_id)


def look(instance: dg.DagsterInstance, settings: Settings, cursor: str | None) -> Any:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, sensor_name="tell_failures")
    return tell_failures(context, platform=Platform(settings))


def minutes_ago(number: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=number)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_a_run_that_failed_is_told_with_its_cause_and_once(instance: dg.DagsterInstance, chat: Chat, tmp_path: Path):
    settings = Settings(_env_file=None, data_root=tmp_path, notify_webhook=SecretStr(chat.url))
    first = look(instance, settings, None)
    run = fail(instance, "The disk is full; free some space.", **{"dagster/partition": "innsbruck_2024"})
    second = look(instance, settings, first.cursor)
    third = look(instance, settings, second.cursor)
    assert len(chat.told) == 1
    assert chat.told[0].startswith(f"Run {run.run_id[:8]} of innsbruck_2024 failed: The disk is full; free some space.")
    assert third.cursor > second.cursor > first.cursor


def test_what_was_there_before_anybody_was_to_be_told_is_not_told(
    instance: dg.DagsterInstance, chat: Chat, tmp_path: Path
):
    fail(instance, "long ago")
    look(instance, Settings(_env_file=None, data_root=tmp_path, notify_webhook=SecretStr(chat.url)), None)
    assert chat.told == []


def test_what_could_not_be_sent_is_told_at_the_next_look(instance: dg.DagsterInstance, chat: Chat, tmp_path: Path):
    settings = Settings(_env_file=None, data_root=tmp_path, notify_webhook=SecretStr(chat.url))
    cursor = look(instance, settings, None).cursor
    fail(instance, "a cause")
    chat.status = 500
    with pytest.raises(NoticeNotSent, match="SATFUSION_NOTIFY_WEBHOOK answers 500") as refused:
        look(instance, settings, cursor)
    assert "s3cret" not in str(refused.value)
    chat.status = 200
    look(instance, settings, cursor)
    assert "a cause" in chat.told[-1]


def test_without_a_setting_nothing_is_looked_at(instance: dg.DagsterInstance, tmp_path: Path):
    answer = look(instance, Settings(_env_file=None, data_root=tmp_path), None)
    assert isinstance(answer, dg.SkipReason)


def test_a_run_that_is_made_again_by_itself_needs_nobody(instance: dg.DagsterInstance):
    fail(instance, "killed", **{"dagster/will_retry": "true"})
    assert list(failures(instance, minutes_ago(5), soon())) == []


def test_a_sensor_that_fails_is_told_and_the_teller_itself_is_not(instance: dg.DagsterInstance):
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
    from dagster_shared.error import SerializableErrorInfo

    for name in ("sites_file", "tell_failures"):
        origin = remote_origin(name)
        state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
        instance.add_instigator_state(state)
        for _ in range(3):
            error = SerializableErrorInfo("ValueError: sites.geojson is broken\n", [], "ValueError")
            instance.create_tick(
                TickData(
                    origin.get_id(),
                    name,
                    InstigatorType.SENSOR,
                    TickStatus.FAILURE,
                    datetime.now(UTC).timestamp(),
                    error=error,
                    selector_id=state.selector_id,
                )
            )
    told = list(failures(instance, minutes_ago(5), soon(), besides="tell_failures"))
    assert told == ["sites_file failed 3 times: ValueError: sites.geojson is broken"]


def remote_origin(name: str) -> Any:
    from dagster._core.remote_origin import (
        RegisteredCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )

    return RemoteInstigatorOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("satfusion"), "repo"), name)


@pytest.mark.parametrize("fresh", [False, True])
def test_a_freshness_check_that_does_not_pass_is_told(instance: dg.DagsterInstance, fresh: bool):
    @dg.asset_check(asset="fused", name=FRESH)
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=fresh, description="2 partitions of 3 running seasons are stale.")

    @dg.asset(name="fused")
    def fused() -> None:
        pass

    checks = dg.Definitions(assets=[fused], asset_checks=[check]).resolve_implicit_global_asset_job_def()
    checks.execute_in_process(instance=instance)
    told = list(failures(instance, minutes_ago(5), soon()))
    assert told == ([] if fresh else ["fused is not fresh: 2 partitions of 3 running seasons are stale."])


def test_a_message_names_the_first_and_counts_the_rest(tmp_path: Path):
    text = message([f"failure {number}" for number in range(LINES + 5)], Settings(_env_file=None, data_root=tmp_path))
    assert text.splitlines()[LINES - 1 :] == [f"failure {LINES - 1}", "... and 5 more", "See http://127.0.0.1:3000"]


class Post(socketserver.StreamRequestHandler):
    """As much of a mail server as takes one mail."""

    letters: list[str] = []  # noqa: RUF012

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        text, reading = [], False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if reading and line != ".":
                text.append(line)
                continue
            reading = line.upper() == "DATA"
            if line == ".":
                self.letters.append("\n".join(text))
            if line.upper() == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"354 go on\r\n" if reading else b"250 ok\r\n")


def test_a_mail_is_sent_and_a_server_that_is_not_there_is_one_sentence(tmp_path: Path):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        to = {"notify_mail": "people@example.org", "data_root": tmp_path, "_env_file": None}
        address = f"smtp://127.0.0.1:{server.server_address[1]}"
        send(Settings(**to, notify_smtp=SecretStr(address)), "Run 1 failed: a cause")
        server.shutdown()
    assert "To: people@example.org" in Post.letters[-1]
    assert "Run 1 failed: a cause" in Post.letters[-1]
    nobody = Settings(**to, notify_smtp=SecretStr("smtp://127.0.0.1:9"))
    with pytest.raises(NoticeNotSent, match="SATFUSION_NOTIFY_SMTP does not take mail"):
        send(nobody, "text")
