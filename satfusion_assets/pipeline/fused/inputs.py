"""A strategy's prepared images as the fusion takes them."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from satfusion_assets.fusion.labelled import label_season
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import NoData, ProductCorrupt
from satfusion_assets.vocabulary.grid import RATIO
from satfusion_assets.vocabulary.scenarios import CHANNELS, Method, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason


def bands_beside(stack: ExitStack, store: Store, site_season: SiteSeason, scenario: Scenario) -> View | None:
    """The prepared reflectance where kriging of GCC needs it beside, leased in ``stack``."""
    if scenario.method is Method.EFAST or scenario.mode is Mode.BTI:
        return None
    return stack.enter_context(store.read(PREPARED_BTI.of(site_season, scenario.strategy)))


def season_stack(prepared: View, scenario: Scenario, bands: View | None = None) -> SeasonStack:
    """What ``scenario`` fuses. bands: the prepared reflectance, which tells snow and air where ``prepared`` holds GCC.

    Raises NoData when there is no Sentinel-2 image, or no Sentinel-3 image and the method needs one; ProductCorrupt
    when the two products are not of the same days.
    """
    season = read_season(prepared, scenario.strategy, scenario.mode)
    if not season.sizes["time_coarse"] and scenario.method is Method.EFAST:
        raise NoData(
            f"{prepared.product.key} holds no Sentinel-3 image, without which EFAST has nothing to fuse; use a kriging "
            f"scenario, or look at the pre-selection and materialise it again."
        )
    if bands is None:
        return SeasonStack.of(season)
    seen = read_season(bands, scenario.strategy, Mode.BTI)
    if not all(seen[axis].equals(season[axis]) for axis in ("time", "time_coarse")):
        raise ProductCorrupt(
            f"{bands.product.key} and {prepared.product.key} are not of the same days; materialise both again."
        )
    return SeasonStack.of(season, reflectance=SeasonStack.of(seen))


def read_stack(prepared: View, strategy: Strategy, mode: Mode) -> SeasonStack:
    """The arrays of ``read_season``."""
    return SeasonStack.of(read_season(prepared, strategy, mode))


def read_season(prepared: View, strategy: Strategy, mode: Mode) -> xr.Dataset:
    """The prepared images of a season, labelled and not to be changed: scenarios of one strategy have the same arrays.

    NoData when there is no Sentinel-2 image.
    """
    layout = PreparedLayout(strategy, mode)
    fine = prepared.names(f"{layout.folder}/s2/*_{layout.kind}.tif")
    coarse = prepared.names(f"{layout.folder}/s3/*.tif")
    if not fine:
        raise NoData(
            f"{prepared.product.key} holds no Sentinel-2 image; look at the pre-selection and materialise it again."
        )
    distances = prepared.kernel_stack([layout.cloud_distance(day_of(name)) for name in fine])[:, 0]
    none = np.empty((0, len(CHANNELS[mode]), *distances.shape[1:]), np.float32)
    return label_season(
        fine=prepared.kernel_stack(fine),
        fine_days=_days(fine),
        cloud_distance=distances,
        coarse=prepared.kernel_stack(coarse) if coarse else none,
        coarse_days=_days(coarse),
        bands=CHANNELS[mode],
        grid=prepared.read_geobox(fine[0]),
        ratio=RATIO,
    )


def _days(names: list[str]) -> NDArray[np.datetime64]:
    return np.array([day_of(name) for name in names], dtype="datetime64[D]")
