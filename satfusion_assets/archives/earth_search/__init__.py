"""Sentinel-2 L2A from Earth Search: catalogue, scenes, pixels."""

from satfusion_assets.archives.earth_search.angles import ViewZenith, read_view_zenith
from satfusion_assets.archives.earth_search.catalogue import LatestChange, SearchResult, latest_change, search_scenes
from satfusion_assets.archives.earth_search.pixels import (
    SCL_OUTSIDE,
    Quarantine,
    Quarantined,
    ScenePixels,
    ask_for,
    read_scene,
)
from satfusion_assets.archives.earth_search.ranges import Damaged, FetchedBytes, FileFacts, is_there
from satfusion_assets.archives.earth_search.scenes import Scene, name_scenes, resolve_reprocessings, scene_from_item

__all__ = [
    "SCL_OUTSIDE",
    "Damaged",
    "FetchedBytes",
    "FileFacts",
    "LatestChange",
    "Quarantine",
    "Quarantined",
    "Scene",
    "ScenePixels",
    "SearchResult",
    "ViewZenith",
    "ask_for",
    "is_there",
    "latest_change",
    "name_scenes",
    "read_scene",
    "read_view_zenith",
    "resolve_reprocessings",
    "scene_from_item",
    "search_scenes",
]
