"""The sites of a file that somebody may edit while the archives are served."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from satfusion_assets.vocabulary.errors import InvalidSitesFile
from satfusion_assets.vocabulary.sites import Site, SiteRegistry

log = logging.getLogger(__name__)


class SitesFile:
    """Reads ``path`` again when it has become another file; one that cannot be read changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen = self._state()
        self.sites = SiteRegistry.load(path).sites

    def news(self) -> Sequence[Site] | None:
        """The sites when the file has changed since the last call, else None."""
        if self._state() == self._seen:
            return None
        with self._lock:
            state = self._state()
            if state == self._seen:
                return None
            self._seen = state
            try:
                self.sites = SiteRegistry.load(self._path).sites
            except InvalidSitesFile as error:
                log.warning("%s The archives keep the sites they have.", error)
                return None
            return self.sites

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
