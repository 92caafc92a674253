"""What is current, as a log that only grows: ``{scope}/.satfusion/log/{product}/{n}.json``, each a version's manifest.

An entry is created and never changed; the highest one is the current version, and one without a manifest says that the
product was removed. All logs of a scope lie side by side, so that one listing says what is current of all its products.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from satfusion_assets.store.blobs import Blob, Blobs
from satfusion_assets.store.leases import HIDDEN
from satfusion_assets.store.manifest import Manifest
from satfusion_assets.vocabulary.errors import ProductCorrupt

LOG: Final = "log"
_DIGITS: Final = 12


def new_identity() -> str:
    """A name that nobody else gives."""
    return uuid.uuid4().hex


class Publication(BaseModel):
    """One publication, or a removal where ``manifest`` is None. identity: of whoever wrote it, unique."""

    model_config = ConfigDict(frozen=True)

    identity: str = Field(default_factory=new_identity)
    manifest: Manifest | None


class ProductLogs:
    """The logs of the products of one scope, whose folder in the bucket is ``base``."""

    def __init__(self, blobs: Blobs, base: str) -> None:
        self._blobs = blobs
        self._folder = f"{base}/{HIDDEN}/{LOG}"

    def heads(self, slug: str | None = None) -> dict[str, int]:
        """Number of the highest entry of every product, or of one, by slug."""
        found: dict[str, int] = {}
        for blob in self._below(slug):
            owner, _, name = blob.name.removeprefix(f"{self._folder}/").partition("/")
            if (number := number_of(name)) is not None:
                found[owner] = max(number, found.get(owner, 0))
        return found

    def entries(self, slug: str) -> list[tuple[int, datetime]]:
        """Number and time of every entry of a product that is kept, the oldest first."""
        found = ((number_of(blob.name.rpartition("/")[2]), blob.modified) for blob in self._below(slug))
        return [(number, modified) for number, modified in found if number is not None]

    def read(self, slug: str, number: int) -> Publication | None:
        """An entry, None where it is not there; ProductCorrupt when it cannot be read."""
        name = self._name(slug, number)
        content = self._blobs.read(name)
        try:
            return None if content is None else Publication.model_validate_json(content)
        except ValidationError as error:
            raise ProductCorrupt(f"{name} is no readable entry; materialise that partition again.") from error

    def append(self, slug: str, entry: Publication) -> int:
        """Make ``entry`` the highest; returns its number. Who is first at a number has it, another takes the next."""
        content = entry.model_dump_json(indent=1).encode()
        number = self.heads(slug).get(slug, 0)
        while True:
            number += 1
            if self._blobs.create(self._name(slug, number), content):
                return number

    def drop(self, slug: str, numbers: Iterable[int]) -> None:
        """Forget entries that are no longer the current one, the oldest first."""
        for number in sorted(numbers):
            self._blobs.delete(self._name(slug, number))

    def _below(self, slug: str | None) -> list[Blob]:
        return self._blobs.below(self._folder if slug is None else f"{self._folder}/{slug}")

    def _name(self, slug: str, number: int) -> str:
        return f"{self._folder}/{slug}/{number:0{_DIGITS}d}.json"


def number_of(name: str) -> int | None:
    """The number of the entry with this file name; None for any other file."""
    stem, _, ending = name.partition(".")
    return int(stem) if ending == "json" and len(stem) == _DIGITS and stem.isdecimal() else None
