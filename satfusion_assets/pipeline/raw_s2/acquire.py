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
    SCL_OUTSIDE,
    Damaged,
    FetchedBytes,
    Quarantine,
    Quarantined,
    Scene,
    ScenePixels,
    SearchResult,
    ask_for,
    is_there,
    name_scenes,
    read_scene,
    read_view_zenith,
    resolve_reprocessings,
    search_scenes,
)
from satfusion_assets.archives.http import FileWithheld, HttpArchive, NotFound, Refused
from satfusion_assets.archives.retry import THROTTLED, RetryPolicy, public_url
from satfusion_assets.pipeline.acquisition.cache import Entry, FetchCache, digest
from satfusion_assets.pipeline.acquisition.fetching import Fetched, fetch_all, refuse_unless_few
from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.acquisition.report import Progress, SetAside, log_progress
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.raw_s2.files import S2_SCENES, raw_scl
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.sources import SOURCES, stated
from satfusion_assets.store import Store
from satfusion_assets.store.rasters import encode_raster, read_raster
from satfusion_assets.vocabulary.errors import NoData
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.scenarios import S2_BANDS
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason

log = logging.getLogger(__name__)

READER: Final = 2
"""Raised when the reader makes other pixels of the same item, so that cached scenes are read again."""
EARLIER_READER: Final = 1
"""It let a saturated pixel into its neighbours on the finer grid; scenes that had none are as they would be now."""
_BEYOND_SATURATION: Final = 20_000
"""DN, reflectance 2, that no ground reaches. A saturated pixel of 65535 left its nearest neighbours of 10 m at 9/16 of
that or more, whatever lay beside it."""
_SATURATED_CLASS: Final = 1
DN_SCALE: Final = 1e-4
_REFLECTANCE: Final = ".tif"
_SCL: Final = ".scl.tif"
_BAD: Final = "bad_file"
_ANGLE_UNKNOWN: Final = "unknown: granule metadata"
"""How the source of an angle begins that the archive lists and did not give whole: it is asked for again."""


def acquire_sentinel2(
    site: Site,
    season: SiteSeason,
    store: Store,
    settings: Settings,
    progress: Progress = log_progress,
    *,
    again: bool = False,
) -> Outcome:
    """Fetch the scenes of ``season`` with its margins and publish ``raw_s2``.

    Scenes that must not be used or that the archive holds damaged are set aside with the reason. again: read
    everything again, cached or not. Raises ArchiveUnavailable, ArchiveAnswerInvalid, NoData, StoreFull; the published
    product is replaced whole or stays as it was.
    """
    grid = site_grid(site)
    policy = RetryPolicy.of(settings)
    found = search_scenes(
        settings.earth_search_url, settings.s2_collection, grid.fine, season.raw_start, season.raw_end, policy
    )
    scenes, replaced = resolve_reprocessings(found.scenes)
    if not scenes:
        raise NoData(
            f"Earth Search has no Sentinel-2 scene of {site.name} from {season.raw_start} to {season.raw_end}; "
            f"check the site's position and season."
        )
    named = name_scenes(scenes, grid.local_day)
    cache = FetchCache(store.kept(season, "s2"), again=again)
    keys = {name: _key_of_cache(cache, scene, grid) for name, scene in named.items()}
    cache.write_json("plan.json", _plan(found, settings, named, keys, replaced))
    with HttpArchive("Earth Search", policy, transient=THROTTLED) as archive:
        reader = _Reader(archive, cache, grid, keys)
        fetched = fetch_all(
            named,
            reader.entry,
            settings.earth_search_connections,
            progress,
            witness=lambda name: ask_for(archive, named[name]),
        )
    refuse_unless_few(fetched.bad, len(named))
    return _publish(store, site, season, found, replaced, named, fetched, reader, archive, cache)


