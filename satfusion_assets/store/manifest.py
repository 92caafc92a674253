"""What a product is and what its manifest says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from satfusion_assets.errors import ProductCorrupt
from satfusion_assets.sites import SiteSeason

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Product:
    """One publishable unit: what one materialisation of one asset partition writes.

    name: asset name (``raw_s2``, ``fused``). variant: strategy or scenario key, empty for site-season products.
    """

    name: str
    site_season: SiteSeason
    variant: str = ""

    @property
    def slug(self) -> str:
        """Unique within the site-season: ``raw_s2``, ``fused.aggressive_sigma20``."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def key(self) -> str:
        """Unique within the store, for people and file names: ``innsbruck_2024.fused.aggressive_sigma20``."""
        return f"{self.site_season.key}.{self.slug}"


class FileRecord(BaseModel):
    """Size in bytes and SHA-256 of one file of a product."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileRecord:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(size=path.stat().st_size, sha256=digest)


class Manifest(BaseModel):
    """The files of one version of a product, and what they were made from.

    files: contract path below the site-season folder -> size and hash. inputs: product slug -> data version.
    version: the data version, a hash of files and parameters, so equal content has equal versions.
    """

    model_config = ConfigDict(frozen=True)

    product: str
    variant: str = ""
    site_season: str
    version: str
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    software: str
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
