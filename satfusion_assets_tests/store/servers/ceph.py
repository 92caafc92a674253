"""Ceph's radosgw on loopback, as the demo of a cluster starts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.demo_cluster import ceph
from deploy.demo_cluster.ceph import has_ceph as has_ceph
from deploy.demo_cluster.machine import ThisMachine
from satfusion_assets_tests.store.servers.running import KEYS, free_port


@contextmanager
def radosgw(folder: Path) -> Iterator[str]:
    """Its address; ``folder`` for its logs and what little lies on the disk."""
    with ceph.radosgw(ThisMachine(), folder, (free_port(), free_port()), KEYS) as gateway:
        yield gateway.url
