"""What the archives' tests share: real files, an archive without a network, an archive that serves bytes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.retry import THROTTLED, RetryPolicy
from satfusion_assets_tests.conftest import REAL_DATA

FIXTURES = Path(__file__).parent / "fixtures"
IMPATIENT = RetryPolicy(attempts=3, first_wait_s=0, timeout_s=2, deadline_s=5)

Handler = Callable[[httpx.Request], httpx.Response]


def archive(handler: Handler, policy: RetryPolicy = IMPATIENT) -> HttpArchive:
    """An archive whose answers are ``handler``'s."""
    return HttpArchive("The archive", policy, transient=THROTTLED, transport=httpx.MockTransport(handler))


def item(name: str) -> dict[str, Any]:
    """A real catalogue item among the fixtures."""
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def real_items() -> list[Path]:
    """Every real item: those committed, and more where the real data are."""
    committed = list(FIXTURES.glob("S2*_L2A.json"))
    names = {path.name for path in committed}
    return sorted(committed + [p for p in REAL_DATA.glob("stac/items/**/S2*.json") if p.name not in names])


@contextmanager
def trickling() -> Iterator[str]:
    """A server on loopback whose headers never end."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not done.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        done.set()
        thread.join()


@pytest.fixture(scope="module")
def tile_10m() -> np.ndarray:
    from satfusion_assets_tests.archives import tiles  # which stands on this module

    return tiles.tile(10)


@pytest.fixture(scope="module")
def cog_10m(tile_10m: np.ndarray) -> bytes:
    from satfusion_assets_tests.archives import tiles  # which stands on this module

    return tiles.cog(tile_10m, 10)


@pytest.fixture(scope="module")
def plain() -> dict[str, bytes]:
    from satfusion_assets_tests.archives import tiles  # which stands on this module

    return tiles.files()
