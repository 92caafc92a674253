"""A deadline for a whole request: every read and write of its connection ends there, however little still trickles.

httpx bounds each read by itself. A server that sends a byte now and then, in the headers already, keeps such a client
for days: its answer is never silent for long enough.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

import httpcore
import httpx

_give_up: ContextVar[float | None] = ContextVar("give_up", default=None)
"""The monotonic time at which the request of this thread ends."""


@contextmanager
def deadline(seconds: float) -> Iterator[float]:
    """Requests inside, through a client that was ``bound``, end ``seconds`` from now; gives that monotonic time."""
    end = monotonic() + seconds
    token = _give_up.set(end)
    try:
        yield end
    finally:
        _give_up.reset(token)


def bound(client: httpx.Client) -> httpx.Client:
    """``client`` (without requests so far), obeying ``deadline``; transports without a network are left as they are.

    httpx has no place for a network backend, so its connection pools get theirs here; a test trickles through it.
    """
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Backend()
    return client


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """Seconds that a read or write may take; ``late`` is raised when there are none left."""
    end = _give_up.get()
    if end is None:
        return timeout
    left = end - monotonic()
    if left <= 0:
        raise late("deadline")
    return left if timeout is None else min(timeout, left)
