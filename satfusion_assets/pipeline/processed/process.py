"""Stage: cut the season's images to the valid window and read the series at the site."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox

from satfusion_assets.pipeline.coarse_source import inherited
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.inputs import bands_beside
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.layers import write_layers
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.site_series import read_at_site, write_series
from satfusion_assets.sampling.crop import Window, valid_pixels, valid_window
from satfusion_assets.sampling.series import export_records
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.store import Draft, Store, View
from satfusion_assets.store.stacks import Images, SpreadImages, known_share
from satfusion_assets.store.tags import inputs_tag
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import NoData
from satfusion_assets.vocabulary.grid import RATIO, site_grid
from satfusion_assets.vocabulary.scenarios import CHANNELS, Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.vocabulary.sources import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceImages:
    """One source's images of the season. values: (t, b, H, W) on the site's fine grid or cut from it.

    made_of: the product that they are cut from, the one input that their files name: scenarios of one strategy have
    the same files then. names: where the images that they are cut from lie in it. uncut: whether these are on the same
    grid.
    """

    days: list[date]
    values: Images
    made_of: View
    names: list[str]
    uncut: bool = True

    @property
    def contents(self) -> tuple[str, ...]:
        """Hash of each image that they are cut from."""
        return tuple(self.made_of.manifest.files[name].sha256 for name in self.names)

    @property
    def tags(self) -> dict[str, str]:
        """What each file says of where it comes from."""
        return {"VARIANT": self.made_of.product.variant, **inputs_tag([self.made_of])}


def process(store: Store, site: Site, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``processed``: rasters cropped to one window, NDVI, GCC and band series of S2, S3 and fusion."""
    layout, grid = ProcessedLayout(scenario), site_grid(site)
    product = PROCESSED.of(site_season, scenario)
    with ExitStack() as leased:
        fused = leased.enter_context(store.read(FUSED.of(site_season, scenario)))
        prepared = leased.enter_context(store.read(PREPARED[scenario.mode].of(site_season, scenario.strategy)))
        # What the fused images were made from beside is named here as well: a backfill looks at each asset once, and
        # would forget a partition that only the longer way leads to.
        bands = bands_beside(leased, store, site_season, scenario)
        inputs = [fused, prepared] if bands is None else [fused, prepared, bands]
        refuse_out_of_place(site, fused, prepared)
        images = _fused_images(fused, scenario)
        window = valid_window(valid_pixels(images.values, grid.fine.shape))
        if window is None:
            raise NoData(f"{product.key}: no fused pixel is above 0.001 on any day; look at fused and prepared first.")
        cut: dict[Source, SourceImages] = {
            "fusion": replace(images, values=images.values[(..., *window.slices)]),
            "s2": _fine_images(prepared, scenario, site_season, window),
            "s3": _coarse_images(prepared, scenario, site_season, window),
        }
        geobox = grid.fine[window.slices]
        row_col = site_pixel(geobox, site.latitude, site.longitude)
        with publish(store, product, site=site, parameters=inherited(fused), inputs=inputs) as draft:
            for source, stack in cut.items():
                _write_images(draft, layout, source, stack, geobox, window, whole=geobox == grid.fine)
                _write_series(draft, layout, source, stack, geobox, site)
            draft.write_json(layout.window, _window_record(window, row_col, grid.epsg))
    assert draft.manifest is not None
    numbers: dict[str, int | float | None] = {f"{source}_days": len(stack.days) for source, stack in cut.items()}
    log.info(
        "Cut %d fused, %d Sentinel-2 and %d Sentinel-3 days to %d x %d pixels and read their series at the site.",
        *(len(cut[source].days) for source in ("fusion", "s2", "s3")),
        window.height,
        window.width,
    )
    numbers |= {"window_height": window.height, "window_width": window.width}
    numbers["valid_fraction"] = round(known_share(cut["fusion"].values), 4)
    return Outcome(draft.manifest, numbers=numbers)


def _fused_images(fused: View, scenario: Scenario) -> SourceImages:
    folder = FusedLayout(scenario).folder
    names = [name for name in fused.names(f"{folder}/*.tif") if "/quality/" not in name]
    return SourceImages([day_of(name) for name in names], fused.see_stack(names), fused, names)


def _fine_images(prepared: View, scenario: Scenario, season: SiteSeason, window: Window) -> SourceImages:
    layout = PreparedLayout(scenario.strategy, scenario.mode)
    names = _in_season(prepared.names(f"{layout.folder}/s2/*_{layout.kind}.tif"), season)
    values = prepared.see_stack(names)[(..., *window.slices)] if names else _nothing(scenario, window)
    return SourceImages([day_of(name) for name in names], values, prepared, names)


def _coarse_images(prepared: View, scenario: Scenario, season: SiteSeason, window: Window) -> SourceImages:
    layout = PreparedLayout(scenario.strategy, scenario.mode)
    names = _in_season(prepared.names(f"{layout.folder}/s3/*.tif"), season)
    if not names:
        return SourceImages([], _nothing(scenario, window), prepared, [], uncut=False)
    values = SpreadImages(prepared.kernel_stack(names), *window.coarse_places(RATIO))
    return SourceImages([day_of(name) for name in names], values, prepared, names, uncut=False)


def _nothing(scenario: Scenario, window: Window) -> np.ndarray:
    """A season without an image of a sensor."""
    return np.empty((0, len(CHANNELS[scenario.mode]), window.height, window.width), np.float32)


def _in_season(names: list[str], season: SiteSeason) -> list[str]:
    return [name for name in names if season.start <= day_of(name) <= season.end]


def _write_images(
    draft: Draft,
    layout: ProcessedLayout,
    source: Source,
    stack: SourceImages,
    geobox: GeoBox,
    window: Window,
    whole: bool,
) -> None:
    """The images cut to the window; where that is the ``whole`` grid they are the very files that were read."""
    names = [layout.image(source, day) for day in stack.days]
    channels = CHANNELS[layout.scenario.mode]
    if whole and stack.uncut:
        for name, origin in zip(names, stack.names, strict=True):
            draft.share(stack.made_of, origin, name)
    else:
        tags = [stack.tags] * len(names)
        # Fused images are one scenario's alone: held, they would take the place of what scenarios have in common.
        made_of = None if source == "fusion" else (stack.contents, window)
        draft.write_stack(names, stack.values, geobox, band_names=channels, tags=tags, made_of=made_of)
    write_layers(draft, names, stack.days, channels)


def _write_series(
    draft: Draft, layout: ProcessedLayout, source: Source, stack: SourceImages, geobox: GeoBox, site: Site
) -> None:
    names = [layout.image(source, day) for day in stack.days]
    series = read_at_site(stack.values, stack.days, names, geobox, site)
    write_series(draft, layout.scenario.mode, lambda kind: layout.series(kind, source), series)
    exported = export_records(series)
    draft.write_json(layout.export(source, "json"), exported)
    draft.write_csv(layout.export(source, "csv"), exported)


def _window_record(window: Window, row_col: tuple[int, int] | None, epsg: int) -> dict[str, Any]:
    record: dict[str, Any] = {"row": window.row, "col": window.col, "height": window.height, "width": window.width}
    return record | {"epsg": epsg, "site_pixel": list(row_col) if row_col else None}
