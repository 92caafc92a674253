"""A fused season as it is kept while its files are written: images as integers, quality layers encoded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.fused import Status
from satfusion_assets.fusion.efast.operands import Layers
from satfusion_assets.fusion.efast.quality import NO_SCENE, TakeRows
from satfusion_assets.pipeline.pack.files import image_layer
from satfusion_assets.store.layers import layer_type
from satfusion_assets.store.packs import EncodedLayer, rows_encoder
from satfusion_assets.store.stacks import SteppedImages

EVERY: Final = 5
"""Days, rows and columns of which one is looked at for a headline's medians."""


class KeptSeason:
    """Takes a season of images (p, b, H, W) row by row, as the fusion computes it (``TakeRows``); StoreError where a
    value does not fit the layer that it is stored as.

    places: of the days of which images are kept. known: how many of their values are not missing.
    """

    def __init__(self, days: Sequence[date], bands: tuple[str, ...], height: int, width: int) -> None:
        self._days, self._bands = days, bands
        self._shape = len(days), len(bands), height, width
        self._name = image_layer("fusion")
        self._layer = layer_type(self._name)
        self._lattice: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._lock = threading.Lock()
        images = self._shape[0], *self._shape[2:]
        shapes = {"days_to_scene": images, "effective_scenes": images, "standard_deviation": self._shape}
        self._encoders = {name: rows_encoder(name, shape) for name, shape in shapes.items()}

    def begin(self, status: Sequence[Status]) -> TakeRows:
        """Who takes the rows of a season of which each day has that ``status``; images are kept of days that are OK."""
        self.keep_images([place for place, word in enumerate(status) if word is Status.OK])
        return self.take

    def keep_images(self, places: list[int]) -> None:
        """Of which days images are kept; the others have no value."""
        self.places, self.known = places, 0
        self._stored = np.empty((len(places), *self._shape[1:]), self._layer.dtype)

    def take(self, first: int, values: NDArray[Any], layers: Layers) -> None:
        """Values (p, b, r, W) of rows from ``first`` on, and what they rest on."""
        self.take_values(first, values)
        for name, rows in layers._asdict().items():
            encode = partial(layer_type(name).encode, name, row=first, days=self._days)
            self._encoders[name].take(first, rows, encode)
        lattice = (slice(None, None, EVERY), ..., slice(-first % EVERY, None, EVERY), slice(None, None, EVERY))
        looked_at = layers.days_to_scene[lattice].flatten(), layers.standard_deviation[lattice].flatten()
        with self._lock:
            self._lattice.append(looked_at)

    def take_values(self, first: int, values: NDArray[Any]) -> None:
        """The values alone, of a method that says nothing of what they rest on."""
        stored = self._stored[..., first : first + values.shape[2], :]
        days = [self._days[place] for place in self.places]
        self._layer.encode(self._name, values[self.places], row=first, out=stored, days=days)
        known = int(np.count_nonzero(stored != self._layer.missing))
        with self._lock:
            self.known += known

    @property
    def images(self) -> SteppedImages:
        """The images of ``places``."""
        return SteppedImages(self._stored, self._layer)

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
