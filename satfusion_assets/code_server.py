"""Dagster's code server, whose runs start from a process that has everything loaded.

``python -m satfusion_assets.code_server -m MODULE ...`` takes the options of ``dagster api grpc``. The original starts
a new interpreter for every run, which loads Dagster, the code location and the scientific libraries again. Here runs
are forked from a process that loaded them once and has done nothing else since (the "forkserver" of multiprocessing):
it has no open connection and no lock held that a fork could break.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing import forkserver
from pkgutil import walk_packages
from typing import Any, Final

from dagster._cli.api import grpc_command
from dagster._grpc import server

from satfusion_assets import stages

WHAT_DAGSTER_NEEDS: Final = (
    "satfusion_assets.code_server",
    "satfusion_assets.event_log",
    "satfusion_assets.run_launcher",
    "dagster._core.storage.defs_state.blob_storage_state_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.schedules.sqlite",
    "dagster._grpc.impl",
    "upath.implementations.local",
)
"""Modules that every run loads, and that a code location does not import."""


class ForkingApiServer(server.DagsterApiServer):
    """Forks runs where the original spawns them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._mp_ctx = multiprocessing.get_context("forkserver")  # type: ignore[assignment]
        self._mp_ctx.set_forkserver_preload([*preloaded(), options["loadable_target_origin"].module_name])
        forkserver.ensure_running()


def preloaded() -> Iterator[str]:
    """Modules that are loaded before a run needs them: what stages are made of, and Dagster's own."""
    yield from WHAT_DAGSTER_NEEDS
    yield from (module.name for module in walk_packages(stages.__path__, f"{stages.__name__}."))


def main() -> None:
    server.DagsterApiServer = ForkingApiServer  # type: ignore[misc]
    grpc_command()


if __name__ == "__main__":
    main()
