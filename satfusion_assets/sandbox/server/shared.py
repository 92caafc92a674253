"""One world behind many requests: calls one at a time, and the way to a file remembered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from satfusion_assets.sandbox.world import Bounds, World


class SharedWorld:
    """A World that any thread may call, as it is at that moment.

    Worlds build scenes lazily and need not be thread-safe, so calls queue up. Files that exist are remembered
    until the day or the world changes, so that reading ranges of them needs neither the queue nor a thread.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._files: dict[str, Path] = {}

    @property
    def today(self) -> date:
        return self._world.today

    @today.setter
    def today(self, day: date) -> None:
        with self._lock:
            self._world.today = day
            self._files.clear()

    @contextmanager
    def _current(self) -> Iterator[World]:
        """The world for one caller, with what has changed outside taken up."""
        with self._lock:
            if self._world.refresh():
                self._files.clear()
            yield self._world

    def collections(self) -> list[dict[str, Any]]:
        with self._current() as world:
            return world.collections()

    def items(
        self, collection: str, bounds: Bounds | None, start: datetime | None, end: datetime | None
    ) -> list[dict[str, Any]]:
        with self._current() as world:
            return world.items(collection, bounds, start, end)

    def known_file(self, path: str) -> Path | None:
        """The file behind ``path`` when it was asked for before and nothing has changed since; never waits."""
        if self._world.refresh():
            self._files.clear()
        return self._files.get(path)

    def file(self, path: str) -> Path | None:
        with self._current() as world:
            found = world.file(path)
            if found is not None:
                self._files[path] = found
            return found

    def cube_collections(self) -> list[dict[str, Any]]:
        with self._current() as world:
            return world.cube_collections()

    def cube(self, collection: str, bounds: Bounds, start: datetime, end: datetime, bands: list[str]) -> xr.DataArray:
        with self._current() as world:
            return world.cube(collection, bounds, start, end, bands)

    def cameras(self) -> list[dict[str, Any]]:
        with self._current() as world:
            return world.cameras()

    def roi_lists(self) -> list[dict[str, Any]]:
        with self._current() as world:
            return world.roi_lists()

    def midday_images(self, site: str) -> list[dict[str, Any]]:
        with self._current() as world:
            return world.midday_images(site)
