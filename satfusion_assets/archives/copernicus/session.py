"""The HTTP session behind the openEO client: every answer has a deadline and a largest size, and credentials stay at
the host that they were meant for.

The client gives its session no way to bound an answer: its time-out counts silence, so that a byte a minute keeps a
run waiting for ever, and whatever is sent is swallowed. Here a watchdog closes the connection at the deadline, wherever
the answer has come to by then (also within its headers).
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from time import monotonic
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from satfusion_assets.archives.retry import RetryPolicy, retry_after_s

LARGEST_ANSWER: Final = 64 * 2**20
"""Bytes of an answer of the interface: the longest lists and logs are a few megabytes. Results come elsewhere."""
_CHUNK: Final = 1 << 16
_SAFE: Final = ("GET", "HEAD")


class AnswerTooLarge(requests.RequestException):
    """The answer is longer than anything that was asked for."""


class AnswerTooSlow(requests.RequestException):
    """The answer was not complete at its deadline."""


class RedirectRefused(requests.RequestException):
    """The service sends a request with credentials on to another host. host: which."""

    def __init__(self, host: str) -> None:
        super().__init__(f"redirected to {host}")
        self.host = host


class PoliteSession(requests.Session):
    """A session for one thread: bounded answers, no redirect of credentials to another host, nothing repeated.

    retry_after: seconds that the latest answer asked for, None when it did not.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        super().__init__()
        self._timeout_s = policy.timeout_s
        self.retry_after: float | None = None
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Bounded(policy.deadline_s))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs["timeout"] = self._timeout_s
        self.retry_after = None
        response = super().request(method, url, *args, **kwargs)
        self.retry_after = retry_after_s(response.headers.get("Retry-After"))
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        url = urljoin(resp.url, target)
        secret = "Authorization" in resp.request.headers or resp.request.method not in _SAFE
        if secret and self.should_strip_auth(resp.url, url):
            raise RedirectRefused(urlsplit(url).hostname or "nowhere")
        return target


class _Watched:
    """What a request in flight runs over, so that another thread can end it."""

    def __init__(self) -> None:
        self.connection: HTTPConnection | None = None
        self.ended = False

    def end(self) -> None:
        self.ended = True
        sock = getattr(self.connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


_of_thread: Final = threading.local()


class _Connection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _of_thread.watched.connection = self
        super().request(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _of_thread.watched.connection = self
        super().request(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Bounded(HTTPAdapter):
    """Sends one request and reads its whole answer, within a deadline and a size."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(max_retries=0)
        self._deadline_s = deadline_s
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        watched = _of_thread.watched = _Watched()
        watchdog = threading.Timer(self._deadline_s, watched.end)
        watchdog.daemon = True
        watchdog.start()
        give_up = monotonic() + self._deadline_s
        try:
            response = super().send(request, *args, **kwargs | {"stream": True})
            body = self._body(response)
        except requests.RequestException as error:
            if watched.ended:
                raise self._too_slow() from error
            raise
        finally:
            watchdog.cancel()
        if watched.ended or monotonic() > give_up:  # a body without a length ends with its connection
            raise self._too_slow()
        response._content = body
        return response

    def _body(self, response: requests.Response) -> bytes:
        chunks, length = [], 0
        for chunk in response.iter_content(_CHUNK):
            chunks.append(chunk)
            length += len(chunk)
            if length > LARGEST_ANSWER:
                response.close()
                raise AnswerTooLarge(f"more than {LARGEST_ANSWER >> 20} MB")
        return b"".join(chunks)

    def _too_slow(self) -> AnswerTooSlow:
        return AnswerTooSlow(f"the answer took longer than {self._deadline_s:g} s")
