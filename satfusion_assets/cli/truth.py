"""Fused images against the sandbox's truth: the only place where the two meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from satfusion_assets.cli.tables import narrow_table
from satfusion_assets.grid import site_grid
from satfusion_assets.processing import indices
from satfusion_assets.processing.preparation import gcc_image
from satfusion_assets.resources import Platform
from satfusion_assets.scenarios import BANDS, SCENARIOS, Mode, Scenario
from satfusion_assets.sites import SiteSeason
from satfusion_assets.store import Product, View
from satfusion_assets.store.layout import FusedLayout, day_of

SNOW_FREE = 0.05
"""Share of snow up to which a pixel counts as free of it."""


@dataclass
class SquaredError:
    """Running sum of squared differences per channel, over the pixels that both sides have."""

    total: np.ndarray
    count: np.ndarray

    def add(self, difference: np.ndarray) -> None:
        """difference: (channels, H, W), NaN = not to be counted."""
        self.total += np.nansum(np.square(difference, dtype=np.float64), axis=(1, 2))
        self.count += np.isfinite(difference).sum(axis=(1, 2))

    @property
    def rmse(self) -> np.ndarray:
        return np.sqrt(np.divide(self.total, self.count, out=np.full(len(self.total), np.nan), where=self.count > 0))


def truth_table(platform: Platform, site_season: SiteSeason, seed: int = 1) -> Table:
    """RMSE of every materialised scenario against the true surface, all days and snow-free pixels pooled.

    Snow comes and goes between clear scenes, which mask it: no fusion of them can know it.
    """
    from satfusion_assets.sandbox.landscape import Landscape

    site = platform.site(site_season)
    grid = site_grid(site)
    surface = Landscape(site, seed).view(grid.fine.affine, (grid.fine.height, grid.fine.width))
    title = f"{site_season.key}: RMSE of the fused images against the truth (snow-free)"
    table = narrow_table("scenario", *BANDS, "gcc", title=title)
    for scenario, view in _fused(platform, site_season):
        with view as fused:
            errors = SquaredError(np.zeros(5), np.zeros(5))
            names = [name for name in fused.names(f"{FusedLayout(scenario).folder}/*.tif") if "/quality/" not in name]
            for name in names:
                truth = surface.reflectance(day_of(name))
                truth[:, surface.snow(day_of(name)) > SNOW_FREE] = np.nan
                errors.add(_channels(fused, name, scenario) - np.concatenate([truth, gcc_image(truth)]))
        table.add_row(scenario.key, *(f"{value:.4f}" if np.isfinite(value) else "-" for value in errors.rmse))
    return table


def _fused(platform: Platform, site_season: SiteSeason) -> Iterator[tuple[Scenario, AbstractContextManager[View]]]:
    for scenario in SCENARIOS:
        product = Product("fused", site_season, scenario.key)
        if platform.store.manifest(product) is not None:
            yield scenario, platform.store.read(product)


def _channels(fused: View, name: str, scenario: Scenario) -> np.ndarray:
    """(5, H, W): four bands and GCC; Index-then-Blend has no bands."""
    values = fused.read_raster(name).masked()
    if scenario.mode is Mode.ITB:
        return np.concatenate([np.full((4, *values.shape[1:]), np.nan), values])
    return np.concatenate([values, indices.gcc(*values[:3])[None]])
