"""The registry of one data root: read afresh, changed under a lock, written whole."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from satfusion_assets.vocabulary.errors import InvalidSitesFile, StoreFull, UnknownSite
from satfusion_assets.vocabulary.sites.file import read_sound_sites, write_sites
from satfusion_assets.vocabulary.sites.site import Site, SiteSeason, check_site_name

LOCK_SECONDS: Final = 30.0
"""How long a writer waits for another; a write takes milliseconds."""

Sites = Mapping[str, Site]


class SiteRegistry:
    """The sites of one data root, read from and written to its ``sites.geojson``.

    A registry is a snapshot. ``edit``, ``add`` and ``remove`` change the file as it is then, under a lock, so that
    several writers lose nothing; they write it whole and atomically and return a new registry.
    """

    def __init__(self, path: Path, sites: tuple[Site, ...], document: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self._sites = {site.name: site for site in sites}
        self._document = document or {}

    @classmethod
    def load(cls, path: Path) -> SiteRegistry:
        """Read ``path``; when it does not exist yet, the six sites of the thesis are the registry."""
        try:
            content, source = path.read_bytes(), str(path)
        except FileNotFoundError:
            default = resources.files("satfusion_assets") / "default_sites.geojson"
            content, source = default.read_bytes(), "default_sites.geojson"
        except OSError as error:
            raise InvalidSitesFile(
                f"{path} cannot be read as a file of sites ({error.strerror}); put the file there or name another one "
                f"with SATFUSION_SITES_FILE."
            ) from error
        reading = read_sound_sites(content, source)
        return cls(path, reading.sites, reading.document)

    @property
    def sites(self) -> tuple[Site, ...]:
        return tuple(self._sites.values())

    @property
    def site_seasons(self) -> tuple[SiteSeason, ...]:
        return tuple(item for site in self.sites for item in site.site_seasons)

    def get(self, name: str) -> Site | None:
        """The site called ``name``, None when there is none."""
        return self._sites.get(name)

    def site(self, name: str) -> Site:
        """The site called ``name``; UnknownSite suggests the nearest name."""
        if name in self._sites:
            return self._sites[name]
        near = get_close_matches(name, self._sites, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known sites: {', '.join(self._sites) or 'none'}."
        raise UnknownSite(f"Site {name!r} is not in {self.path}; {hint}")

    def site_season(self, name: str, season: int) -> SiteSeason:
        """A registered site-season; UnknownSite or UnknownSeason otherwise."""
        return self.site(name).season(season)

    def edit(self, change: Callable[[SiteRegistry], Iterable[Site]]) -> SiteRegistry:
        """Write what ``change`` makes of the registry as the file has it now; nothing is written when it raises."""
        with _locked(self.path):
            now = SiteRegistry.load(self.path) if self.path.exists() else self
            sites = tuple(change(now))
            content = write_sites(sites, now._document)
            reading = read_sound_sites(content, str(self.path))
            _write(self.path, content)
        return SiteRegistry(self.path, reading.sites, reading.document)

    def add(self, site: Site) -> SiteRegistry:
        """Add or replace ``site`` and write the file."""
        return self.add_all([site])

    def add_all(self, sites: Iterable[Site]) -> SiteRegistry:
        """Add or replace ``sites`` and write the file once."""
        added = {check_site_name(site.name): site for site in sites}
        return self.edit(lambda now: {**now._sites, **added}.values())

    def add_seasons(self, name: str, seasons: Iterable[int]) -> SiteRegistry:
        """Give the site called ``name`` further ``seasons`` and write the file."""

        def longer(now: SiteRegistry) -> Iterable[Site]:
            site = now.site(name)
            more = site.model_copy(update={"seasons": tuple(sorted({*site.seasons, *seasons}))})
            return {**now._sites, name: more}.values()

        return self.edit(longer)

    def remove_seasons(self, name: str, seasons: Iterable[int]) -> SiteRegistry:
        """Drop ``seasons`` of the site called ``name`` and write the file; UnknownSeason when one is not there."""
        gone = set(seasons)

        def shorter(now: SiteRegistry) -> Iterable[Site]:
            site = now.site(name)
            for season in sorted(gone):
                site.season(season)
            less = site.model_copy(update={"seasons": tuple(year for year in site.seasons if year not in gone)})
            return {**now._sites, name: less}.values()

        return self.edit(shorter)

    def remove(self, name: str) -> SiteRegistry:
        """Drop the site called ``name`` and write the file; its products stay."""

        def without(now: SiteRegistry) -> Iterable[Site]:
            now.site(name)
            return [site for site in now.sites if site.name != name]

        return self.edit(without)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer of ``path`` at a time, of all processes and threads; the lock ends with its holder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_SECONDS)
        lock.acquire()
    except Timeout as error:
        raise InvalidSitesFile(
            f"{path} has been held by another writer for {LOCK_SECONDS:.0f} s; run this again when it has ended."
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _write(path: Path, content: bytes) -> None:
    """Replace ``path``, or what a link of that name leads to, whole; on an error the old file stays alone."""
    target = path.resolve()
    staged: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".sites-")
        staged = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staged.chmod(0o644)
        staged.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        if staged is not None:
            staged.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> InvalidSitesFile | StoreFull:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"The disk of {path} is full; free some space and run this again, nothing was changed.")
    return InvalidSitesFile(f"{path} cannot be written ({error.strerror}); nothing was changed.")
