"""What acquisition keeps between runs, so that nothing is fetched twice: whole files with proof of where they are from.

An entry is one or more files and a sidecar ``{key}.json`` with their sizes, hashes and provenance. Files are written
beside their place and renamed; the sidecar comes last, so an entry is whole or absent. Keys name what was asked for,
so a changed item is another entry and nothing is overwritten.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from satfusion_assets.store.kept import KeptFiles
from satfusion_assets.vocabulary.errors import StoreFull

log = logging.getLogger(__name__)

_SIDECAR: Final = ".json"
_NAME: Final = re.compile(r"\w[\w.-]{0,149}", re.ASCII)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Entry:
    """A cached answer. facts: provenance as it was given. paths: its files by suffix (``.tif``)."""

    key: str
    facts: Mapping[str, Any]
    paths: Mapping[str, Path]


class FetchCache:
    """Entries below one folder; safe for several threads as long as they write different keys.

    again: everything is to be asked for again. What earlier runs have kept is then as if it were not there, and stays
    until its successor has come.
    """

    def __init__(self, files: KeptFiles, *, again: bool = False) -> None:
        self.files = files
        self.folder = files.folder
        self._again = again
        self._own: set[str] = set()
        """Keys that were put through this object."""

    def get(self, key: str) -> Entry | None:
        """The entry for ``key`` when all its files are there and as they were written, else None."""
        return None if self._again and key not in self._own else self.kept(key)

    def kept(self, key: str) -> Entry | None:
        """The entry for ``key`` of whichever run, also when everything is to be asked for again."""
        try:
            record = json.loads(self._path(key, _SIDECAR).read_text("utf-8"))
            files = dict(record["files"])
            paths = {suffix: self._path(key, suffix) for suffix in files}
            whole = all(self._is_whole(path, files[suffix]) for suffix, path in paths.items())
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            log.warning("Cached %s is damaged; it is fetched again.", key)
            return None
        return Entry(key, record["facts"], paths)

    def put(self, key: str, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Entry:
        """Store ``files`` (by suffix) and ``facts``; StoreFull when the disk is full."""
        record = {"files": {suffix: _fingerprint(content) for suffix, content in files.items()}, "facts": dict(facts)}
        sidecar = json.dumps(record, indent=1, sort_keys=True)
        for suffix, content in files.items():
            self._write(self._path(key, suffix), content)
        self._write(self._path(key, _SIDECAR), sidecar.encode())
        self._own.add(key)
        # As a later run will read them, so that both publish the same bytes.
        return Entry(key, json.loads(sidecar)["facts"], {suffix: self._path(key, suffix) for suffix in files})

    def write_json(self, name: str, content: Any) -> None:
        """A record for people, such as the plan of a run; replaced whole."""
        self._write(self.folder / name, json.dumps(content, indent=1, sort_keys=True).encode())

    def keep_only(self, keys: Collection[str]) -> None:
        """Drop entries that no run needs any more."""
        stems = {_stem(key) for key in keys}
        for path in self.folder.iterdir():
            if "+" in path.name and path.name.partition("+")[0] not in stems:
                path.unlink(missing_ok=True)
                self.files.dropped(path)

    def _is_whole(self, path: Path, fingerprint: Mapping[str, Any]) -> bool:
        """Whether ``path`` holds what its sidecar says, where needed as another host has it."""
        if path.is_file() and _fingerprint(path.read_bytes()) == fingerprint:
            return True
        self.files.want(path)
        return bool(_fingerprint(path.read_bytes()) == fingerprint)

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / f"{_stem(key)}+{suffix}"

    def _write(self, path: Path, content: bytes) -> None:
        staged = path.with_name(f".{path.name}.{threading.get_ident()}")
        try:
            with staged.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            staged.replace(path)
            self.files.saved(path)
        except OSError as error:
            staged.unlink(missing_ok=True)
            if error.errno in _FULL:
                raise StoreFull(
                    f"The disk of {self.folder} is full; free some space and run this again, "
                    f"what has been fetched is kept."
                ) from error
            raise


def _stem(key: str) -> str:
    """A file's name for ``key``: keys hold names that archives give, which need not be file names."""
    return key if _NAME.fullmatch(key) else f"key-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def digest(*parts: object) -> str:
    """Short fingerprint of what was asked for, for cache keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _fingerprint(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
