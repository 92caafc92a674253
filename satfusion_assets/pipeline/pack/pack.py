"""Stage: a processed season with its quality layers as one analysis-ready pack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

import numpy as np

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.pack.files import image_layer, pack_folder
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.replaced import replaced_pack
from satfusion_assets.sampling.crop import Window
from satfusion_assets.store import Store, View
from satfusion_assets.store.pack_reader import held_layers
from satfusion_assets.store.packs import HeldLayer, PackLayer, StoredLayer, write_pack
from satfusion_assets.store.recent import WRITTEN
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.scenarios import CHANNELS, Scenario
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.vocabulary.sources import SOURCES


def pack_season(store: Store, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``pack``: s2, fused, s3 and the quality layers as ``packs/{scenario}.zarr``, cut to the valid window."""
    with (
        store.read(PROCESSED.of(site_season, scenario)) as processed,
        store.read(FUSED.of(site_season, scenario)) as fused,
    ):
        window = processed.read_json(ProcessedLayout(scenario).window)
        geobox = processed.read_geobox(processed.names(f"{ProcessedLayout(scenario).folder}/fusion/*.geotiff")[0])
        numbers: dict[str, int | float | None] = {}
        pack = PACK.of(site_season, scenario)
        with (
            replaced_pack(store, pack, pack_folder(scenario)) as before,
            publish(store, pack, inputs=[processed, fused]) as draft,
        ):
            write_pack(
                draft.path(pack_folder(scenario)),
                _counted(chain(_images(processed, scenario), _quality(fused, scenario, window)), numbers),
                tuple(geobox.affine)[:6],
                window["epsg"],
                {**_said(fused, site_season, scenario), **draft.tags},
                replaces=before,
            )
    assert draft.manifest is not None
    WRITTEN.keep(())  # what follows asks for series, and for no image
    return Outcome(draft.manifest, numbers=numbers | {"bytes": draft.manifest.total_bytes})


def _said(fused: View, site_season: SiteSeason, scenario: Scenario) -> dict[str, str]:
    """What the pack tells of itself."""
    return {
        "title": f"satfusion {site_season.key}, {scenario.key}",
        "source": "Sentinel-2, Sentinel-3 and what satfusion fused of them",
        "history": f"made from {fused.product.key}, data version {fused.version}",
        "comment": "Sharded Zarr: read it with Zarr for Python, as xarray does. GDAL reads the GeoTIFFs beside it.",
    }


def _counted(
    layers: Iterable[PackLayer | HeldLayer], numbers: dict[str, int | float | None]
) -> Iterator[PackLayer | HeldLayer]:
    """``layers`` one after another; their days are in ``numbers`` then."""
    for layer in layers:
        numbers[f"{layer.name}_days"] = len(layer.days)
        yield layer


def _images(processed: View, scenario: Scenario) -> Iterator[PackLayer]:
    for source in SOURCES:
        names = processed.names(f"{ProcessedLayout(scenario).folder}/{source}/*.geotiff")
        if names:
            days = np.array([day_of(name) for name in names], "datetime64[D]")
            # Fused images are one scenario's alone: held, they would take the place of what scenarios have in common.
            shared = source != "fusion"
            made_of = tuple(processed.manifest.files[image].sha256 for image in names) if shared else ()
            yield PackLayer(image_layer(source), days, processed.see_stack(names), CHANNELS[scenario.mode], made_of)


def _quality(fused: View, scenario: Scenario, window: dict[str, int]) -> Iterator[HeldLayer]:
    """Layers of the whole grid, which become the same files where ``window`` is that, and are cut to it else."""
    layout, cut = FusedLayout(scenario), Window(window["row"], window["col"], window["height"], window["width"])
    if not fused.names(f"{layout.quality}/*") and not fused.names(f"{layout.folder}/quality/*.tif"):
        return  # an engine without quality layers
    fused.path(f"{layout.quality}/zarr.json")  # or a sentence, where an earlier version wrote rasters
    fused.require_whole(f"{layout.quality}/*")  # the pack takes these files as they are
    for held in held_layers(fused.folder(layout.quality), f"{layout.quality} of {fused.product.key}"):
        yield replace(held, read=partial(_cut, held.read, cut))


def _cut(read: Callable[[], StoredLayer], cut: Window) -> StoredLayer:
    layer = read()
    return replace(layer, values=cut.cut(layer.values))
