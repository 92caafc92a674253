"""Runs are forked from a process that has loaded what they need, and that a fork does not break."""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.queues import Queue
from typing import Final

import numpy as np

NEEDED: Final = {"alembic", "sqlalchemy", "numba", "rasterio", "zarr", "satfusion_assets.stages.fuse"}


def look_around(said: Queue[tuple[set[str], float]]) -> None:
    """In the fork: what is missing, and a product of matrices, which takes the threads of the linear algebra."""
    absent = NEEDED - set(sys.modules)
    square = np.ones((600, 600))
    said.put((absent, float((square @ square).sum())))


def test_a_fork_has_everything_loaded_and_its_linear_algebra_works() -> None:
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["satfusion_assets.preload"])
    said = forking.Queue()
    for _ in range(2):
        run = forking.Process(target=look_around, args=(said,))
        run.start()
        absent, total = said.get(timeout=120)
        run.join()
        assert absent == set()
        assert total == 600.0**3
