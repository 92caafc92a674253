"""Fetching many things with a few connections: stop early when the archive is down, go on past single bad files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from satfusion_assets.errors import ArchiveAnswerInvalid
from satfusion_assets.stages.acquire.report import Progress

K = TypeVar("K")
V = TypeVar("V")

FEW: Final = 3
SHARE: Final = 0.1
"""More bad files than a few, and than this share of all, are not single bad files."""


@dataclass(frozen=True)
class Fetched(Generic[V]):
    """Results by name, in the order asked for; and for each bad file what is wrong with it."""

    results: Mapping[str, V]
    bad: Mapping[str, ArchiveAnswerInvalid]


def fetch_all(
    things: Mapping[str, K], fetch: Callable[[str, K], V], connections: int, progress: Progress
) -> Fetched[V]:
    """``fetch(name, thing)`` for each thing.

    An ArchiveAnswerInvalid is noted as one bad file; any other error ends the run as soon as what is under way has
    ended. What was fetched before is the caller's, in its cache.
    """
    results: dict[str, V] = {}
    bad: dict[str, ArchiveAnswerInvalid] = {}
    with ThreadPoolExecutor(connections, thread_name_prefix="acquire") as pool:
        futures = {pool.submit(fetch, name, thing): name for name, thing in things.items()}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                name = futures[future]
                try:
                    results[name] = future.result()
                except ArchiveAnswerInvalid as error:
                    bad[name] = error
                progress(done, len(futures), name)
        finally:
            for future in futures:
                future.cancel()
    return Fetched({name: results[name] for name in things if name in results}, bad)


def refuse_unless_few(bad: Mapping[str, ArchiveAnswerInvalid], of: int) -> None:
    """ArchiveAnswerInvalid when the bad files are too many for single bad files: then something larger is wrong."""
    if len(bad) <= max(FEW, SHARE * of):
        return
    first = next(iter(bad.values()))
    raise ArchiveAnswerInvalid(
        f"{len(bad)} of {of} files of the archive cannot be used, which is too many to leave out; the first: {first} "
        f"Run this again later, what has been fetched is kept."
    )
