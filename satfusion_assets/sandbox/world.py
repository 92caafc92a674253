"""What the sandbox's archives serve: the seam between the landscape (what exists) and the servers (who asks).

Servers know protocols and nothing of how a scene comes about; a world knows its scenes and nothing of protocols.
Every path and href is root-relative (``/data/...``); servers put their own address in front.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import xarray as xr

Bounds = tuple[float, float, float, float]
"""west, south, east, north in degrees (WGS 84)."""


class World(Protocol):
    """All archives' contents, built lazily on first request and cached on disk."""

    today: date
    """The last day that has happened: scenes, pictures and composites after it are not visible yet."""

    def refresh(self) -> bool:
        """Take up what has changed outside, such as sites; whether anything has, so that files may be others now."""

    def collections(self) -> list[dict[str, Any]]:
        """STAC collections, as the catalogue lists them."""

    def items(
        self, collection: str, bounds: Bounds | None, start: datetime | None, end: datetime | None
    ) -> list[dict[str, Any]]:
        """STAC items of ``collection`` that touch ``bounds`` within [start, end], newest first."""

    def file(self, path: str) -> Path | None:
        """The file behind a ``/data/...`` path (COGs, granule XML, PhenoCam CSVs and JPEGs); None = 404."""

    def cube_collections(self) -> list[dict[str, Any]]:
        """openEO collections (id, bands, extents, ``cube:dimensions``, licence), as the back-end lists them."""

    def cube(self, collection: str, bounds: Bounds, start: datetime, end: datetime, bands: list[str]) -> xr.DataArray:
        """Pixels of an openEO collection on its native grid.

        Dimensions (t, bands, y, x): t in UTC datetime64, y descending and x ascending pixel centres in degrees
        (EPSG:4326), float32. ``attrs["nodata"]`` is the value that stands for missing. Zero steps when empty.
        """

    def cameras(self) -> list[dict[str, Any]]:
        """PhenoCam ``/api/cameras/`` records."""

    def roi_lists(self) -> list[dict[str, Any]]:
        """PhenoCam ``/api/roilists/`` records."""

    def midday_images(self, site: str) -> list[dict[str, Any]]:
        """PhenoCam ``/api/middayimages/{site}/`` records, oldest first."""
