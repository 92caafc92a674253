"""Fetching many things with a few connections: stop early when the archive is down, go on past single bad files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from satfusion_assets.errors import ArchiveAnswerInvalid
from satfusion_assets.stages.acquire.report import Progress

K = TypeVar("K")
V = TypeVar("V")


def fetch_all(
    things: Mapping[str, K], fetch: Callable[[str, K], V], connections: int, progress: Progress
) -> dict[str, V]:
    """``fetch(name, thing)`` for each thing, in the order of ``things``.

    An ArchiveAnswerInvalid (one bad file) is raised after everything else has been tried, so that the next run
    finds the rest in the cache; any other error ends the run as soon as what is under way has ended.
    """
    results: dict[str, V] = {}
    bad: list[ArchiveAnswerInvalid] = []
    with ThreadPoolExecutor(connections, thread_name_prefix="acquire") as pool:
        futures = {pool.submit(fetch, name, thing): name for name, thing in things.items()}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                try:
                    results[futures[future]] = future.result()
                except ArchiveAnswerInvalid as error:
                    bad.append(error)
                progress(done, len(futures), futures[future])
        finally:
            for future in futures:
                future.cancel()
    if bad:
        more = f" ({len(bad)} files in all)" if len(bad) > 1 else ""
        raise ArchiveAnswerInvalid(
            f"{bad[0]}{more} Run this again: what has been fetched is kept, and what is still unreadable then is set "
            f"aside."
        ) from bad[0]
    return {name: results[name] for name in things}
