"""RabbitMQ on loopback ports of its own."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from satfusion_assets_tests.store.servers.running import child, free_port

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def has_rabbit() -> bool:
    return SERVER.exists() and os.geteuid() == 0


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """Its address; ``folder`` for what it keeps."""
    port, distribution = free_port(), free_port()
    folder.mkdir(parents=True)
    variables = {
        "RABBITMQ_NODENAME": f"satfusion{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": str(folder),
    }
    shutil.chown(folder, "rabbitmq")
    command = ["runuser", "-u", "rabbitmq", "--", "env", *(f"{name}={value}" for name, value in variables.items())]
    with child([*command, str(SERVER)], None):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.5)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
