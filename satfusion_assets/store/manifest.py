"""What a product is and what its manifest says."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from satfusion_assets.vocabulary.errors import ProductCorrupt, StoreError
from satfusion_assets.vocabulary.sites import SiteSeason

MANIFEST: Final = "manifest.json"
FIRST_CODE: Final = 1
"""The code version of every product whose manifest names none: all code was version 1 then, whatever it did."""
READ_AT_ONCE: Final = 2**20
"""Bytes of a file that is hashed as one piece; a season has hundreds of images of a tenth of that."""


@dataclass(frozen=True)
class AllSeasons:
    """The scope of a product that is made from every site-season there is, such as the table of all scores."""

    @property
    def key(self) -> str:
        """No site-season's key, since it names no year."""
        return "all"


ALL_SEASONS: Final = AllSeasons()
Scope = SiteSeason | AllSeasons


def parse_scope(key: str) -> Scope:
    """The scope with this key."""
    return ALL_SEASONS if key == ALL_SEASONS.key else SiteSeason.parse(key)


@dataclass(frozen=True)
class Product:
    """One publishable unit: what one materialisation of one asset partition writes.

    name: asset name (``raw_s2``, ``fused``). scope: its site-season, or all of them. variant: strategy or scenario
    key, empty for products without.
    """

    name: str
    scope: Scope
    variant: str = ""

    @property
    def site_season(self) -> SiteSeason:
        """The one site-season that it belongs to; StoreError when it belongs to all of them."""
        if isinstance(self.scope, AllSeasons):
            raise StoreError(f"{self.key} belongs to no single site-season.")
        return self.scope

    @property
    def slug(self) -> str:
        """Unique within the scope: ``raw_s2``, ``fused.aggressive_sigma20``."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def key(self) -> str:
        """Unique within the store, for people and file names: ``innsbruck_2024.fused.aggressive_sigma20``."""
        return f"{self.scope.key}.{self.slug}"

    def reference(self, scope: Scope) -> str:
        """Its name among the inputs of a product of ``scope``: the slug, behind its own scope where that is another."""
        return self.slug if self.scope == scope else f"{self.scope.key}/{self.slug}"

    @classmethod
    def referred(cls, reference: str, scope: Scope) -> Product:
        """The product that a product of ``scope`` names ``reference``."""
        elsewhere, _, slug = reference.rpartition("/")
        name, _, variant = slug.partition(".")
        return cls(name, parse_scope(elsewhere) if elsewhere else scope, variant)


class FileRecord(BaseModel):
    """Size in bytes and SHA-256 of one file of a product."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileRecord:
        with path.open("rb") as file:
            begin = file.read(READ_AT_ONCE)
            if len(begin) < READ_AT_ONCE:
                return cls.holding(begin)
            file.seek(0)
            return cls(size=os.fstat(file.fileno()).st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())

    @classmethod
    def holding(cls, content: bytes | memoryview) -> FileRecord:
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest())


class Manifest(BaseModel):
    """The files of one version of a product, and what they were made from.

    site_season: key of the product's scope. files: contract path below the scope's folder -> size and hash. inputs:
    reference of a product -> data version. code_version: of what made it.
    version: the data version, a hash of files and parameters, so equal content has equal versions.
    """

    model_config = ConfigDict(frozen=True)

    product: str
    variant: str = ""
    site_season: str
    version: str
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    software: str
    code_version: int = FIRST_CODE
    parameters: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    files: dict[str, FileRecord]

    @property
    def total_bytes(self) -> int:
        return sum(record.size for record in self.files.values())

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Parse ``path``; ProductCorrupt when it is not a manifest."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ProductCorrupt(f"{path} is not a readable manifest; materialise that partition again.") from error


def data_version(files: dict[str, FileRecord], parameters: dict[str, Any]) -> str:
    """Hash of a product's content: its files' hashes and its parameters."""
    content = {"files": {name: files[name].sha256 for name in sorted(files)}, "parameters": parameters}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]
