"""The sandbox's archives: everything the servers can be asked for, computed when first asked and kept on disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import xarray as xr

from satfusion_assets.sandbox import catalogue, olci, stac
from satfusion_assets.sandbox.camera import SyntheticCamera
from satfusion_assets.sandbox.catalogue import COLLECTION_1, LEGACY, Quirk
from satfusion_assets.sandbox.effects import PLAIN, Effects
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.place import SandboxPlace, overlap
from satfusion_assets.sandbox.world import Bounds
from satfusion_assets.vocabulary.errors import UnknownSite
from satfusion_assets.vocabulary.sites import Site

_FIRST_DAY: Final = date(2015, 7, 6)
_LAST_DAY: Final = date(2039, 12, 31)
_S2_PATH: Final = re.compile(
    r"/data/(?P<root>sentinel-s2-l2a-cogs|sentinel-2-c1-l2a)/\d+/[A-Z]/[A-Z]{2}/(?P<year>\d{4})/\d+/(?P<id>[^/]+)/(?P<name>[^/]+)"
)
_PHENOCAM_PATH: Final = re.compile(r"/data/archive/(?P<site>[^/]+)/(?P<rest>.+)")
_ROOTS: Final = {"sentinel-s2-l2a-cogs": LEGACY, COLLECTION_1: COLLECTION_1}


class SandboxWorld:
    """A world of sites with known truth, as the archives show it.

    ``today`` may be moved: what lies after it is not visible yet. Everything is a function of the sites, the seed and
    the day; files are kept below ``root`` and reused by later processes. Cached data of a changed site or another
    seed lie apart from these. news: the sites when they have changed since it was asked last, else None.
    effects: what makes the landscape hard.
    """

    def __init__(
        self,
        root: Path,
        sites: Sequence[Site],
        seed: int = 1,
        today: date | None = None,
        news: Callable[[], Sequence[Site] | None] = lambda: None,
        effects: Effects = PLAIN,
    ) -> None:
        self.root = Path(root)
        self.seed = seed
        self.effects = effects
        self.today = today or date.today()
        self._news = news
        self._places = {site.name: self._new_place(site) for site in sites}

    @property
    def sites(self) -> tuple[Site, ...]:
        return tuple(place.site for place in self._places.values())

    def refresh(self) -> bool:
        """Take up sites that were added, changed or removed; whether there were any. Unchanged ones stay built."""
        sites = self._news()
        if sites is None:
            return False
        old = self._places
        # A new mapping, since a request in another thread may be reading the old one.
        self._places = {
            site.name: old[site.name] if site.name in old and old[site.name].site == site else self._new_place(site)
            for site in sites
        }
        return True

    def _new_place(self, site: Site) -> SandboxPlace:
        return SandboxPlace(site, self.seed, self.root, self.today, self.effects)

    def landscape(self, site: str) -> Landscape:
        """The truth of a site."""
        return self._place(site).landscape

    def quirks(self, site: str, season: int) -> list[Quirk]:
        """Every known defect of the season's Sentinel-2 products, with item and date."""
        return catalogue.quirks(self._place(site).catalogue, season)

    def camera(self, site: str) -> SyntheticCamera:
        """The camera of a site, with its bias and gain."""
        return self._place(site).camera

    def _place(self, site: str) -> SandboxPlace:
        if site not in self._places:
            raise UnknownSite(f"The sandbox has no site {site!r}; it has {', '.join(self._places) or 'none'}.")
        return self._places[site]

    def collections(self) -> list[dict[str, Any]]:
        """STAC collections, as the catalogue lists them."""
        return stac.collections()

    def items(
        self, collection: str, bounds: Bounds | None, start: datetime | None, end: datetime | None
    ) -> list[dict[str, Any]]:
        """STAC items whose bbox touches ``bounds``, sensed within [start, end], visible ``today``, newest first."""
        if collection not in (LEGACY, COLLECTION_1):
            return []
        first = _utc(start) if start else datetime.combine(_FIRST_DAY, datetime.min.time(), UTC)
        last = _utc(end) if end else datetime.combine(_LAST_DAY, datetime.max.time(), UTC)
        found = []
        for place in self._places.values():
            if bounds is not None and not place.touches(bounds):
                continue
            until = min(last.date(), self.today)
            for product in place.catalogue.products(collection, max(first.date(), _FIRST_DAY), until):
                if not (first <= product.sensing <= last and product.visible_from <= self.today):
                    continue
                item = place.item(product)
                if bounds is None or overlap(tuple(item["bbox"]), bounds):
                    found.append(item)
        return sorted(found, key=lambda item: (item["properties"]["datetime"], item["id"]), reverse=True)

    def file(self, path: str) -> Path | None:
        """The file behind a ``/data/...`` path; None = 404."""
        scene = _S2_PATH.fullmatch(path)
        if scene:
            return self._scene_file(scene["root"], int(scene["year"]), scene["id"], scene["name"], path)
        camera = _PHENOCAM_PATH.fullmatch(path)
        if camera and camera["site"] in self._places:
            return self._places[camera["site"]].camera_file(path, self.today)
        return None

    def _scene_file(self, root: str, year: int, identifier: str, name: str, path: str) -> Path | None:
        for place in self._places.values():
            product = place.products_by_id(_ROOTS[root], year).get(identifier)
            visible = product and max(product.visible_from, product.sensing.date()) <= self.today
            if product and visible and path == f"/data/{product.folder}/{name}":
                return place.scene_file(product, name)
        return None

    def cube_collections(self) -> list[dict[str, Any]]:
        """openEO collections, as the back-end lists them."""
        return olci.collections([place.cube_bounds for place in self._places.values()])

    def cube(self, collection: str, bounds: Bounds, start: datetime, end: datetime, bands: list[str]) -> xr.DataArray:
        """Pixels of an openEO collection on its native grid, for start <= t < end and not after ``today``.

        Dimensions (t, bands, y, x) as in ``World.cube``. ValueError for a band that the collection does not have.
        """
        if collection not in (olci.L1B, olci.SYN):
            raise ValueError(f"The sandbox has no cube {collection!r}; it has {olci.L1B} and {olci.SYN}.")
        cubes = [place.cubes for place in self._places.values() if place.touches(bounds)]
        return olci.assemble(cubes, collection, bounds, start, end, self.today, bands)

    def cameras(self) -> list[dict[str, Any]]:
        """PhenoCam ``/api/cameras/`` records."""
        return [place.camera.record(self.today) for place in self._started()]

    def roi_lists(self) -> list[dict[str, Any]]:
        """PhenoCam ``/api/roilists/`` records."""
        return [record for place in self._started() for record in place.camera.roi_records(self.today)]

    def midday_images(self, site: str) -> list[dict[str, Any]]:
        """PhenoCam ``/api/middayimages/{site}/`` records, oldest first; none for an unknown site."""
        if site not in self._places:
            return []
        return [{"imgdate": str(d), "imgpath": path} for d, path in self._places[site].camera.images(self.today)]

    def _started(self) -> list[SandboxPlace]:
        return [place for place in self._places.values() if place.camera.first <= self.today]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
