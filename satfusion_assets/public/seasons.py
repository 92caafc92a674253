"""A materialised season as one labelled data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.store.opening import open_store
from satfusion_assets.store.pack_reader import open_pack
from satfusion_assets.vocabulary.errors import ProductMissing
from satfusion_assets.vocabulary.scenarios import RECOMMENDED, Scenario
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    import xarray as xr

OBSERVED: Final = ("s2", "s3")
"""Layers on the days of their own sensor; all others have a value for each fused day."""


def open_season(
    site: str, year: int, scenario: str | Scenario = RECOMMENDED, *, data_root: Path | str | None = None
) -> xr.Dataset:
    """All images and quality layers of a site's season under one scenario, read when they are used.

    ``fused`` (time, band, y, x) and the quality layers share ``time``, the days that were fused; ``s2`` and ``s3`` have
    ``time_s2`` and ``time_s3``. Reflectance or GCC, 1, NaN = missing; x and y in metres of the site's UTM zone
    (``spatial_ref``). data_root: by default as the ``satfusion`` command has it.

    ProductMissing when the season was not materialised, InvalidInput for what is no scenario.
    """
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.parse(scenario)
    if data_root is None and (settings := Settings()).store is not None:
        with open_store(settings).read(PACK.of(SiteSeason(site, year), chosen)) as view:
            return _of_its_own_days(open_pack(view.folder(pack_folder(chosen))))
    root = Path(data_root) if data_root is not None else Settings().data_root
    path = root / site / str(year) / pack_folder(chosen)
    if not path.exists():
        raise ProductMissing(
            f"There is no pack of {site} {year}, {chosen.key}, below {root}; "
            f"'satfusion materialize {site} {year}' makes it."
        )
    return _of_its_own_days(open_pack(path))


def _of_its_own_days(pack: xr.Dataset) -> xr.Dataset:
    """Layers of ``pack`` on the days that they have an image of."""
    import xarray as xr

    there = {
        str(name): np.flatnonzero(pack[f"{name}_available"]) for name in pack.data_vars if f"{name}_available" in pack
    }
    layers = {}
    for name, own in there.items():
        layer = pack[name].isel(time=own if name in OBSERVED else there["fused"])
        layers[name] = layer.rename(time=f"time_{name}") if name in OBSERVED else layer
    return xr.Dataset(layers, attrs=pack.attrs)
