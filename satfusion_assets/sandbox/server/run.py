"""The server as a process: run it here, or start it as a child and learn its address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Self

from satfusion_assets.sandbox.server.credentials import PASSWORD, USER
from satfusion_assets.vocabulary.errors import ServiceFailed

if TYPE_CHECKING:
    from satfusion_assets.sandbox.world import World

READY: Final = "READY "
LEASH: Final = "SATFUSION_SANDBOX_LEASH"
"""Set for children that must end when their standard input does."""

LOOPBACK: Final = "127.0.0.1"
KEEP_ALIVE_SECONDS: Final = 75
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 10.0
_REMEMBERED_LINES: Final = 50


def serve(make_world: Callable[[], World], state: Path, port: int = 0, address: str = LOOPBACK) -> None:
    """Serve the archives at an address of this machine until interrupted; writes ``READY http://ADDRESS:PORT`` when
    they answer.

    port 0 = any free one. OSError when the port is taken. A child of ``ServerProcess`` also ends with its parent.
    """
    import uvicorn

    from satfusion_assets.sandbox.server.app import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            sys.stdout.write(f"{READY}{url}\n")
            sys.stdout.flush()
            if LEASH in os.environ:
                threading.Thread(target=self.follow_parent, daemon=True).start()

        def follow_parent(self) -> None:
            while os.read(sys.stdin.fileno(), 1):  # unbuffered: a buffer's lock would be held at exit
                pass
            self.should_exit = True

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        url = f"http://{address}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(make_world(), state),
            http="httptools",
            loop="asyncio",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        Server(config).run(sockets=[listener])


def archive_variables(url: str) -> dict[str, str]:
    """The variables that point the platform at a server that runs at ``url``."""
    return {
        "SATFUSION_EARTH_SEARCH_URL": f"{url}/v1",
        "SATFUSION_OPENEO_URL": f"{url}/openeo/1.2",
        "SATFUSION_PHENOCAM_URL": url,
        "CDSE_USER": USER,
        "CDSE_PASSWORD": PASSWORD,
    }


class ServerProcess:
    """A child process that runs ``serve`` and says READY; a context manager that stops it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[str] | None = None
        self._errors: deque[str] = deque(maxlen=_REMEMBERED_LINES)
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the child and wait until it answers; ServiceFailed with its last word when it does not."""
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {LEASH: "1"},
        )
        self._process = process
        errors = _drain(process.stderr, self._errors)
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.start()
        assert process.stdout is not None
        line = next((line for line in process.stdout if line.startswith(READY)), None)
        watchdog.cancel()
        if line is None:
            self.stop()
            errors.join(STOP_SECONDS)  # its last word may still be on its way
            raise ServiceFailed(
                f"The sandbox did not start: {self._errors[-1].strip() if self._errors else 'it said nothing'}"
            )
        self.url = line.removeprefix(READY).strip()
        _drain(process.stdout, deque(maxlen=0))

    def stop(self) -> None:
        """Stop the child and wait for it; killed when it does not go."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None

    def kill(self) -> None:
        """End the child at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def environment(self) -> dict[str, str]:
        """The variables that point the platform at this server."""
        return archive_variables(self.url)


class SandboxProcess(ServerProcess):
    """The sandbox's archives for the sites of ``sites``, kept in ``root``."""

    def __init__(
        self,
        root: Path,
        sites: Path,
        seed: int = 1,
        today: date | None = None,
        port: int = 0,
        landscape: str = "plain",
    ) -> None:
        command = [sys.executable, "-m", "satfusion_assets.sandbox.server"]
        command += ["--root", str(root), "--sites", str(sites), "--seed", str(seed), "--port", str(port)]
        command += ["--landscape", landscape]
        super().__init__(command if today is None else [*command, "--today", today.isoformat()])


def _drain(stream: IO[str] | None, lines: deque[str]) -> threading.Thread:
    """Read a child's stream to its end in the background, so that the child never waits for a reader."""
    assert stream is not None
    reader = threading.Thread(target=lines.extend, args=(stream,), daemon=True)
    reader.start()
    return reader
