"""Ceph's radosgw with one monitor and one object daemon, all in memory, on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from satfusion_assets_tests.store.servers.running import KEYS, child, free_port, wait_for

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "ceph", "monmaptool", "radosgw-admin")
_CONF = """
[global]
fsid = {fsid}
mon_host = v1:127.0.0.1:{mon}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
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


def has_ceph() -> bool:
    return all(shutil.which(name) for name in PROGRAMS) and os.geteuid() == 0


@contextmanager
def radosgw(folder: Path) -> Iterator[str]:
    """Its address; ``folder`` for its logs and what little lies on the disk."""
    fsid, mon, port = str(uuid.uuid4()), free_port(), free_port()
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir(parents=True)
    conf = folder / "ceph.conf"
    conf.write_text(_CONF.format(fsid=fsid, mon=mon, folder=folder))
    own = ("-c", str(conf))
    _do("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", f"[v1:127.0.0.1:{mon}]", folder / "map")
    _do("ceph-mon", *own, "--mkfs", "-i", "a", "--monmap", folder / "map")
    with ExitStack() as running:
        log = folder / "out.log"
        running.enter_context(child(["ceph-mon", *own, "-i", "a", "-f"], log))
        identity = str(uuid.uuid4())
        _do("ceph", *own, "--connect-timeout", "60", "osd", "new", identity)
        _do("ceph-osd", *own, "-i", "0", "--mkfs", "--osd-uuid", identity)
        running.enter_context(child(["ceph-osd", *own, "-i", "0", "-f"], log))
        while b"osd.0 up" not in _do("ceph", *own, "osd", "dump"):
            time.sleep(0.3)
        keys = ("--access-key", KEYS["AWS_ACCESS_KEY_ID"], "--secret", KEYS["AWS_SECRET_ACCESS_KEY"])
        _do("radosgw-admin", *own, "user", "create", "--uid", "test", "--display-name", "test", *keys)
        frontend = f"beast endpoint=127.0.0.1:{port}"
        running.enter_context(child(["radosgw", *own, "-n", "client.rgw", "-f", "--rgw-frontends", frontend], log))
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield url


def _do(*command: str | Path) -> bytes:
    """What a command says; asked again, since commands fail while a daemon starts."""
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(list(map(str, command)), check=False, capture_output=True, timeout=120)
        if done.returncode == 0:
            return done.stdout
        if time.monotonic() > deadline:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")
        time.sleep(0.5)
