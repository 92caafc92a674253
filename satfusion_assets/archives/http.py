"""A polite HTTP client: time-outs everywhere, bounded retries with backoff, Retry-After honoured, whole answers only.

Retried: time-outs, dropped and refused connections, truncated bodies, transient statuses. What is left after the
last attempt is one ``ArchiveUnavailable``; what the archive means (404, 401) is said at once. An answer is complete
or it is an error: bodies are read here, against their announced length and against a deadline.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from satfusion_assets.archives.patience import (
    LONGEST_WAIT_S,
    TRANSIENT,
    Patience,
    public_url,
    retry_after_s,
)
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected

log = logging.getLogger(__name__)

# At INFO the library writes every address with its query, and queries sign links.
logging.getLogger("httpx").setLevel(logging.WARNING)

T = TypeVar("T")


class NotFound(ArchiveAnswerInvalid):
    """The archive says that it has no such thing (404, 410). url: without query."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class OutOfRange(ArchiveAnswerInvalid):
    """The archive's file ends before the bytes that were asked for (416): it is empty, cut off or another one now."""


class _Transient(Exception):
    """An attempt failed in a way that another attempt may not."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Answer:
    """A complete answer. url: without query. headers: lower-case names. body: b"" for 304 Not Modified."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")

    @property
    def unchanged(self) -> bool:
        """True for 304: what the caller has is current."""
        return self.status == httpx.codes.NOT_MODIFIED


class HttpArchive:
    """One archive over HTTP.

    name: as messages call it. transient: statuses to try again. Safe to use from several threads.
    """

    def __init__(
        self,
        name: str,
        patience: Patience,
        *,
        transient: Collection[int] = TRANSIENT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self.patience = patience
        self.requests = 0
        """Requests sent, failed ones included."""
        self.bytes_read = 0
        """Bytes of bodies received whole."""
        self._counting = threading.Lock()
        self._transient = transient
        self._client = httpx.Client(
            timeout=patience.timeout_s,
            follow_redirects=True,
            transport=transport,
            headers={"User-Agent": "satfusion"},
        )

    def __enter__(self) -> HttpArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The complete answer to GET; ArchiveUnavailable, CredentialsRejected, or ArchiveAnswerInvalid (NotFound,
        OutOfRange)."""
        return self.get_checked(url, _as_is, headers)

    def get_json(self, url: str) -> Any:
        """The JSON behind ``url``; an answer that is not JSON is asked for again, then ArchiveAnswerInvalid."""
        return self.get_checked(url, _parse_json)

    def get_checked(self, url: str, read: Callable[[Answer], T], headers: Mapping[str, str] | None = None) -> T:
        """``read(answer)``; when ``read`` raises ArchiveAnswerInvalid the answer is asked for again.

        A body may be damaged on its way without HTTP noticing; only who reads it can tell.
        """
        retrying = Retrying(
            retry=retry_if_exception(_worth_another_attempt),
            stop=stop_after_attempt(self.patience.attempts),
            wait=self._wait,
            before_sleep=self._note,
            reraise=True,
        )
        try:
            return retrying(lambda: read(self._attempt(url, headers or {})))
        except _Transient as failure:
            raise ArchiveUnavailable(
                f"{self.name} did not answer {public_url(url)} ({failure}, {self.patience.attempts} attempts); "
                f"run this again later."
            ) from None

    def _attempt(self, url: str, headers: Mapping[str, str]) -> Answer:
        give_up = monotonic() + self.patience.deadline_s
        try:
            with self._client.stream("GET", url, headers=dict(headers)) as response:
                chunks = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if monotonic() > give_up:
                        raise _Transient(f"the answer took longer than {self.patience.deadline_s:g} s")
                answer = Answer(
                    public_url(str(response.url)),
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    b"".join(chunks),
                )
        except httpx.InvalidURL as error:
            raise ArchiveAnswerInvalid(f"{self.name} gave a link that is no address: {public_url(url)}.") from error
        except httpx.HTTPError as error:
            raise _Transient(_reason(error)) from error
        finally:
            with self._counting:
                self.requests += 1
        with self._counting:
            self.bytes_read += len(answer.body)
        self._check_status(answer)
        return answer

    def _check_status(self, answer: Answer) -> None:
        status = answer.status
        if status in self._transient:
            pause = retry_after_s(answer.headers.get("retry-after"))
            if pause is not None and pause > LONGEST_WAIT_S:
                raise ArchiveUnavailable(
                    f"{self.name} asks for {pause:.0f} s of patience at {answer.url} (HTTP {status}); "
                    f"run this again then."
                )
            raise _Transient(f"HTTP {status}", pause)
        if status in (401, 403):
            raise CredentialsRejected(f"{self.name} refused access to {answer.url} (HTTP {status}).")
        if status in (404, 410):
            raise NotFound(f"{self.name} has nothing at {answer.url} (HTTP {status}).", answer.url)
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise OutOfRange(f"{self.name} has no such part of {answer.url} (HTTP {status}).")
        if status not in (200, 206, 304):
            raise ArchiveAnswerInvalid(f"{self.name} answered {answer.url} with HTTP {status}.")

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        pause = getattr(failure, "retry_after", None)
        return pause if pause is not None else self.patience.wait_s(state.attempt_number)

    def _note(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        log.info("%s: attempt %d failed (%s); trying again.", self.name, state.attempt_number, failure)


def _worth_another_attempt(error: BaseException) -> bool:
    return isinstance(error, (_Transient, ArchiveAnswerInvalid)) and not isinstance(error, (NotFound, OutOfRange))


def _as_is(answer: Answer) -> Answer:
    return answer


def _parse_json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise ArchiveAnswerInvalid(f"{answer.url} answered with something that is not JSON.") from error


def _reason(error: httpx.HTTPError) -> str:
    """A word for a transport error; the library's own text may hold addresses with tokens."""
    kinds: tuple[tuple[type[httpx.HTTPError], str], ...] = (
        (httpx.TimeoutException, "no answer in time"),
        (httpx.ConnectError, "no connection"),
        (httpx.RemoteProtocolError, "the answer was cut off or malformed"),
        (httpx.ReadError, "the connection broke"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), type(error).__name__)
