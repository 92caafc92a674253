"""How the engine compiles and runs its kernels.

Kernels are plain loops, compiled on first use and kept (``processing/__init__.py`` says where). They release the
GIL and work on strips of rows, so ordinary threads use all cores, and every pixel is computed by the same operations
in the same order however the rows are dealt out. Reassociating ("fast") arithmetic is off for that reason.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba

logger = logging.getLogger(__name__)

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """``kernel`` compiled without the GIL and cached between processes where any cache folder is writable."""
    try:
        return cast(Kernel, numba.njit(kernel, nogil=True, cache=True, error_model="numpy"))
    except RuntimeError as error:
        logger.warning("%s is compiled anew by every process; set NUMBA_CACHE_DIR (%s).", kernel.__name__, error)
        return cast(Kernel, numba.njit(kernel, nogil=True, error_model="numpy"))


def inlined(kernel: Kernel) -> Kernel:
    """``kernel`` for use inside compiled kernels."""
    return cast(Kernel, numba.njit(kernel, inline="never", nogil=True, error_model="numpy"))


def merged(kernel: Kernel) -> Kernel:
    """``kernel`` for use inside the loops of compiled kernels, of which it becomes a part: what does not change between
    its calls is done once (the question whether arrays overlap, where there are many).
    """
    return cast(Kernel, numba.njit(kernel, inline="always", nogil=True, error_model="numpy"))


def available_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_strips(
    task: Callable[[int, int], None], rows: int, step: int, threads: int | None = None, begin: int = 0
) -> None:
    """Run ``task(first, last)`` over strips of ``step`` rows from ``begin`` to ``rows``; numbers do not depend on
    ``threads``."""
    strips = [(first, min(first + step, rows)) for first in range(begin, rows, step)]
    workers = min(threads or available_threads(), len(strips))
    if workers <= 1:
        for strip in strips:
            task(*strip)
        return
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(task, *strip) for strip in strips]:
            done.result()