class _Reader:
    """Turns scenes into cache entries, reading those that are not there yet."""

    def __init__(self, archive: HttpArchive, cache: FetchCache, grid: SiteGrid, keys: Mapping[str, str]) -> None:
        self._archive = archive
        self._cache = cache
        self._grid = grid
        self.keys = keys
        self.read: list[str] = []
        """Names of the scenes that this run read or settled."""

    def entry(self, name: str, scene: Scene) -> Entry:
        key = self.keys[name]
        known = self._cache.get(key)
        if known is not None and _BAD in known.facts:
            self._confirm(scene, known.facts[_BAD])
        elif known is not None and not self._angle_is_there_now(scene, known):
            return known
        self.read.append(name)
        return self._read(key, scene)

    def _read(self, key: str, scene: Scene) -> Entry:
        try:
            pixels = read_scene(self._archive, scene, self._grid)
        except Quarantined as error:
            return self._cache.put(key, {}, _aside(error.kind, str(error)))
        except (Damaged, NotFound, FileWithheld, Refused) as error:
            if not isinstance(error, Damaged) or error.stable:
                self._cache.put(key, {}, {_BAD: _facts_of_bad(error)})
            raise
        facts = _scene_facts(scene, pixels)
        if pixels.empty:
            return self._cache.put(key, {}, facts | _aside("empty", f"Item {scene.id} has no pixel of the site."))
        return self._cache.put(key, _files(scene, pixels, self._grid), facts)

    def _confirm(self, scene: Scene, bad: Mapping[str, Any]) -> None:
        """Raise what is known of a bad file while the archive has it as it was: what was damaged is asked for again,
        not the whole scene. An ETag would not do: a file that was damaged on its way has the same one.
        """
        href = next((href for href in scene.hrefs.values() if public_url(href) == bad["href"]), None)
        if href is None:
            return
        if (fetched := bad.get("fetched")) is None:
            unchanged = not is_there(self._archive, href)
        else:
            ranges = tuple((start, stop) for start, stop in fetched["ranges"])
            known = FetchedBytes(ranges, fetched["sha256"], fetched["length"])
            unchanged = known.come_again(self._archive, href)
        if unchanged:
            raise Damaged(bad["reason"], stable=True)

    def _angle_is_there_now(self, scene: Scene, known: Entry) -> bool:
        """Whether metadata that did not come whole do now; only then is a scene of unknown angle read again."""
        if not known.paths or not known.facts["view_zenith_source"].startswith(_ANGLE_UNKNOWN):
            return False
        return read_view_zenith(self._archive, scene, attempts=1).degrees is not None


def _files(scene: Scene, pixels: ScenePixels, grid: SiteGrid) -> dict[str, bytes]:
    tags = {
        "ITEM": scene.id,
        "COLLECTION": str(scene.collection),
        "SENSING_TIME": scene.sensed.isoformat(),
        "PROCESSING_BASELINE": scene.baseline or "",
        "OFFSET_SUBTRACTED": str(pixels.offset.subtract),
        "OFFSET_DECISION": f"{pixels.offset.why}; dark pixels: {pixels.offset.evidence}",
        "ITEM_UPDATED": scene.updated,
    }
    if pixels.view_zenith.degrees is not None:
        tags["VIEWING_ZENITH_ANGLE"] = f"{pixels.view_zenith.degrees:.6g}"
    for asset, facts in pixels.files.items():
        tags[f"SOURCE_{asset.upper()}"] = f"{facts.href} etag={facts.etag} length={facts.length}"
    bands = encode_raster(pixels.bands, grid.fine, nodata=0, descriptions=S2_BANDS, scale=DN_SCALE, tags=tags)
    scl = encode_raster(pixels.scl, grid.scl, nodata=SCL_OUTSIDE, descriptions=("SCL",), tags={"ITEM": scene.id})
    return {_REFLECTANCE: bands, _SCL: scl}


