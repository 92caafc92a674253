"""Files that acquisition keeps between runs: a folder, which other hosts may share through a bucket."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from satfusion_assets.store.blobs import Blobs

_SMALL: Final = (".json",)
"""Records that say what the other files hold: always those of the bucket."""


class KeptFiles:
    """A folder of files, flat. Whoever writes one says so; whoever reads one that is not there asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Names of the files that anybody saved."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_file() and not path.name.startswith("."))

    def saved(self, path: Path) -> None:
        """``path`` was written whole."""

    def dropped(self, path: Path) -> None:
        """``path`` is needed no more."""

    def want(self, path: Path) -> None:
        """Bring ``path`` here as it was last saved, where anybody has."""


class SharedFiles(KeptFiles):
    """A folder whose files lie in a bucket as well, below ``base``, so that a retry on another host finds them.

    Records (JSON) are those of the bucket from the beginning; what they speak of comes when it is wanted.
    """

    def __init__(self, folder: Path, blobs: Blobs, base: str) -> None:
        super().__init__(folder)
        self._blobs = blobs
        self._base = base
        records = {blob.name.rpartition("/")[2] for blob in blobs.below(base) if blob.name.endswith(_SMALL)}
        for path in folder.iterdir():
            if path.name.endswith(_SMALL) and path.name not in records:
                path.unlink()  # another host dropped it
        for name in records:
            self.want(folder / name)

    def names(self) -> list[str]:
        return [blob.name.rpartition("/")[2] for blob in self._blobs.below(self._base)]

    def saved(self, path: Path) -> None:
        self._blobs.put(self._name(path), path.read_bytes())

    def dropped(self, path: Path) -> None:
        self._blobs.delete(self._name(path))

    def want(self, path: Path) -> None:
        content = self._blobs.read(self._name(path))
        if content is None:
            return
        staged = path.with_name(f".{path.name}.{hashlib.sha256(content).hexdigest()[:8]}")
        staged.write_bytes(content)
        staged.replace(path)

    def _name(self, path: Path) -> str:
        return f"{self._base}/{path.name}"
