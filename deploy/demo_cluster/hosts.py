"""Hosts of their own on one machine of Linux: each has a network, a name and processes that only it sees.

A host lives as long as its first process, which ends when its standard input does: whatever ends this program, Ctrl-C
or kill -9, the kernel then ends every process of every host, and their networks go with them.
"""

from __future__ import annotations

import ipaddress
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import filelock
import psutil

from deploy.demo_cluster.machine import ThisMachine, do
from satfusion_assets.vocabulary.errors import ServiceFailed

NETWORK: Final = ipaddress.ip_network("10.77.17.0/24")
"""A private network that hardly anybody uses; it is seen on this machine alone."""
BRIDGE: Final = "satfusion0"
_LOCK: Final = Path("/run/lock/satfusion-demo-cluster")
_NAMESPACES: Final = ("--net", "--uts", "--pid", "--mount")
_HERE: Final = ThisMachine()


class Host:
    """One host on the bridge. number: of its address in the network."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = str(NETWORK[number])
        self._cable = f"satfusion-{number}"
        self._first: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def first(self) -> int:
        """This machine's number of the host's first process."""
        return self._pid

    def boot(self) -> None:
        first = f"hostname {self.name} && ip link set lo up && exec cat"
        command = ["unshare", *_NAMESPACES, "--fork", "--kill-child", "--mount-proc", "sh", "-c", first]
        self._first = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        self._pid = self._first_of_namespace(self._first)
        do(_HERE, "ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(self._pid))
        do(_HERE, "ip", "link", "set", self._cable, "master", BRIDGE, "up")
        do(self, "ip", "address", "add", f"{self.address}/{NETWORK.prefixlen}", "dev", "eth0")
        do(self, "ip", "link", "set", "eth0", "up")

    def kill(self) -> None:
        """End every process of the host at once, as a power cut does."""
        if self._first is None:
            return
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self._pid).kill()  # the first of its namespace: the kernel ends all others
        assert self._first.stdin is not None
        self._first.stdin.close()
        self._first.wait()
        self._first = None
        deadline = time.monotonic() + 10
        while Path(f"/sys/class/net/{self._cable}").exists() and time.monotonic() < deadline:
            time.sleep(0.1)

    def cut(self) -> None:
        """Pull the network's cable."""
        do(_HERE, "ip", "link", "set", self._cable, "down")

    def mend(self) -> None:
        do(_HERE, "ip", "link", "set", self._cable, "up")

    def inside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", "--target", str(self._pid), *_NAMESPACES, "--", *command]

    def _first_of_namespace(self, unshare: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and unshare.poll() is None:
            children = psutil.Process(unshare.pid).children()
            if children and children[0].name() == "cat":  # the shell before it has done its work
                return children[0].pid
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            unshare.kill()
        said = unshare.stderr.read().decode().strip() if unshare.stderr else ""
        raise ServiceFailed(f"Namespaces cannot be made here: {said or 'unshare did not answer'}.")


@contextmanager
def only_one() -> Iterator[None]:
    """Of all that use the network here; ServiceFailed when there is another."""
    lock = filelock.FileLock(_LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise ServiceFailed("Another demo of a cluster runs on this machine; stop it and start again.") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def network(*names: str) -> Iterator[list[Host]]:
    """Hosts on a bridge that this machine reaches too; nothing of them is left when the block ends.

    ServiceFailed when the machine does not let us.
    """
    with ExitStack() as stack:
        _remove_bridge()  # of a demo that was killed
        do(_HERE, "ip", "link", "add", BRIDGE, "type", "bridge")
        stack.callback(_remove_bridge)
        do(_HERE, "ip", "address", "add", f"{NETWORK[-2]}/{NETWORK.prefixlen}", "dev", BRIDGE)
        do(_HERE, "ip", "link", "set", BRIDGE, "up")
        hosts = [Host(name, number) for number, name in enumerate(names, start=1)]
        for host in hosts:
            stack.callback(host.kill)
            host.boot()
        yield hosts


def may_make_namespaces() -> bool:
    return os.geteuid() == 0


def _remove_bridge() -> None:
    if Path(f"/sys/class/net/{BRIDGE}").exists():
        do(_HERE, "ip", "link", "delete", BRIDGE)
