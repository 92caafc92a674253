"""Sentinel-2: search, resolve, read each scene once, publish ``raw_s2``.

What is to be fetched is settled by the catalogue before the first pixel is read (``plan.json`` in the cache). One
cache entry per scene; a restart reads only scenes that are missing there or whose item has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from satfusion_assets.archives.earth_search import (
    FileFacts,
    Quarantine,
    Quarantined,
    Scene,
    ScenePixels,
    SearchResult,
    name_scenes,
    read_scene,
    resolve_reprocessings,
    search_scenes,
)
from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.patience import THROTTLED, Patience
from satfusion_assets.errors import ArchiveAnswerInvalid, NoData
from satfusion_assets.grid import SiteGrid, site_grid
from satfusion_assets.scenarios import S2_BANDS
from satfusion_assets.settings import Settings
from satfusion_assets.sites import Site, SiteSeason
from satfusion_assets.stages.acquire.cache import Entry, FetchCache, digest
from satfusion_assets.stages.acquire.fetching import fetch_all
from satfusion_assets.stages.acquire.report import Acquired, Progress, SetAside, log_progress
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.rasters import encode_raster

log = logging.getLogger(__name__)

READER: Final = 1
"""Raised when the reader makes other pixels of the same item, so that cached scenes are read again."""
DN_SCALE: Final = 1e-4
_REFLECTANCE: Final = ".tif"
_SCL: Final = ".scl.tif"


def acquire_sentinel2(
    site: Site,
    season: SiteSeason,
    store: ProductStore,
    settings: Settings,
    progress: Progress = log_progress,
) -> Acquired:
    """Fetch the scenes of ``season`` with its margins and publish ``raw_s2``.

    Raises ArchiveUnavailable, ArchiveAnswerInvalid (a file is unreadable; a second run sets it aside), NoData,
    StoreFull. The published product is replaced whole or stays as it was.
    """
    grid = site_grid(site)
    patience = Patience.of(settings)
    found = search_scenes(
        settings.earth_search_url, settings.s2_collection, grid.fine, season.raw_start, season.raw_end, patience
    )
    scenes, replaced = resolve_reprocessings(found.scenes)
    if not scenes:
        raise NoData(
            f"Earth Search has no Sentinel-2 scene of {site.name} from {season.raw_start} to {season.raw_end}; "
            f"check the site's position and season."
        )
    named = name_scenes(scenes)
    keys = {name: _key(scene, grid) for name, scene in named.items()}
    cache = FetchCache(store.cache(season, "s2"))
    cache.write_json("plan.json", _plan(found, settings, named, keys, replaced))
    with HttpArchive("Earth Search", patience, transient=THROTTLED) as archive:
        reader = _Reader(archive, cache, grid, keys)
        entries = fetch_all(named, reader.entry, settings.earth_search_connections, progress)
    return _publish(store, season, settings, found, replaced, named, entries, cache, reader.fetched)


class _Reader:
    """Turns scenes into cache entries, reading those that are not there yet."""

    def __init__(self, archive: HttpArchive, cache: FetchCache, grid: SiteGrid, keys: Mapping[str, str]) -> None:
        self._archive = archive
        self._cache = cache
        self._grid = grid
        self._keys = keys
        self.fetched: list[Mapping[str, FileFacts]] = []

    def entry(self, name: str, scene: Scene) -> Entry:
        key = self._keys[name]
        known = self._cache.get(key)
        if known is not None:
            return known
        try:
            pixels = read_scene(self._archive, scene, self._grid)
        except Quarantined as error:
            self.fetched.append(error.facts)
            return self._cache.put(key, {}, _aside(error.kind, str(error)))
        except ArchiveAnswerInvalid as error:
            if not self._cache.unreadable_before(key, error):
                raise
            # Not cached: the archive may repair the file, so every later run tries again.
            return Entry(key, _aside(Quarantine.UNREADABLE, str(error)), {})
        self.fetched.append(pixels.files)
        facts = _scene_facts(scene, pixels)
        if pixels.empty:
            return self._cache.put(key, {}, facts | _aside("empty", f"Item {scene.id} has no pixel of the site."))
        return self._cache.put(key, _files(scene, pixels, self._grid), facts)


def _files(scene: Scene, pixels: ScenePixels, grid: SiteGrid) -> dict[str, bytes]:
    tags = {
        "ITEM": scene.id,
        "COLLECTION": scene.collection,
        "SENSING_TIME": scene.sensed.isoformat(),
        "PROCESSING_BASELINE": scene.baseline or "",
        "OFFSET_SUBTRACTED": str(pixels.offset.subtract),
        "OFFSET_DECISION": f"{pixels.offset.why}; dark pixels: {pixels.offset.evidence}",
        "ITEM_UPDATED": scene.updated,
    }
    if pixels.view_zenith is not None:
        tags["VIEWING_ZENITH_ANGLE"] = f"{pixels.view_zenith:.6g}"
    for asset, facts in pixels.files.items():
        tags[f"SOURCE_{asset.upper()}"] = f"{facts.href} etag={facts.etag} length={facts.length}"
    bands = encode_raster(pixels.bands, grid.fine, nodata=0, descriptions=S2_BANDS, scale=DN_SCALE, tags=tags)
    scl = encode_raster(pixels.scl, grid.scl, nodata=None, descriptions=("SCL",), tags={"ITEM": scene.id})
    return {_REFLECTANCE: bands, _SCL: scl}


def _publish(
    store: ProductStore,
    season: SiteSeason,
    settings: Settings,
    found: SearchResult,
    replaced: Mapping[str, str],
    named: Mapping[str, Scene],
    entries: Mapping[str, Entry],
    cache: FetchCache,
    fetched: list[Mapping[str, FileFacts]],
) -> Acquired:
    used = {name: entry for name, entry in entries.items() if entry.paths}
    left = {name: entry.facts["set_aside"] for name, entry in entries.items() if not entry.paths}
    set_aside = [SetAside(f"{name} {named[name].id}", why["kind"], why["reason"]) for name, why in left.items()]
    set_aside += [SetAside(item, Quarantine.MALFORMED_ITEM, why) for item, why in found.malformed.items()]
    if not used:
        raise NoData(
            f"None of the {len(named)} Sentinel-2 scenes of {season.key} can be used ({set_aside[0].reason}); "
            f"nothing was published."
        )
    record = {
        "collection": str(settings.s2_collection),
        "search_pages_sha256": list(found.pages),
        "scenes": [{"name": name, **entry.facts} for name, entry in used.items()],
        "set_aside": [asdict(one) for one in set_aside],
        "replaced_by_reprocessing": dict(replaced),
    }
    product = Product("raw_s2", season)
    with store.publish(product, parameters={"collection": str(settings.s2_collection)}) as draft:
        for name, entry in used.items():
            draft.adopt(entry.paths[_REFLECTANCE], f"raw/s2/{name}.geotiff")
            draft.adopt(entry.paths[_SCL], f"raw/scl/{name}.geotiff")
        draft.write_json("raw/s2/scenes.json", record)
    assert draft.manifest is not None, "a published draft has its manifest"
    cache.keep_only({entry.key for entry in entries.values()})
    files = [facts for scene in fetched for facts in scene.values()]
    return Acquired(
        product=product,
        manifest=draft.manifest,
        count=len(used),
        fetched=len(fetched),
        requests=sum(facts.requests for facts in files),
        bytes_read=sum(facts.bytes_read for facts in files),
        set_aside=set_aside,
        facts={"replaced_by_reprocessing": len(replaced), "collection": str(settings.s2_collection)},
    )


def _plan(
    found: SearchResult,
    settings: Settings,
    named: Mapping[str, Scene],
    keys: Mapping[str, str],
    replaced: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "collection": str(settings.s2_collection),
        "search_pages_sha256": list(found.pages),
        "matched": found.matched,
        "scenes": {name: {"key": keys[name], **scene.model_dump(mode="json")} for name, scene in named.items()},
        "malformed": found.malformed,
        "replaced_by_reprocessing": dict(replaced),
    }


def _key(scene: Scene, grid: SiteGrid) -> str:
    """Cache key: the item, all that the catalogue says about it, the grid and the reader."""
    where = [str(box.crs) + str(tuple(box.affine)) + str(tuple(box.shape)) for box in (grid.fine, grid.scl)]
    return f"{scene.id}_{digest(READER, scene.model_dump(mode='json'), where)}"


def _aside(kind: str, reason: str) -> dict[str, Any]:
    return {"set_aside": {"kind": str(kind), "reason": reason}}


def _scene_facts(scene: Scene, pixels: ScenePixels) -> dict[str, Any]:
    return {
        "id": scene.id,
        "platform": scene.platform,
        "sensed": scene.sensed.isoformat(),
        "tile": scene.tile,
        "relative_orbit": scene.relative_orbit,
        "baseline": scene.baseline,
        "updated": scene.updated,
        "offset_subtracted": pixels.offset.subtract,
        "offset_decision": pixels.offset.why,
        "dark_pixel_test": str(pixels.offset.evidence),
        "view_zenith": pixels.view_zenith,
        "view_zenith_source": pixels.view_zenith_source,
        "valid_fraction": round(float(np.mean(pixels.bands.all(axis=0))), 6),
        "pixels_at_or_below_zero": pixels.dark,
        "files": {
            asset: {"href": facts.href, "etag": facts.etag, "length": facts.length}
            for asset, facts in pixels.files.items()
        },
    }
