"""The polite client: what it asks again, what it gives up on, what it says."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from satfusion_assets.archives.http import NotFound
from satfusion_assets.archives.patience import Patience, retry_after_s
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected
from satfusion_assets_tests.archives.conftest import IMPATIENT, archive

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
def test_patience_ends_in_one_sentence_without_secrets(trouble: httpx.Response | Exception) -> None:
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
    archive(script, Patience(attempts=3, first_wait_s=1)).get(URL)
    assert pauses == [7, 2]


def test_a_long_retry_after_ends_the_run_at_once() -> None:
    script = Script(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(ArchiveUnavailable, match="3600 s"):
        archive(script).get(URL)
    assert script.asked == 1


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after_s("12") == 12
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after_s("soon") is None


def test_an_answer_that_trickles_for_ever_is_given_up() -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            yield b"x"

    with pytest.raises(ArchiveUnavailable, match="longer than"):
        archive(
            lambda request: httpx.Response(200, content=trickle()),
            Patience(attempts=1, first_wait_s=0, deadline_s=0.05),
        ).get(URL)


def test_damaged_json_is_asked_again_then_refused() -> None:
    script = Script(httpx.Response(200, content=b'{"a": '), httpx.Response(200, content=b'{"a": 1}'))
    assert archive(script).get_json(URL) == {"a": 1}
    with pytest.raises(ArchiveAnswerInvalid, match="not JSON"):
        archive(Script(httpx.Response(200, content=b"<html>"))).get_json(URL)
