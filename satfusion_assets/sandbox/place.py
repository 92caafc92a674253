"""One site of the sandbox with all its sensors, and its part of the cache on disk."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any, Final

from satfusion_assets.sandbox import granule, olci, picture, stac, weather
from satfusion_assets.sandbox.camera import Roi, SyntheticCamera
from satfusion_assets.sandbox.catalogue import Catalogue, SentinelProduct
from satfusion_assets.sandbox.effects import PLAIN, Effects
from satfusion_assets.sandbox.files import damage, write_bytes, write_cog
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.scene import RESOLUTION, Renderer
from satfusion_assets.sandbox.sentinel3 import PER_DEGREE, Olci
from satfusion_assets.sandbox.world import Bounds
from satfusion_assets.vocabulary.sites import Site

VERSION: Final = 1
"""Part of the cache's path: raise it whenever the same seed would give other data."""
_BAND_OF_FILE: Final = {f"{stem}.tif": band for band, stem in stac.BAND_FILES.items()}


def overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two (west, south, east, north) touch."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


class SandboxPlace:
    """One site with all its sensors and its part of the cache."""

    def __init__(self, site: Site, seed: int, root: Path, today: date, effects: Effects = PLAIN) -> None:
        self.site = site
        self.seed = seed
        self.effects = effects
        self._years = site.seasons or (today.year,)
        # Without effects nothing is added, so that the plain landscape keeps its folder.
        facts = json.dumps([seed, VERSION, site.model_dump(mode="json"), *effects.names], sort_keys=True)
        self.folder = root / f"{site.name}-{hashlib.sha256(facts.encode()).hexdigest()[:10]}"
        self._lock = Lock()
        self._locks: dict[Path, Lock] = {}
        self._items: dict[tuple[str, str], bytes] = {}
        self._images: tuple[date, dict[str, date]] | None = None
        self._by_id: dict[tuple[str, int], dict[str, SentinelProduct]] = {}

    @cached_property
    def landscape(self) -> Landscape:
        return Landscape(self.site, self.seed, self.effects)

    @cached_property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.landscape)

    @cached_property
    def renderer(self) -> Renderer:
        return Renderer(self.landscape)

    @cached_property
    def cubes(self) -> olci.Cubes:
        return olci.Cubes(Olci(self.landscape), self.folder / "cubes")

    @cached_property
    def camera(self) -> SyntheticCamera:
        first = max(date(min(self._years) - 1, 1, 1), weather.FIRST)
        return SyntheticCamera(self.landscape, first, date(max(self._years) + 1, 12, 31))

    @property
    def cube_bounds(self) -> list[float]:
        """west, south, east, north of the area with Sentinel-3 data."""
        x, y, half = self.cubes.olci.lattice.x, self.cubes.olci.lattice.y, 0.5 / PER_DEGREE
        return [float(x[0] - half), float(y[-1] - half), float(x[-1] + half), float(y[0] + half)]

    def touches(self, bounds: Bounds) -> bool:
        """Whether the site's world may touch ``bounds`` (a cheap test without building the landscape)."""
        near = (self.site.longitude, self.site.latitude)
        return overlap((near[0] - 0.35, near[1] - 0.12, near[0] + 0.35, near[1] + 0.12), bounds)

    def item(self, product: SentinelProduct) -> dict[str, Any]:
        """The product's STAC item; every caller gets a copy of its own, which it may change."""
        key = (product.collection, product.id)
        if key not in self._items:
            self._items[key] = pickle.dumps(stac.item(product, self.landscape))
        item: dict[str, Any] = pickle.loads(self._items[key])
        return item

    def products_by_id(self, collection: str, year: int) -> dict[str, SentinelProduct]:
        key = (collection, year)
        if key not in self._by_id:
            inside = date(year, 1, 1), date(year, 12, 31)
            self._by_id[key] = {p.id: p for p in self.catalogue.products(collection, *inside)}
        return self._by_id[key]

    def scene_file(self, product: SentinelProduct, name: str) -> Path | None:
        """A product's COG, XML, JSON or thumbnail."""
        make = self._maker(product, name)
        if make is None:
            return None
        return self._cached(self.folder / product.folder / name, make)

    def _maker(self, product: SentinelProduct, name: str) -> Callable[[Path], None] | None:
        band = _BAND_OF_FILE.get(name)
        if band is not None and not (band == "nir08" and product.quirk == "missing_nir08"):
            return lambda path: self._write_band(product, band, path)
        if name == "SCL.tif":
            return lambda path: write_cog(path, self.renderer.classes(product), product.tile, 20)
        assets = stac.item(product, self.landscape)["assets"]
        named = {
            key: assets[key]["href"].rsplit("/", 1)[1] for key in ("granule_metadata", "tileinfo_metadata", "thumbnail")
        }
        if name == named["granule_metadata"]:
            return lambda path: write_bytes(path, granule.metadata_xml(product, self.landscape))
        if name == named["tileinfo_metadata"]:
            return lambda path: write_bytes(path, json.dumps(granule.tile_info(product, self.landscape)).encode())
        if name == named["thumbnail"]:
            return lambda path: write_bytes(path, self.renderer.thumbnail(product))
        return None

    def _write_band(self, product: SentinelProduct, band: str, path: Path) -> None:
        write_cog(path, self.renderer.band(product, band), product.tile, RESOLUTION[band])
        if product.quirk == "corrupt_cog" and band == "green":
            write_bytes(path, damage(path.read_bytes()))

    def camera_file(self, path: str, today: date) -> Path | None:
        """A picture of the camera, or a region's one-day summary as of ``today``."""
        day = self._image_days(today).get(path)
        if day is not None:
            return self._cached(self.folder / path.lstrip("/"), partial(self._write_picture, day))
        until = min(today, self.camera.last)
        for roi in self.camera.rois:
            name = f"{self.site.name}_{roi.code}_{roi.sequence:04d}_1day.csv"
            if path == f"/data/archive/{self.site.name}/ROI/{name}" and roi.since <= until:
                return self._cached(self.folder / "summaries" / str(until) / name, partial(self._write_csv, roi, until))
        return None

    def _write_picture(self, day: date, target: Path) -> None:
        stamp = "_".join(target.stem.split("_")[-4:])
        write_bytes(target, picture.draw(self.camera, day, stamp, infrared="_IR_" in target.name))

    def _write_csv(self, roi: Roi, until: date, target: Path) -> None:
        write_bytes(target, self.camera.csv(roi, until).encode())

    def _image_days(self, today: date) -> dict[str, date]:
        """Path of every visible picture -> its day."""
        if self._images is None or self._images[0] != today:
            self._images = (today, self.camera.pictures(today))
        return self._images[1]

    def _cached(self, target: Path, make: Callable[[Path], None]) -> Path:
        """``target``, made first when it does not exist; two who ask at once get it made once."""
        if target.exists():
            return target
        with self._lock:
            lock = self._locks.setdefault(target, Lock())
        with lock:
            if not target.exists():
                make(target)
        return target
