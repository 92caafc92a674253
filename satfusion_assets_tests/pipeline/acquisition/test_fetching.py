"""One thing that an archive withholds, and an archive that withholds everything."""

from __future__ import annotations

import pytest

from satfusion_assets.archives.http import FileWithheld, NotFound, Refused
from satfusion_assets.pipeline.acquisition.fetching import fetch_all, refuse_unless_few
from satfusion_assets.vocabulary.errors import (
    ArchiveAnswerInvalid,
    ArchiveError,
    ArchiveUnavailable,
    CredentialsRejected,
)

THINGS = {f"{number:02d}": number for number in range(30)}


class Archive:
    """An archive that withholds some things. down_from: number of the question from which it gives nothing."""

    def __init__(self, bad: dict[str, ArchiveError], down_from: int = 10**6) -> None:
        self.bad = bad
        self.down_from = down_from
        self.asked: list[str] = []

    def fetch(self, name: str, thing: int) -> int:
        self.asked.append(name)
        if len(self.asked) > self.down_from:
            raise FileWithheld("down", name)
        if name in self.bad:
            raise self.bad[name]
        return thing

    def witness(self, name: str) -> int:
        return self.fetch(name, 0)


def quiet(done: int, total: int, name: str) -> None:
    """Nobody watches."""


def fetched(archive: Archive, connections: int = 4, things: dict[str, int] = THINGS) -> tuple[set[str], set[str]]:
    found = fetch_all(things, archive.fetch, connections, quiet, archive.witness)
    refuse_unless_few(found.bad, len(things))
    return set(found.results), set(found.bad)


@pytest.mark.parametrize(
    "error",
    [FileWithheld("HTTP 403", "x"), FileWithheld("HTTP 500", "x"), Refused("HTTP 401", "x"), NotFound("404", "x")],
    ids=str,
)
@pytest.mark.parametrize("name", ["00", "15", "29"])
@pytest.mark.parametrize("connections", [1, 8])
def test_one_thing_withheld_for_good_costs_one_thing(error: ArchiveError, name: str, connections: int) -> None:
    here, bad = fetched(Archive({name: error}), connections)
    assert (here, bad) == ({*THINGS} - {name}, {name})


@pytest.mark.parametrize("down_from", [0, 1, 7, 27])
@pytest.mark.parametrize("connections", [1, 8])
def test_an_archive_that_goes_down_is_down_wherever_it_does(down_from: int, connections: int) -> None:
    archive = Archive({}, down_from)
    with pytest.raises(ArchiveUnavailable, match="down"):
        fetched(archive, connections)


def test_one_that_is_withheld_for_a_while_is_asked_for_again_at_the_end() -> None:
    archive = Archive({"05": FileWithheld("HTTP 403", "x")})

    def witness(name: str) -> int:
        archive.bad.clear()
        return 0

    found = fetch_all(THINGS, archive.fetch, 2, quiet, witness)
    assert set(found.results) == {*THINGS}
    assert list(found.results) == [*THINGS], "in the order asked for"


def test_a_witness_that_was_withdrawn_does_not_bring_the_archive_down() -> None:
    archive = Archive({"05": FileWithheld("HTTP 403", "x")})
    gone: list[str] = []

    def witness(name: str) -> int:
        gone.append(name)
        raise FileWithheld("HTTP 403", name) if len(gone) == 1 else NotFound("404", name)

    assert set(fetch_all(THINGS, archive.fetch, 1, quiet, witness).bad) == {"05"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [(FileWithheld("HTTP 403", "x"), ArchiveUnavailable), (NotFound("404", "x"), ArchiveAnswerInvalid)],
)
def test_too_many_are_not_single_ones(error: ArchiveError, kind: type[ArchiveError]) -> None:
    archive = Archive(dict.fromkeys([*THINGS][::3], error))
    with pytest.raises(kind, match="10 of 30 files .* too many to leave out"):
        fetched(archive)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_when_nothing_comes_nothing_is_left_out(size: int) -> None:
    things = {name: THINGS[name] for name in [*THINGS][:size]}
    with pytest.raises(ArchiveUnavailable):
        fetched(Archive({name: FileWithheld("HTTP 403", "x") for name in things}), 4, things)


def test_other_errors_end_the_run() -> None:
    with pytest.raises(CredentialsRejected):
        fetched(Archive({"03": CredentialsRejected("the token is refused")}))