def _publish(
    store: Store,
    site: Site,
    season: SiteSeason,
    found: SearchResult,
    replaced: Mapping[str, str],
    named: Mapping[str, Scene],
    fetched: Fetched[Entry],
    reader: _Reader,
    archive: HttpArchive,
    cache: FetchCache,
) -> Outcome:
    used = {name: entry for name, entry in fetched.results.items() if entry.paths}
    set_aside = _set_aside(found, named, fetched)
    set_aside_rows = [asdict(one) for one in set_aside]
    if not used:
        raise NoData(
            f"None of the {len(named)} Sentinel-2 scenes of {season.key} can be used ({set_aside[0].reason}); "
            f"nothing was published."
        )
    collection = str(next(iter(named.values())).collection)
    scenes = [{"name": name, **entry.facts} for name, entry in used.items()]
    record = {
        "collection": collection,
        "search_pages_sha256": list(found.pages),
        "scenes": scenes,
        "set_aside": set_aside_rows,
        "replaced_by_reprocessing": dict(replaced),
    }
    used_scenes = [named[name] for name in used]
    providers = dict.fromkeys(provider for scene in used_scenes for provider in scene.providers)
    licence = next((scene.licence for scene in used_scenes if scene.licence), None)
    parameters = {"collection": collection, SOURCES: stated(collection, providers, licence)}
    with publish(store, RAW_S2.of(season), site=site, parameters=parameters) as draft:
        for name, entry in used.items():
            draft.adopt(entry.paths[_REFLECTANCE], raw_scene("s2", name))
            draft.adopt(entry.paths[_SCL], raw_scl(name))
        draft.write_json(S2_SCENES, record)
    assert draft.manifest is not None, "a published draft has its manifest"
    cache.keep_only(set(reader.keys.values()))
    return Outcome(
        draft.manifest,
        numbers={
            "scenes": len(used),
            "valid_fraction": round(float(np.mean([scene["valid_fraction"] for scene in scenes])), 4),
            "set_aside": len(set_aside),
            "replaced_by_reprocessing": len(replaced),
            "read_in_this_run": len(reader.read),
            "data_requests": archive.requests,
            "bytes_read": archive.bytes_read,
            "unknown_view_angles": sum(scene["view_zenith"] is None for scene in scenes),
        },
        notes={"collection": collection, "first_scene": next(iter(used)), "last_scene": list(used)[-1]},
        tables={"set_aside": set_aside_rows, "scenes": [_row(scene) for scene in scenes]},
    )


def _set_aside(found: SearchResult, named: Mapping[str, Scene], fetched: Fetched[Entry]) -> list[SetAside]:
    """Scenes and items that are not in the product, by name."""
    reasons = {name: entry.facts["set_aside"] for name, entry in fetched.results.items() if not entry.paths}
    reasons |= {name: {"kind": str(Quarantine.UNREADABLE), "reason": str(bad)} for name, bad in fetched.bad.items()}
    listed = [SetAside(name, named[name].id, **reasons[name]) for name in sorted(reasons)]
    malformed = sorted(found.malformed.items())
    return listed + [SetAside("", item, str(Quarantine.MALFORMED_ITEM), why) for item, why in malformed]


def _row(scene: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("name", "id", "baseline", "offset_subtracted", "dark_pixel_test", "view_zenith", "valid_fraction")
    return {key: scene[key] for key in shown}


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


def _key(scene: Scene, grid: SiteGrid, reader: int = READER) -> str:
    """Cache key: the item, all that the catalogue says about it, the grid and the reader."""
    where = [str(box.crs) + str(tuple(box.affine)) + str(tuple(box.shape)) for box in (grid.fine, grid.scl)]
    return f"{scene.id}_{digest(reader, scene.model_dump(mode='json'), where)}"


def _key_of_cache(cache: FetchCache, scene: Scene, grid: SiteGrid) -> str:
    """The key of a scene: the earlier reader's while what it kept is what would be read now, so that it stays."""
    key, earlier = _key(scene, grid), _key(scene, grid, EARLIER_READER)
    kept = None if cache.get(key) is not None else cache.get(earlier)
    return key if kept is None or _has_saturated_pixels(kept) else earlier


def _has_saturated_pixels(entry: Entry) -> bool:
    """Whether a cached scene had saturated pixels: its bands show them, and its classes those beside the site."""
    if not entry.paths:
        return False
    bands, classes = (read_raster(entry.paths[suffix]).values for suffix in (_REFLECTANCE, _SCL))
    return bool((bands > _BEYOND_SATURATION).any() or (classes == _SATURATED_CLASS).any())


def _facts_of_bad(error: Damaged | NotFound | FileWithheld | Refused) -> dict[str, Any]:
    """Enough to see later, cheaply, whether the archive still has (or lacks) the file that made a scene unreadable."""
    if not isinstance(error, Damaged):
        return {"reason": str(error), "href": error.url}
    assert error.file is not None, "what is damaged at the archive has been fetched"
    assert error.fetched is not None, "and is known by its bytes"
    return {"reason": str(error), "href": error.file.href, "fetched": asdict(error.fetched)}


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
        "view_zenith": pixels.view_zenith.degrees,
        "view_zenith_source": pixels.view_zenith.source,
        "valid_fraction": round(float(np.mean(pixels.bands.all(axis=0))), 6),
        "pixels_at_or_below_zero": pixels.dark,
        "files": {
            asset: {"href": facts.href, "etag": facts.etag, "length": facts.length}
            for asset, facts in pixels.files.items()
        },
    }
