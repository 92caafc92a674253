"""A landscape whose reflectance is known on every day, and how its products are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from satfusion_assets.vocabulary.grid import SiteGrid


@dataclass(frozen=True)
class Landscape:
    """Known reflectance (band, row, column) of every day."""

    grid: SiteGrid

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.grid.fine.shape
        return height, width

    def green(self, day: date) -> np.ndarray:
        """Vegetation cover, 0 to 1, per pixel."""
        rows, columns = np.indices(self.shape)
        patch = ((rows // 23) * 7 + (columns // 31) * 3) % 5
        doy = day.timetuple().tm_yday
        rise = 1 / (1 + np.exp(-(doy - (115 + 6 * patch)) / 8))
        fall = 1 / (1 + np.exp((doy - (285 - 5 * patch)) / 10))
        texture = 0.04 * np.sin(rows / 3.1) * np.cos(columns / 4.3)
        return np.clip(0.05 + (0.75 + 0.05 * patch) * rise * fall + texture, 0, 1)

    def reflectance(self, day: date) -> np.ndarray:
        """Blue, green, red, nir of the bare land and its vegetation; a river and a road."""
        cover = self.green(day)
        bare = np.array([0.07, 0.09, 0.115, 0.17])[:, None, None]
        leafy = np.array([0.028, 0.075, 0.032, 0.42])[:, None, None]
        land = bare + (leafy - bare) * cover
        rows, columns = np.indices(self.shape)
        river = np.abs(columns - (0.72 * self.shape[1] + 9 * np.sin(rows / 17))) < 3
        road = np.abs(rows - (0.35 * self.shape[0] + 0.18 * columns)) < 1.2
        land[:, river] = np.array([0.045, 0.05, 0.04, 0.03])[:, None]
        land[:, road] = np.array([0.13, 0.14, 0.15, 0.19])[:, None]
        return land

    def clouds(self, seed: int) -> np.ndarray:
        """Opacity of the cloud deck of one scene."""
        random = np.random.default_rng(seed)
        rows, columns = np.indices(self.shape)
        deck = np.zeros(self.shape)
        for _ in range(9):
            row, column, radius = (
                random.uniform(0, self.shape[0]),
                random.uniform(0, self.shape[1]),
                random.uniform(10, 38),
            )
            deck = np.maximum(deck, np.exp(-((((rows - row) ** 2 + (columns - column) ** 2) / radius**2) ** 2)))
        return deck


def cloud_distance(land: Landscape) -> np.ndarray:
    height, width = land.grid.coarse.shape
    rows, columns = np.indices((height, width))
    return np.minimum(15, np.hypot(rows, columns)).astype(np.float32)[None]


def coarse(bands: np.ndarray) -> np.ndarray:
    count, height, width = bands.shape
    means = bands.reshape(count, height // 30, 30, width // 30, 30).mean(axis=(2, 4))
    return means.repeat(30, axis=1).repeat(30, axis=2)


def write_raster(
    path: Path,
    values: np.ndarray,
    land: Landscape,
    names: tuple[str, ...],
    nodata: float = float("nan"),
    on_coarse: bool = False,
    tags: Mapping[str, str] | None = None,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    box = land.grid.coarse if on_coarse else land.grid.fine
    with rasterio.open(
        path, "w", driver="GTiff", dtype=values.dtype, count=len(values), height=values.shape[1], width=values.shape[2],
        crs=f"EPSG:{land.grid.epsg}", transform=box.affine, nodata=nodata, compress="deflate",
    ) as dataset:  # fmt: skip
        dataset.write(values)
        dataset.descriptions = names
        dataset.update_tags(**(tags or {}))


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1), "utf-8")
