"""A polite HTTP client: time-outs everywhere, bounded retries with backoff, Retry-After honoured, whole answers only.

Retried: time-outs, dropped and refused connections, truncated bodies, transient statuses. What is left after the
last attempt is one ``FileWithheld``; what the archive means (404, 401) is said at once. An answer is complete and what
was asked for, or it is an error: bodies are read here, against their announced length, a size limit and a deadline.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Final, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from satfusion_assets.archives.deadline import bound, deadline
from satfusion_assets.archives.retry import (
    LONGEST_WAIT_S,
    MOST_BYTES,
    MOST_TEXT,
    TRANSIENT,
    RetryPolicy,
    is_web_address,
    public_url,
    retry_after_s,
)
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected

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


class NoAddress(ArchiveAnswerInvalid):
    """A link that nobody can fetch over HTTP: another scheme (``s3://``), no host, a port that is none."""


class TooLarge(ArchiveAnswerInvalid):
    """The answer is longer than anything the archives have."""


class FileWithheld(ArchiveUnavailable):
    """One address gave nothing in all attempts, which may be its own trouble or the archive's: others tell
    (``pipeline.acquisition.fetching``). url: without query.
    """

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class Refused(CredentialsRejected):
    """Access to one address is refused (401, 403). url: without query."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


_FINAL: Final = (NotFound, OutOfRange, NoAddress, TooLarge)
"""Answers that another attempt would only repeat."""
AT_ONCE: Final = 36
"""Requests under way in one archive at most: six scenes of six files."""
_DEEPEST: Final = 50
"""Levels of JSON; what is nested deeper cannot be written again by everybody who reads it."""
_DIGITS: Final = 15
"""Digits of a length that are looked at; more are as long as nothing is."""
_CONDITIONS: Final = frozenset({"if-none-match", "if-modified-since"})


class _Transient(Exception):
    """An attempt failed in a way that another attempt may not."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Request:
    """What is asked. headers: lower-case names. most_bytes: longest answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    most_bytes: int = MOST_BYTES
    json: Any = None


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
        policy: RetryPolicy,
        *,
        transient: Collection[int] = TRANSIENT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self.policy = policy
        self.requests = 0
        """Requests sent, failed ones included."""
        self.bytes_read = 0
        """Bytes of bodies received whole."""
        self._counting = threading.Lock()
        self._transient = transient
        client = httpx.Client(
            timeout=policy.timeout_s,
            follow_redirects=True,
            transport=transport,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE),
            headers={"User-Agent": "satfusion"},
            event_hooks={"request": [self._refuse_no_address]},
        )
        self._client = bound(client)
        self.together = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="archive")
        """For requests that need not wait for one another; the threads stay, with what GDAL and PROJ keep for each."""

    def __enter__(self) -> HttpArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.together.shutdown(cancel_futures=True)
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The complete answer to GET; ArchiveUnavailable (Withheld), CredentialsRejected (Refused), or
        ArchiveAnswerInvalid (NotFound, OutOfRange, NoAddress, TooLarge)."""
        return self.get_checked(url, _as_is, headers)

    def get_json(self, url: str) -> Any:
        """The JSON behind ``url``; an answer that is not JSON is asked for again, then ArchiveAnswerInvalid."""
        return self._ask(_Request("GET", url, {}, MOST_TEXT), _parse_json)

    def post_json(self, url: str, body: Any) -> Any:
        """The JSON that answers a question which changes nothing at the archive, so that it may be asked again."""
        return self._ask(_Request("POST", url, {}, MOST_TEXT, body), _parse_json)

    def get_checked(
        self,
        url: str,
        read: Callable[[Answer], T],
        headers: Mapping[str, str] | None = None,
        *,
        most_bytes: int = MOST_BYTES,
        attempts: int | None = None,
    ) -> T:
        """``read(answer)``; when ``read`` raises ArchiveAnswerInvalid the answer is asked for again.

        A body may be damaged on its way without HTTP noticing; only who reads it can tell. attempts: None = as many
        as the retry policy allows.
        """
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        return self._ask(_Request("GET", url, lower, most_bytes), read, attempts)

    def _ask(self, request: _Request, read: Callable[[Answer], T], attempts: int | None = None) -> T:
        if not is_web_address(request.url):
            raise self._no_address(request.url)
        most = attempts or self.policy.attempts
        retrying = Retrying(
            retry=retry_if_exception(_worth_another_attempt),
            stop=stop_after_attempt(most),
            wait=self._wait,
            before_sleep=self._note,
            reraise=True,
        )
        try:
            return retrying(lambda: read(self._attempt(request)))
        except _Transient as failure:
            url = public_url(request.url)
            raise FileWithheld(
                f"{self.name} did not answer {url} ({failure}, {most} attempts); run this again later.", url
            ) from None

    def _attempt(self, request: _Request) -> Answer:
        try:
            with (
                deadline(self.policy.deadline_s) as give_up,
                self._client.stream(
                    request.method, request.url, headers=dict(request.headers), json=request.json
                ) as response,
            ):
                answer = Answer(
                    public_url(str(response.url)),
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    self._body(response, give_up, request.most_bytes),
                )
        except (httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a host's name that IDNA does not know
            raise self._no_address(request.url) from error
        except httpx.HTTPError as error:
            raise _Transient(_reason(error)) from error
        finally:
            with self._counting:
                self.requests += 1
        with self._counting:
            self.bytes_read += len(answer.body)
        self._check_status(answer, request)
        return answer

    def _body(self, response: httpx.Response, give_up: float, most_bytes: int) -> bytes:
        """The whole body; TooLarge as soon as it is known to be longer than ``most_bytes``."""
        announced = response.headers.get("content-length", "")
        read, chunks = 0, []
        if announced.isdecimal() and int(announced[:_DIGITS]) > most_bytes:
            read = most_bytes + 1
        for chunk in () if read else response.iter_bytes():
            read += len(chunk)
            chunks.append(chunk)
            if read > most_bytes:
                break
            if monotonic() > give_up:
                raise _Transient(f"the answer took longer than {self.policy.deadline_s:g} s")
        if read > most_bytes:
            raise TooLarge(
                f"{self.name} answered {public_url(str(response.url))} with more than {most_bytes // 2**20} MiB, "
                f"which nothing of it has."
            )
        return b"".join(chunks)

    def _check_status(self, answer: Answer, request: _Request) -> None:
        status = answer.status
        if status in self._transient:
            pause = retry_after_s(answer.headers.get("retry-after"))
            if pause is not None and pause > LONGEST_WAIT_S:
                raise ArchiveUnavailable(
                    f"{self.name} asks for {pause:.0f} s before it is asked again at {answer.url} (HTTP {status}); "
                    f"run this again then."
                )
            raise _Transient(f"HTTP {status}", pause)
        if status in (401, 403):
            raise Refused(f"{self.name} refused access to {answer.url} (HTTP {status}).", answer.url)
        if status in (404, 410):
            raise NotFound(f"{self.name} has nothing at {answer.url} (HTTP {status}).", answer.url)
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise OutOfRange(f"{self.name} has no such part of {answer.url} (HTTP {status}).")
        if status not in _wanted(request):
            raise ArchiveAnswerInvalid(
                f"{self.name} answered {answer.url} with HTTP {status}, which was not asked for."
            )

    def _refuse_no_address(self, request: httpx.Request) -> None:
        """For every request that is sent, those that a redirect leads to included."""
        if not is_web_address(str(request.url)):
            raise self._no_address(str(request.url))

    def _no_address(self, url: str) -> NoAddress:
        return NoAddress(f"{self.name} gave a link that cannot be fetched: {public_url(url)}.")

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        pause = getattr(failure, "retry_after", None)
        return pause if pause is not None else self.policy.wait_s(state.attempt_number)

    def _note(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        log.info("%s: attempt %d failed (%s); trying again.", self.name, state.attempt_number, failure)


def _worth_another_attempt(error: BaseException) -> bool:
    return isinstance(error, (_Transient, ArchiveAnswerInvalid)) and not isinstance(error, _FINAL)


def _wanted(request: _Request) -> frozenset[int]:
    """Statuses that answer ``request``: a part only when one was asked for, "unchanged" only to a condition."""
    part = {httpx.codes.PARTIAL_CONTENT} if "range" in request.headers else set()
    unchanged = {httpx.codes.NOT_MODIFIED} if _CONDITIONS & request.headers.keys() else set()
    return frozenset({httpx.codes.OK} | part | unchanged)


def _as_is(answer: Answer) -> Answer:
    return answer


def _parse_json(answer: Answer) -> Any:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise ArchiveAnswerInvalid(f"{answer.url} answered with something that is not JSON.") from error
    level = [document]
    for _ in range(_DEEPEST):
        level = [part for node in level for part in _parts(node)]
        if not level:
            return document
    raise ArchiveAnswerInvalid(f"{answer.url} answered with JSON of more than {_DEEPEST} levels.")


def _parts(node: Any) -> list[Any]:
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [part for part in inside if isinstance(part, (dict, list))]


def _reason(error: httpx.HTTPError) -> str:
    """A word for a transport error; the library's own text may hold addresses with tokens."""
    kinds: tuple[tuple[type[httpx.HTTPError], str], ...] = (
        (httpx.TimeoutException, "no answer in time"),
        (httpx.ConnectError, "no connection"),
        (httpx.RemoteProtocolError, "the answer was cut off or malformed"),
        (httpx.ReadError, "the connection broke"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), type(error).__name__)
