"""How the numbers of a season's layers are stored: one fixed step and one integer type a layer, in one table.

Nothing of an encoding depends on the data, so that files of two versions or two sites compare number by number. A value
that a layer cannot hold is an error and never another value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.vocabulary.errors import StoreError

FUSED_STEP: Final = 2.0**-14
"""Step of the values of fused images (reflectance, GCC): rounding moves none by more than 3.1e-5, where Sentinel-2's
own rounding is 5e-5 and the deviation that fusion predicts of itself is seldom below 1e-3."""


CHUNK: Final = 100_000
"""Numbers that are encoded together: they stay in the cache, where a season's layer would pass through memory at every
step."""
Order = Literal["images", "seasons", "differences"]
"""How a pack's chunk is laid out: image after image, pixel season after pixel season, or as those with each day as its
difference from the day before, which is small where a pixel of one day is nearly that of the day before."""


@dataclass(frozen=True)
class LayerType:
    """Integers of ``dtype``: value = stored x ``step`` + ``offset``; ``missing`` is stored where there is none.

    significant: bits to which stored numbers are rounded, None = all; a number is then off by at most
    2^-``significant`` of itself, and what it is not known to costs no room.
    """

    dtype: str
    step: float
    missing: int
    units: str
    long_name: str
    order: Order = "images"
    offset: float = 0.0
    significant: int | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value that can be stored."""
        kind = np.iinfo(self.dtype)
        lowest, highest = (kind.min + 1, kind.max) if self.missing == kind.min else (kind.min, kind.max - 1)
        if self.significant is not None:  # the largest of so many bits
            coarse = 1 << (highest.bit_length() - self.significant)
            highest -= highest % coarse
        return lowest * self.step + self.offset, highest * self.step + self.offset

    def encode(
        self,
        name: str,
        values: NDArray[Any],
        first: int = 0,
        row: int = 0,
        out: NDArray[Any] | None = None,
        days: Sequence[date] = (),
    ) -> NDArray[Any]:
        """Integers of ``values`` (n, ...), NaN = missing; what has the type already is taken as it is. out: where to
        put them.

        StoreError names layer ``name`` and the value that does not fit, with its image, by its day where ``days`` tell
        it and by its number where these begin with ``first``, and its place, of which rows begin with ``row``.
        """
        if values.dtype == self.dtype or not values.size:
            if out is None:
                return values.astype(self.dtype, copy=False)
            out[...] = values
            return out
        stored = np.empty(values.shape, self.dtype) if out is None else out
        lowest, highest = (np.float32((limit - self.offset) / self.step) for limit in self.limits)
        shift = np.float32(self.offset / self.step)  # whole, so that a number is rounded as it would be without it
        count = max(1, CHUNK // max(1, values[:1].size))
        for number in range(0, len(values), count):
            scaled = values[number : number + count] * np.float32(1 / self.step)
            np.rint(scaled, out=scaled)
            scaled -= shift
            unknown = np.isnan(scaled)  # before bits are rounded, which may make a number of a NaN
            if self.significant is not None:
                scaled = _significant(scaled.astype(np.float32, copy=False), self.significant)
            if np.fmin.reduce(scaled, axis=None) < lowest or np.fmax.reduce(scaled, axis=None) > highest:
                images = values[number : number + count]
                raise self._unfit(name, images, (first + number, row, days), (scaled < lowest) | (scaled > highest))
            scaled[unknown] = self.missing
            stored[number : number + count] = scaled
        return stored

    def decode(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Values of ``stored`` as float32, NaN = missing."""
        values = stored.astype(np.float32)
        values *= np.float32(self.step)
        values += np.float32(self.offset)
        values[stored == self.missing] = np.nan
        return values

    def _unfit(
        self, name: str, images: NDArray[Any], begin: tuple[int, int, Sequence[date]], bad: NDArray[np.bool_]
    ) -> StoreError:
        number, *place = (int(index[0]) for index in np.nonzero(bad))
        value, (first, row, days) = images[(number, *place)], begin
        place[-2:-1] = [place[-2] + row] if len(place) > 1 else []
        image = f"the image of {days[first + number]}" if days else f"image {first + number}"
        lowest, highest = self.limits
        return StoreError(
            f"Layer {name} is {value:g} in {image} at {tuple(place)}; it is stored from {lowest:g} to {highest:g}. "
            f"Look at the images that it was made from there."
        )


def _significant(numbers: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """``numbers`` rounded to ``bits`` significant bits, at least 2, in place, ties to even; NaN stays.

    Of a float's own bits the last are cut after half of what they are worth is added: a fifth of the CPU that taking
    numbers apart and putting them together again costs.
    """
    cut = np.finfo(np.float32).nmant - (bits - 1)  # the first significant bit is not among those of the fraction
    raw = numbers.view(np.uint32)
    odd = raw >> np.uint32(cut)
    odd &= np.uint32(1)
    odd += np.uint32((1 << (cut - 1)) - 1)
    raw += odd
    raw &= np.uint32((1 << 32) - (1 << cut))
    return numbers


def _reflectance(long_name: str, order: Order = "images") -> LayerType:
    """To the step of fused images, from -1 to 3: preparation believes reflectance up to 2."""
    return LayerType("uint16", FUSED_STEP, 65535, "1", long_name, order, offset=-1.0)


LAYERS: Final = {
    "s2": _reflectance("reflectance or greenness of the day's clear Sentinel-2 pixels"),
    "fused": _reflectance("fused reflectance or greenness", "differences"),
    "s3": _reflectance("reflectance or greenness of the Sentinel-3 composite, on the fine grid"),
    "standard_deviation": LayerType(
        "uint16",
        FUSED_STEP,
        65535,
        "1",
        "standard deviation that fusion predicts of the fused value",
        "differences",
        significant=5,
    ),
    "days_to_scene": LayerType("uint8", 1.0, 255, "d", "days to the nearest clear Sentinel-2 scene"),
    "effective_scenes": LayerType(
        "uint16", 0.25, 65535, "1", "effective number of scenes behind the fused value", "seasons"
    ),
    "coarse_support": LayerType("uint8", 1.0, 255, "1", "how well Sentinel-3 supports the fused value"),
    "support": LayerType("uint8", 1.0, 255, "1", "what a kriged value rests on"),
}
"""Deviations have 5 significant bits, an error of at most 3 % of themselves: they are estimated of some tens of scenes,
and 5 to 10 % is the best that is known of one. ``effective_scenes`` is at most the number of days within EFAST's reach,
61, or 1000 by kriging. Days are "d": older releases of xarray make durations of numbers whose units are "days".
"""


def layer_type(name: str) -> LayerType:
    """How layer ``name`` is stored; StoreError where the table has none."""
    if name not in LAYERS:
        raise StoreError(f"Layer {name} has no type; add it to LAYERS of store/layers.py.")
    return LAYERS[name]
