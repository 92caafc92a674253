"""Ceph's radosgw with one monitor and one object daemon, all in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.demo_cluster.machine import Machine, do, running, wait_for_port

PROGRAMS: Final = ("ceph-mon", "ceph-osd", "radosgw", "ceph", "monmaptool", "radosgw-admin")
_CONF: Final = """
[global]
fsid = {fsid}
mon_host = v1:{address}:{mon}
public_addr = {address}
cluster_addr = {address}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 8589934592
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
mon_data = {folder}/mon
osd_data = {folder}/osd
mon_cluster_log_file = {folder}/cluster.log
rgw_data = {folder}/rgw
rgw_enable_usage_log = false
keyring = {folder}/keyring
"""


@dataclass(frozen=True)
class Gateway:
    """A running radosgw. process: of the gateway alone, to be stopped and continued."""

    url: str
    process: subprocess.Popen[bytes]


def has_ceph() -> bool:
    return all(shutil.which(name) for name in PROGRAMS) and os.geteuid() == 0


@contextmanager
def radosgw(machine: Machine, folder: Path, ports: tuple[int, int], keys: Mapping[str, str]) -> Iterator[Gateway]:
    """A gateway; ``folder`` for its logs and what little lies on the disk.

    ports: of the monitor and the gateway. keys: ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY`` of its one user.
    """
    fsid, (mon, port), address = str(uuid.uuid4()), ports, machine.address
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir(parents=True)
    conf, log = folder / "ceph.conf", folder / "out.log"
    conf.write_text(_CONF.format(fsid=fsid, mon=mon, folder=folder, address=address))
    own = ("-c", str(conf))

    def ask(*command: str | Path) -> bytes:
        return do(machine, *command, again_s=60)

    ask("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", f"[v1:{address}:{mon}]", folder / "map")
    ask("ceph-mon", *own, "--mkfs", "-i", "a", "--monmap", folder / "map")
    with ExitStack() as stack:
        stack.enter_context(running(machine, ["ceph-mon", *own, "-i", "a", "-f"], log))
        identity = str(uuid.uuid4())
        ask("ceph", *own, "--connect-timeout", "60", "osd", "new", identity)
        ask("ceph-osd", *own, "-i", "0", "--mkfs", "--osd-uuid", identity)
        daemon = stack.enter_context(running(machine, ["ceph-osd", *own, "-i", "0", "-f"], log))
        while b"osd.0 up" not in ask("ceph", *own, "osd", "dump"):
            if daemon.poll() is not None:  # "wrong fsid": it asked before it had the monitor's map, and gave up
                daemon = stack.enter_context(running(machine, ["ceph-osd", *own, "-i", "0", "-f"], log))
            time.sleep(0.3)
        secrets = ("--access-key", keys["AWS_ACCESS_KEY_ID"], "--secret", keys["AWS_SECRET_ACCESS_KEY"])
        ask("radosgw-admin", *own, "user", "create", "--uid", "satfusion", "--display-name", "satfusion", *secrets)
        frontend = f"beast endpoint={address}:{port}"
        command = ["radosgw", *own, "-n", "client.rgw", "-f", "--rgw-frontends", frontend]
        process = stack.enter_context(running(machine, command, log))
        wait_for_port(address, port, process, "radosgw", log)
        yield Gateway(f"http://{address}:{port}", process)
