"""Starting and stopping S3 servers, and standing between them and their clients."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx

KEYS = {"AWS_ACCESS_KEY_ID": "satfusionkey", "AWS_SECRET_ACCESS_KEY": "satfusionsecret", "AWS_REGION": "us-east-1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def moto() -> Iterator[str]:
    """Moto's server, all in memory; its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with child(command):
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield url


@contextmanager
def child(command: list[str], log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone when the block ends, whatever state it is in."""
    with Path(log or os.devnull).open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            httpx.get(url, timeout=2)
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds} s")


def new_bucket(endpoint: str) -> str:
    """``s3://bucket/prefix`` of a bucket that was just made."""
    name = f"b{uuid.uuid4().hex[:12]}"
    _client(endpoint).create_bucket(Bucket=name)
    return f"s3://{name}/products"


@cache
def _client(endpoint: str) -> Any:
    """Made once: boto3 reads the descriptions of its services for each."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        region_name=KEYS["AWS_REGION"],
    )


class Between:
    """A proxy on loopback that passes requests on; told to, it drops the answers of creations after the server has
    carried them out, so that the client never learns what became of them."""

    def __init__(self, endpoint: str) -> None:
        self._target = httpx.URL(endpoint)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.drop = 0
        """Answers to creations that are still to be dropped."""
        self.dropped = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection((self._target.host, self._target.port or 80)) as server:
            creating = threading.Event()
            threading.Thread(target=self._upstream, args=(client, server, creating), daemon=True).start()
            with suppress(OSError):
                while piece := server.recv(65536):
                    if creating.is_set() and self.drop > 0:
                        self.drop -= 1
                        self.dropped += 1
                        client.shutdown(socket.SHUT_RDWR)
                        return
                    creating.clear()
                    client.sendall(piece)

    def _upstream(self, client: socket.socket, server: socket.socket, creating: threading.Event) -> None:
        with suppress(OSError):
            while piece := client.recv(65536):
                if b"if-none-match:" in piece.lower():
                    creating.set()
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)
