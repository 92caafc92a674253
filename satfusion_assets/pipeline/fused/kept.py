"""A fused season as it is kept while its files are written: images as integers, quality layers encoded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.operands import Layers
from satfusion_assets.fusion.efast.quality import NO_SCENE
from satfusion_assets.store.layers import layer_type
from satfusion_assets.store.packs import EncodedLayer, rows_encoder
from satfusion_assets.store.shards import RowsEncoder
from satfusion_assets.store.stacks import SteppedImages

EVERY: Final = 5
"""Days, rows and columns of which one is looked at for a headline's medians."""


class KeptSeason:
    """Takes a season of images (p, b, H, W) row by row, as the fusion computes it (``TakeRows``); StoreError where a
    value does not fit the layer that it is stored as.
    """

    def __init__(self, days: Sequence[date], bands: tuple[str, ...], height: int, width: int) -> None:
        self._days, self._bands = days, bands
        self._shape = len(days), len(bands), height, width
        self._layer = layer_type("fused")
        self._stored = np.empty(self._shape, self._layer.dtype)
        self.known = np.zeros(len(days), np.int64)
        """Values of each day that are not missing."""
        self._lattice: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._lock = threading.Lock()

    @cached_property
    def _encoders(self) -> dict[str, RowsEncoder]:
        images = self._shape[0], *self._shape[2:]
        shapes = {"days_to_scene": images, "effective_scenes": images, "standard_deviation": self._shape}
        return {name: rows_encoder(name, shape) for name, shape in shapes.items()}

    def take(self, first: int, values: NDArray[Any], layers: Layers) -> None:
        """Values (p, b, r, W) of rows from ``first`` on, and what they rest on."""
        self.take_values(first, values)
        for name, rows in layers._asdict().items():
            encode = partial(layer_type(name).encode, name, row=first)
            self._encoders[name].take(first, rows, encode)
        lattice = (slice(None, None, EVERY), ..., slice(-first % EVERY, None, EVERY), slice(None, None, EVERY))
        looked_at = layers.days_to_scene[lattice].flatten(), layers.standard_deviation[lattice].flatten()
        with self._lock:
            self._lattice.append(looked_at)

    def take_values(self, first: int, values: NDArray[Any]) -> None:
        """The values alone, of a method that says nothing of what they rest on."""
        stored = self._stored[..., first : first + values.shape[2], :]
        self._layer.encode("fused", values, row=first, out=stored)
        known = np.count_nonzero(stored != self._layer.missing, axis=(1, 2, 3))
        with self._lock:
            self.known += known

    def images(self, places: Sequence[int]) -> SteppedImages:
        """The images at ``places``, which ascend; they are moved to the front for it, since a copy of them would be the
        largest array of all, so this is asked for once.
        """
        for target, place in enumerate(places):
            if target != place:
                self._stored[target] = self._stored[place]
        return SteppedImages(self._stored[: len(places)], self._layer)

    def layers(self) -> list[EncodedLayer]:
        """The quality layers, once all rows are there."""
        stamps = np.array(self._days, "datetime64[D]")
        return [
            EncodedLayer(name, stamps, self._bands if name == "standard_deviation" else (), encoder.encoded())
            for name, encoder in self._encoders.items()
        ]

    @property
    def headline(self) -> dict[str, int | float | None]:
        """Medians over a sparse lattice of days and pixels, which is all that a headline needs."""
        if not self._lattice:
            return {}
        days, deviations = (np.concatenate(parts) for parts in zip(*self._lattice, strict=True))
        near, known = days[days != NO_SCENE], deviations[np.isfinite(deviations)]
        return {
            "median_days_to_scene": float(np.median(near)) if near.size else None,
            "median_standard_deviation": round(float(np.median(known)), 5) if known.size else None,
        }
