"""RabbitMQ on a machine, with a user and a folder of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.demo_cluster.machine import Machine, do, start, stop, wait_for_port
from satfusion_assets.vocabulary.errors import ServiceFailed

PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's; what it has on the PATH changes the user first."""
_CONF: Final = """
listeners.tcp.1 = {address}:{port}
default_user = satfusion
default_pass = {password}
loopback_users = none
log.file.level = info
"""


class RabbitMq:
    """A broker that can be stopped and started; queues outlast it. ports: of clients, of Erlang, of its registry."""

    def __init__(self, machine: Machine, folder: Path, ports: tuple[int, int, int]) -> None:
        self._machine = machine
        self._port, erlang, registry = ports
        self._log = folder / "out.log"
        self._process: subprocess.Popen[bytes] | None = None
        password = secrets.token_hex(16)
        self.url = f"amqp://satfusion:{password}@{machine.address}:{self._port}//"
        folder.mkdir(parents=True)
        conf = folder / "rabbitmq.conf"
        conf.write_text(_CONF.format(address=machine.address, port=self._port, password=password))
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),  # of Erlang's cookie
            "RABBITMQ_NODENAME": "satfusion@localhost",
            "RABBITMQ_CONFIG_FILE": str(conf),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_DIST_PORT": str(erlang),
            "ERL_EPMD_PORT": str(registry),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def start(self) -> None:
        self._process = start(self._machine, [str(PROGRAM)], self._log, self._environment)
        wait_for_port(self._machine.address, self._port, self._process, "RabbitMQ", self._log)

    def stop(self) -> None:
        """At once, as a crash would; what was queued lies on the disk. Erlang's registry, a daemon, ends with it."""
        if self._process is not None:
            stop(self._process)
            with suppress(ServiceFailed):
                do(
                    self._machine, "epmd", "-kill", environment=self._environment, again_s=5
                )  # it refuses while it knows nodes


def is_installed() -> bool:
    return PROGRAM.exists()
