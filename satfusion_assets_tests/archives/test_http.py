"""The polite client: what it asks again, what it gives up on, what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from satfusion_assets.archives.http import FileWithheld, HttpArchive, NoAddress, NotFound, Refused, TooLarge
from satfusion_assets.archives.retry import RetryPolicy, retry_after_s
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected
from satfusion_assets_tests.archives.conftest import IMPATIENT, archive, trickling

URL = "https://user:password@archive.example/data/file.tif?token=secret"


class Script:
    """Answers in turn, the last one for ever; remembers what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "trouble",
    [httpx.Response(status) for status in (403, 408, 429, 500, 502, 503, 504)]
    + [httpx.ReadTimeout(""), httpx.ConnectError(""), httpx.RemoteProtocolError("cut off"), httpx.ReadError("")],
    ids=str,
)
def test_trouble_is_asked_again(trouble: httpx.Response | Exception) -> None:
    script = Script(trouble, trouble, httpx.Response(200, content=b"whole"))
    assert archive(script).get(URL).body == b"whole"
    assert script.asked == 3


@pytest.mark.parametrize("trouble", [httpx.Response(503), httpx.ReadTimeout(f"{URL} timed out")], ids=str)
def test_the_last_attempt_ends_in_one_sentence_without_secrets(trouble: httpx.Response | Exception) -> None:
    script = Script(trouble)
    with pytest.raises(ArchiveUnavailable) as caught:
        archive(script).get(URL)
    assert script.asked == IMPATIENT.attempts
    message = str(caught.value)
    assert "https://archive.example/data/file.tif" in message
    assert not {"secret", "password", "\n"} & {word for word in ("secret", "password", "\n") if word in message}


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (410, NotFound), (401, CredentialsRejected), (418, ArchiveAnswerInvalid)]
)
def test_what_the_archive_means_is_said(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"HTTP {status}"):
        archive(Script(httpx.Response(status))).get(URL)


def test_not_found_is_final() -> None:
    script = Script(httpx.Response(404))
    with pytest.raises(NotFound):
        archive(script).get(URL)
    assert script.asked == 1


def test_retry_after_sets_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    script = Script(httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503), httpx.Response(200))
    archive(script, RetryPolicy(attempts=3, first_wait_s=1)).get(URL)
    assert pauses == [7, 2]


def test_a_long_retry_after_ends_the_run_at_once() -> None:
    script = Script(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(ArchiveUnavailable, match="3600 s"):
        archive(script).get(URL)
    assert script.asked == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12),
        (" 1.5 ", 1.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("-5", None),
        ("1e999", None),
        ("Wed, 99 Oct 99999 07:28:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds


@pytest.mark.parametrize("header", ["nan", "-1", "soon"])
def test_a_retry_after_that_says_nothing_leaves_our_own_pause(monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    script = Script(httpx.Response(429, headers={"Retry-After": header}), httpx.Response(200))
    archive(script, RetryPolicy(attempts=2, first_wait_s=3)).get(URL)
    assert pauses == [3]


def test_a_retry_after_too_long_to_be_a_number_ends_the_run() -> None:
    with pytest.raises(ArchiveUnavailable, match="before it is asked again"):
        archive(Script(httpx.Response(429, headers={"Retry-After": "9" * 400}))).get(URL)


def test_an_answer_that_trickles_for_ever_is_given_up() -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            yield b"x"

    with pytest.raises(ArchiveUnavailable, match="longer than"):
        archive(
            lambda request: httpx.Response(200, content=trickle()),
            RetryPolicy(attempts=1, first_wait_s=0, deadline_s=0.05),
        ).get(URL)


def test_damaged_json_is_asked_again_then_refused() -> None:
    script = Script(httpx.Response(200, content=b'{"a": '), httpx.Response(200, content=b'{"a": 1}'))
    assert archive(script).get_json(URL) == {"a": 1}
    with pytest.raises(ArchiveAnswerInvalid, match="not JSON"):
        archive(Script(httpx.Response(200, content=b"<html>"))).get_json(URL)


@pytest.mark.parametrize(
    "href",
    ["s3://bucket/B03.tif", "ftp://a.example/x", "file:///etc/passwd", "", "B03.tif", "//a.example/x", "http://",
     "http://a.example:99999/x", "http://a.example:port/x", "http://[::1/x", "https:///x", "https://xn--/x"],
)  # fmt: skip
def test_what_cannot_be_fetched_is_said_at_once(href: str) -> None:
    script = Script(httpx.Response(200))
    with pytest.raises(NoAddress, match="cannot be fetched"):
        archive(script).get(href)
    assert script.asked == 0


def test_a_redirect_to_what_cannot_be_fetched_is_no_silence_of_the_archive() -> None:
    with pytest.raises(NoAddress):
        archive(Script(httpx.Response(302, headers={"Location": "s3://bucket/key"}))).get(URL)


@pytest.mark.parametrize("status", [206, 304])
def test_a_part_or_no_change_is_an_answer_only_to_who_asked_for_it(status: int) -> None:
    script = Script(httpx.Response(status, content=b""), httpx.Response(200, content=b"whole"))
    assert archive(script).get(URL).body == b"whole"
    asked = {"Range": "bytes=0-1"} if status == 206 else {"If-None-Match": '"1"'}
    assert archive(Script(httpx.Response(status))).get(URL, asked).status == status


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_without_measure_is_refused_unread(announced: bool) -> None:
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 2**20
            yield bytes(2**20)

    headers = {"Content-Length": str(10**18)} if announced else {}
    with pytest.raises(TooLarge, match="more than 4 MiB"):
        archive(lambda request: httpx.Response(200, content=flood(), headers=headers)).get_checked(
            URL, lambda answer: answer, most_bytes=4 * 2**20
        )
    assert sent <= 6 * 2**20, "it is not read to an end, and not asked for again"


def test_json_nested_beyond_measure_is_no_json() -> None:
    with pytest.raises(ArchiveAnswerInvalid, match="not JSON"):
        archive(Script(httpx.Response(200, content=b"[" * 100_000))).get_json(URL)


@pytest.mark.parametrize(("status", "error"), [(503, FileWithheld), (403, FileWithheld), (401, Refused)])
def test_what_one_address_withholds_is_told_with_the_address(status: int, error: type[Any]) -> None:
    with pytest.raises(error) as caught:
        archive(Script(httpx.Response(status))).get(URL)
    assert caught.value.url == "https://archive.example/data/file.tif"


@pytest.mark.parametrize("elsewhere", ["https://other.example/x", "https://archive.example:8443/x"])
@pytest.mark.parametrize("status", [302, 307, 308])
def test_credentials_follow_no_redirect_to_another_host(elsewhere: str, status: int) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, headers={"Location": elsewhere}) if len(asked) == 1 else httpx.Response(200)

    archive(answer).get(URL, {"Cookie": "session=1"})
    archive(answer).get(URL, {"Authorization": "Bearer token"})
    assert asked[0].headers["authorization"].startswith("Basic")
    followed = [request for request in asked if str(request.url) == elsewhere]
    assert followed
    assert not any({"authorization", "cookie"} & request.headers.keys() for request in followed)


def test_a_deadline_ends_headers_that_trickle() -> None:
    """Each byte comes in time, so no time-out of a read ever ends it."""
    with trickling() as address, HttpArchive("The archive", RetryPolicy(1, 0, timeout_s=2, deadline_s=0.3)) as http:
        with pytest.raises(FileWithheld, match="no answer in time"):
            http.get(address)
