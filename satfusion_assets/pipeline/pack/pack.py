"""Stage: a processed season with its quality layers as one analysis-ready pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.prepared.prepare import CHANNELS
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.sampling.crop import Window
from satfusion_assets.store import ProductStore, View
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.grid import FINE_M, RATIO
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.vocabulary.sources import SOURCES

_BAND: Final = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?:\W+(?P<name>\w+))?")


def pack_season(store: ProductStore, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``pack``: s2, fused, s3 and the quality layers as ``packs/{scenario}.zarr``, cut to the valid window."""
    with (
        store.read(PROCESSED.of(site_season, scenario)) as processed,
        store.read(FUSED.of(site_season, scenario)) as fused,
    ):
        window = processed.read_json(ProcessedLayout(scenario).window)
        image = processed.read_raster(processed.names(f"{ProcessedLayout(scenario).folder}/fusion/*.geotiff")[0])
        layers = [*_images(processed, scenario), *_quality(fused, scenario, window)]
        with publish(store, PACK.of(site_season, scenario), inputs=[processed, fused]) as draft:
            write_pack(
                draft.path(pack_folder(scenario)),
                layers,
                tuple(image.geobox.affine)[:6],
                window["epsg"],
                {"title": f"satfusion {site_season.key}, {scenario.key}", **draft.tags},
                replaces=store.folder(site_season) / pack_folder(scenario),
            )
    assert draft.manifest is not None
    numbers: dict[str, int | float | None] = {f"{layer.name}_days": len(layer.days) for layer in layers}
    return Outcome(draft.manifest, numbers=numbers | {"bytes": draft.manifest.total_bytes})


def _images(processed: View, scenario: Scenario) -> Iterator[PackLayer]:
    for source in SOURCES:
        names = processed.names(f"{ProcessedLayout(scenario).folder}/{source}/*.geotiff")
        if names:
            days = np.array([day_of(name) for name in names], "datetime64[D]")
            values = np.stack([processed.read_raster(name).masked() for name in names])
            yield PackLayer("fused" if source == "fusion" else source, days, values, CHANNELS[scenario.mode])


def _quality(fused: View, scenario: Scenario, window: dict[str, int]) -> Iterator[PackLayer]:
    """Layers of the whole grid, cut to ``window``; a band per day, or per day and channel."""
    cut = Window(window["row"], window["col"], window["height"], window["width"])
    for name in fused.names(f"{FusedLayout(scenario).folder}/quality/*.tif"):
        raster = fused.read_raster(name)
        found = [_BAND.match(text or "") for text in raster.descriptions]
        key = name.rsplit("/", 1)[-1].removesuffix(".tif")
        days = sorted({match["day"] for match in found if match})
        bands = tuple(dict.fromkeys(match["name"] or key for match in found if match))
        physical = raster.physical()
        values = cut.cut(physical) if raster.geobox.resolution.x == FINE_M else cut.cut_coarse(physical, RATIO)
        cube = np.full((len(days), len(bands), *values.shape[1:]), np.nan, np.float32)
        for number, match in enumerate(found):
            if match:
                cube[days.index(match["day"]), bands.index(match["name"] or key)] = values[number]
        yield PackLayer(key, np.array(days, "datetime64[D]"), cube, bands)
