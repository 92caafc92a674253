"""Stage: the STAC catalogue of everything that has been fused so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from posixpath import basename, normpath
from typing import Any, Final

import pystac
import stac_geoparquet.arrow

from satfusion_assets.pipeline.gathering import gathered
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.stac_catalogue import files
from satfusion_assets.pipeline.stac_catalogue.items import FusedSeason, day_items, season_item
from satfusion_assets.pipeline.stac_catalogue.product import STAC_CATALOGUE
from satfusion_assets.store import Draft, Store, View
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

VERSION: Final = "1.1.0"
LICENCE: Final = "other"
"""The sources' own; they stand in the descriptions."""


def catalogue(store: Store, site_seasons: Iterable[SiteSeason]) -> Outcome:
    """Publish ``stac_catalogue`` of every season and scenario that has been processed; ProductMissing without any."""
    with ExitStack() as stack:
        views = gathered(stack, store, STAC_CATALOGUE, site_seasons)
        seasons = _seasons(views)
        with publish(store, STAC_CATALOGUE.of(), inputs=views) as draft:
            items = [item for season, fused in seasons.items() for item in _write_season(draft, season, fused)]
            _write_root(draft, list(seasons))
            table = stac_geoparquet.arrow.parse_stac_items_to_arrow(items)
            stac_geoparquet.arrow.to_parquet(table, draft.path(files.INDEX))
    assert draft.manifest is not None
    return Outcome(draft.manifest, numbers={"site_seasons": len(seasons), "items": len(items)})


def _seasons(views: Sequence[View]) -> dict[SiteSeason, list[FusedSeason]]:
    """What there is of each season, its scenarios in order; a pack without its images is none."""
    packs = {view.product: view for view in views if view.product.name == PACK.name}
    fused = [
        FusedSeason(view, packs.get(PACK.of(view.product.scope, view.product.variant)), _scenario(view))
        for view in views
        if view.product.name == PROCESSED.name
    ]
    ordered = sorted(fused, key=lambda one: (one.season, one.scenario.key))
    return {season: list(ones) for season, ones in groupby(ordered, key=lambda one: one.season)}


def _scenario(view: View) -> Scenario:
    return Scenario.parse(view.product.variant)


def _write_season(draft: Draft, season: SiteSeason, fused: Sequence[FusedSeason]) -> list[dict[str, Any]]:
    """Write a season's collection with its items and days; returns the days' items as the index beside holds them."""
    found: list[dict[str, Any]] = []
    items = [season_item(one) for one in fused]
    for one, item in zip(fused, items, strict=True):
        days = day_items(one)
        links = [("root", "../catalog.json"), ("parent", "collection.json"), ("collection", "collection.json")]
        content = item.to_dict(include_self_link=False) | {"links": _links(*links), "collection": season.key}
        _write(draft, files.item(season, one.scenario), content)
        _write(draft, files.days(season, one.scenario), pystac.ItemCollection(days).to_dict())
        for day in days:
            day.assets["image"].href = normpath(f"{season.key}/{day.assets['image'].href}")
            found.append(day.to_dict(include_self_link=False))
    names = [basename(files.item(season, one.scenario)) for one in fused]
    _write(draft, files.collection(season), _collection(season, fused, items, names))
    return found


def _collection(
    season: SiteSeason, fused: Sequence[FusedSeason], items: Sequence[pystac.Item], names: Sequence[str]
) -> dict[str, Any]:
    sources = sorted({text for one in fused for text in one.sources})
    collection = pystac.Collection(
        id=season.key,
        description=" ".join([f"{season.site} in {season.season}, fused under every scenario.", *sources]),
        extent=pystac.Extent.from_items(items),
        title=f"{season.site} {season.season}",
        license=LICENCE,
    )
    links = [("root", "../catalog.json"), ("parent", "../catalog.json"), *(("item", name) for name in names)]
    return collection.to_dict(include_self_link=False) | {"links": _links(*links)}


def _write_root(draft: Draft, seasons: Sequence[SiteSeason]) -> None:
    root = pystac.Catalog("satfusion", "What satfusion has fused of Sentinel-2 and Sentinel-3.", "satfusion")
    links = [("root", "catalog.json"), *(("child", f"{season.key}/collection.json") for season in seasons)]
    _write(draft, files.CATALOGUE, root.to_dict(include_self_link=False) | {"links": _links(*links)})


def _links(*relations: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"rel": rel, "href": href if href.startswith("..") else f"./{href}", "type": "application/json"}
        for rel, href in relations
    ]


def _write(draft: Draft, name: str, content: Mapping[str, Any]) -> None:
    draft.write_bytes(name, json.dumps(content).encode())
