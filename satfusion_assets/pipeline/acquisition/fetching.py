"""Fetching many things with a few connections: stop early when the archive is down, go on past single bad files.

A status alone does not tell one from the other: S3 answers 403 for an object that lacks its permission, for a key that
is not there, and when it is asked too fast. What comes beside it does. A thing that the archive withholds although it
still gives what it gave before is that thing's own trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from satfusion_assets.archives.http import FileWithheld, Refused
from satfusion_assets.pipeline.acquisition.report import Progress
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveError, ArchiveUnavailable

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

FEW: Final = 3
SHARE: Final = 0.1
"""More bad files than a few, and than this share of all, are not single bad files."""
_WITNESSES: Final = 3
"""Things that are asked for again before the archive counts as down; one of them may have been withdrawn."""

Witness = Callable[[str], object]
"""Asks the archive anew, at little cost, for something of the named thing, which is here; raises as asking does."""


@dataclass(frozen=True)
class Fetched(Generic[V]):
    """Results by name, in the order asked for; and for each bad thing what is wrong with it."""

    results: Mapping[str, V]
    bad: Mapping[str, ArchiveError]


def fetch_all(
    things: Mapping[str, K], fetch: Callable[[str, K], V], connections: int, progress: Progress, witness: Witness
) -> Fetched[V]:
    """``fetch(name, thing)`` for each thing.

    An ArchiveAnswerInvalid is noted as one bad thing, and so is what stays Withheld or Refused while the archive
    answers ``witness``. Any other error, and what is withheld when nothing comes, ends the run as soon as what is
    under way has ended. What was fetched before is the caller's, in its cache.
    """
    results: dict[str, V] = {}
    bad: dict[str, ArchiveError] = {}
    withheld: dict[str, FileWithheld | Refused] = {}
    with ThreadPoolExecutor(connections, thread_name_prefix="acquire") as pool:
        futures = {pool.submit(fetch, name, thing): name for name, thing in things.items()}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                name = futures[future]
                try:
                    results[name] = future.result()
                except ArchiveAnswerInvalid as error:
                    bad[name] = error
                except (FileWithheld, Refused) as error:
                    withheld[name] = error
                    _raise_when_down(error, [*results], len(withheld), witness)
                progress(done, len(futures), name)
        finally:
            for future in futures:
                future.cancel()
    if withheld and not results:
        raise next(iter(withheld.values()))
    if _are_few(len(withheld) + len(bad), len(things)):
        bad |= _once_more({name: things[name] for name in withheld}, fetch, results)
    else:
        bad |= withheld
    return Fetched({name: results[name] for name in things if name in results}, bad)


def _raise_when_down(error: FileWithheld | Refused, here: list[str], withheld: int, witness: Witness) -> None:
    """Raise ``error`` unless the archive gives again what it gave before; while nothing is here, a few may fail."""
    if not here and withheld <= FEW:
        return
    if not any(_answers(witness, name) for name in here[-_WITNESSES:]):
        raise error


def _answers(witness: Witness, name: str) -> bool:
    try:
        witness(name)
    except (ArchiveUnavailable, Refused):
        return False
    except ArchiveAnswerInvalid:
        return True
    return True


def _once_more(
    withheld: Mapping[str, K], fetch: Callable[[str, K], V], results: dict[str, V]
) -> dict[str, ArchiveError]:
    """What stays bad of ``withheld`` now that the others are here; what comes after all joins ``results``."""
    bad: dict[str, ArchiveError] = {}
    for name, thing in withheld.items():
        try:
            results[name] = fetch(name, thing)
        except (ArchiveAnswerInvalid, FileWithheld, Refused) as error:
            log.warning("%s is left out, its neighbours came: %s", name, error)
            bad[name] = error
    return bad


def refuse_unless_few(bad: Mapping[str, ArchiveError], of: int) -> None:
    """An ArchiveError when the bad things are too many for single bad files: then something larger is wrong.

    ArchiveUnavailable, for which a later run may succeed, when most of them are withheld; else ArchiveAnswerInvalid.
    """
    if _are_few(len(bad), of):
        return
    first = str(next(iter(bad.values()))).removesuffix("; run this again later.").rstrip(".")
    withheld = sum(not isinstance(error, ArchiveAnswerInvalid) for error in bad.values())
    kind = ArchiveUnavailable if 2 * withheld > len(bad) else ArchiveAnswerInvalid
    raise kind(
        f"{len(bad)} of {of} files of the archive cannot be used, which is too many to leave out (the first: {first}); "
        f"run this again later, what has been fetched is kept."
    )


def _are_few(bad: int, of: int) -> bool:
    return bad <= max(FEW, SHARE * of)
