"""Dagster's code server, whose runs start from a process that has everything loaded.

``python -m satfusion_assets.orchestration.instance.code_server -m MODULE ...`` takes the options of ``dagster api
grpc``. The original starts
a new interpreter for every run, which loads Dagster, the code location and the scientific libraries again. Here runs
are forked from a process that loaded them once and has done nothing else since (the "forkserver" of multiprocessing):
it has no open connection and no lock held that a fork could break.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from typing import Any

from dagster import DagsterInstance, DagsterRunStatus
from dagster._cli.api import grpc_command
from dagster._grpc import server

from satfusion_assets.pipeline.platform import Platform


class ForkingApiServer(server.DagsterApiServer):
    """Forks runs where the original spawns them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._mp_ctx = multiprocessing.get_context("forkserver")  # type: ignore[assignment]
        self._mp_ctx.set_forkserver_preload(
            ["satfusion_assets.orchestration.instance.preload", options["loadable_target_origin"].module_name]
        )
        forkserver.ensure_running()

    def _check_for_orphaned_runs(self) -> None:
        """Leave runs that were killed to run monitoring: should this server be killed as well before the daemon has
        made them again, they would be lost (``run_launcher``)."""
        with self._execution_lock:
            ended = [(run, ref) for run, (process, ref) in self._executions.items() if not process.is_alive()]
            for run_id, ref in ended:
                with DagsterInstance.from_ref(ref) as instance:
                    run = instance.get_run_by_id(run_id)
                if run is not None and run.status is DagsterRunStatus.STARTED:
                    self._clear_run(run_id)
        super()._check_for_orphaned_runs()


def main() -> None:
    """Serve until asked to stop. What killed runs left of products is cleared before."""
    Platform().store.recover()
    server.DagsterApiServer = ForkingApiServer  # type: ignore[misc]
    grpc_command()


if __name__ == "__main__":
    main()
