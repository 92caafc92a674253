"""The weather over a site: cloud fields in space and time, haze, wind, temperature and the snow pack.

One weather serves all sensors: Sentinel-2, Sentinel-3 and the camera look at the same field of the day, only at
different hours, by which it has drifted with the wind and changed a little.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage, signal, special

from satfusion_assets.sandbox.geometry import FloatArray, generator
from satfusion_assets.sandbox.season import Climate

FIRST: Final = date(2014, 7, 1)
"""First day with weather; snow begins there with bare ground."""
_DAYS: Final = 365 * 26 + 7

_SPACING: Final = 120.0
_NODES: Final = 256
"""The cloud field is periodic over 30.7 km."""
NOON: Final = 10.5
"""Local solar hour for which the day's fields are drawn; other hours drift from it."""
SNOW_LEVELS: Final = (0.0, 600.0, 1200.0)
"""Heights above the site at which the snow pack is followed, metres."""
_FULL_COVER: Final = 12.0
"""Snow water in mm that hides the ground."""
_DRYING: Final = 0.85
"""Part of the wetness that is left a day later: the usual factor of an antecedent precipitation index."""
_SOAKED: Final = 25.0
"""Antecedent rain in mm at which the surface is soaked."""


@dataclass(frozen=True)
class Sky:
    """One day's weather as far as it has no spatial structure.

    cover: share of the sky that clouds hide, 0 ... 1. haze: optical depth of thin haze that no classifier sees.
    aerosol: optical depth of the ordinary background. temperature: daily mean at the site, degrees C.
    """

    cover: float
    haze: float
    aerosol: float
    wind: tuple[float, float]
    temperature: float
    cloud_height: float
    stratiform: bool


class Weather:
    """The weather of one site for all days of the world, a function of the seed."""

    def __init__(self, site: str, climate: Climate, seed: int) -> None:
        self._key = (seed, site, "weather")
        self._climate = climate
        rng = generator(*self._key)
        noise = rng.standard_normal((6, _DAYS + 60)).astype(np.float64)
        ordinal = FIRST.toordinal() + np.arange(_DAYS, dtype=np.float64)
        winter = climate.winter(ordinal)
        synoptic = _persistent(noise[0], 0.55)
        self._cover = np.clip((special.ndtr(synoptic + self._gloom(winter)) - 0.24) / 0.46, 0, 1)
        hazy = special.ndtr(_persistent(noise[1], 0.5))
        self._haze = np.where(hazy > 0.84, (hazy - 0.84) * 1.3 + 0.03, 0.0)
        self._aerosol = 0.04 + 0.12 * special.ndtr(_persistent(noise[2], 0.7)) * (1.3 - 0.5 * winter) / 1.8
        self._wind = 7.0 * np.stack([0.6 + 0.6 * _persistent(noise[3], 0.5), 0.5 * _persistent(noise[4], 0.5)])
        annual = 39.6 - 0.6 * abs(climate.latitude) - 0.0055 * climate.elevation
        swing = 5 + 0.12 * abs(climate.latitude)
        self._temperature = annual - swing * winter + 3.8 * _persistent(noise[5], 0.75)
        rain = np.where(self._cover > 0.7, rng.gamma(0.7, 7.0, _DAYS), 0.0)
        self._snow = np.stack([_snow_pack(self._temperature - 0.006 * height, rain) for height in SNOW_LEVELS])
        self._wetness = np.clip(signal.lfilter([1.0], [1, -_DRYING], rain) / _SOAKED, 0, 1)
        self._fields: OrderedDict[int, tuple[FloatArray, FloatArray, FloatArray]] = OrderedDict()
        self._lock = Lock()

    def _gloom(self, winter: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Shift of the cloud latent: Mediterranean summers are clear, northern winters grey."""
        if self._climate.mediterranean:
            return -0.62 + 0.60 * winter
        return -0.10 + 0.14 * winter + 0.004 * (abs(self._climate.latitude) - 47)

    def _index(self, day: date) -> int:
        index = day.toordinal() - FIRST.toordinal()
        if not 0 <= index < _DAYS:
            raise ValueError(f"{day} is outside the sandbox's weather, which begins on {FIRST} and lasts 26 years.")
        return index

    def sky(self, day: date) -> Sky:
        """The day's weather."""
        i = self._index(day)
        rng = generator(*self._key, "sky", day.toordinal())
        return Sky(
            cover=float(self._cover[i]),
            haze=float(self._haze[i]),
            aerosol=float(self._aerosol[i]),
            wind=(float(self._wind[0, i]), float(self._wind[1, i])),
            temperature=float(self._temperature[i]),
            cloud_height=float(rng.uniform(700, 3500)),
            stratiform=bool(rng.random() < 0.5),
        )

    def wetness(self, day: date) -> float:
        """How wet the soil's surface is, 0 dry ... 1 soaked."""
        return float(self._wetness[self._index(day)])

    def snow_water(self, day: date, height: FloatArray) -> FloatArray:
        """Snow water equivalent in mm at heights (m above the site)."""
        levels = self._snow[:, self._index(day)]
        if not levels.any():
            return np.zeros(height.shape, np.float32)
        return np.interp(height, SNOW_LEVELS, levels).astype(np.float32)

    def snow_cover(self, day: date, height: FloatArray, patchiness: FloatArray) -> FloatArray:
        """Share of the ground under snow, 0 ... 1; ``patchiness`` (mm) is what a cell holds less than others."""
        water = self.snow_water(day, height)
        if not water.any():
            return water
        return np.clip((water - patchiness * (water < 60)) / _FULL_COVER, 0, 1)

    def cloud(self, day: date, hour: float, x: FloatArray, y: FloatArray) -> FloatArray:
        """Cloud opacity 0 ... 1 at points (metres from the site, east and north) at a local solar hour."""
        return opacity(self.cloud_depth(day, hour, x, y))

    def cloud_depth(self, day: date, hour: float, x: FloatArray, y: FloatArray) -> FloatArray:
        """Thickness of the cloud at points, 0 ... about 6; see ``opacity`` and ``brightness``."""
        sky = self.sky(day)
        if sky.cover < 0.02:
            return np.zeros(x.shape, np.float32)
        first, second, _ = self._day_fields(day, sky)
        turn = 0.35 * (hour - NOON)
        field = np.float32(np.cos(turn)) * first + np.float32(np.sin(turn)) * second
        threshold = max(float(special.ndtri(1 - min(sky.cover, 0.9995))), -3.3)
        return np.maximum(_sample(field, sky.wind, hour, x, y) - np.float32(threshold), 0)

    def haze(self, day: date, hour: float, x: FloatArray, y: FloatArray) -> FloatArray:
        """Optical depth of thin haze at points; varies slowly in space."""
        sky = self.sky(day)
        if sky.haze == 0:
            return np.zeros(x.shape, np.float32)
        *_, field = self._day_fields(day, sky)
        return np.float32(sky.haze) * np.clip(1 + 0.5 * _sample(field, sky.wind, hour, x, y), 0.2, 2.2)

    def _day_fields(self, day: date, sky: Sky) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Two independent cloud fields and a smooth haze field, standard normal over the period."""
        key = day.toordinal()
        with self._lock:
            if key in self._fields:
                self._fields.move_to_end(key)
                return self._fields[key]
        rng = generator(*self._key, "field", key)
        exponent = rng.uniform(2.7, 3.4) if sky.stratiform else rng.uniform(2.0, 2.6)
        largest = 14.0 if sky.stratiform else 6.0
        fields = (_field(rng, exponent, largest), _field(rng, exponent, largest), _field(rng, 3.6, 15.0))
        with self._lock:
            self._fields[key] = fields
            while len(self._fields) > 12:
                self._fields.popitem(last=False)
        return fields


def opacity(depth: FloatArray) -> FloatArray:
    """Share of the light from the ground that a cloud of some thickness keeps back."""
    return 1 - np.exp(np.float32(-4.0) * depth)


def brightness(depth: FloatArray) -> FloatArray:
    """Reflectance of a cloud of some thickness in the visible and near infrared."""
    return np.float32(0.32) + np.float32(0.5) * depth / (depth + np.float32(0.8))


def _persistent(noise: npt.NDArray[np.float64], memory: float) -> npt.NDArray[np.float64]:
    """A stationary first-order autoregressive series of unit variance; the first 60 values warm it up."""
    series = signal.lfilter([np.sqrt(1 - memory**2)], [1, -memory], noise)
    return np.asarray(series[60:], np.float64)


def _snow_pack(temperature: npt.NDArray[np.float64], rain: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Snow water in mm: falls below +0.5 degrees C, melts by 3.2 mm a degree and day."""
    water = np.zeros(len(rain))
    level = 0.0
    for i, (warmth, wet) in enumerate(zip(temperature.tolist(), rain.tolist(), strict=True)):
        level = level + wet if warmth < 0.5 else max(0.0, level - 3.2 * warmth)
        water[i] = level
    return water


def _field(rng: np.random.Generator, exponent: float, largest_km: float) -> FloatArray:
    """A periodic Gaussian random field with a power-law spectrum, flat above ``largest_km``."""
    frequency = np.hypot(fft.fftfreq(_NODES)[:, None], fft.rfftfreq(_NODES)[None, :])
    knee = _SPACING / (largest_km * 1000)
    amplitude = (frequency**2 + knee**2) ** (-exponent / 2)
    amplitude[0, 0] = 0
    white = fft.rfft2(rng.standard_normal((_NODES, _NODES), dtype=np.float32))
    field = fft.irfft2(white * amplitude.astype(np.float32), s=(_NODES, _NODES))
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def _sample(field: FloatArray, wind: tuple[float, float], hour: float, x: FloatArray, y: FloatArray) -> FloatArray:
    """The drifting field at points, bilinear and periodic."""
    seconds = (hour - NOON) * 3600
    columns = (x - wind[0] * seconds) / _SPACING
    rows = (-y + wind[1] * seconds) / _SPACING
    sampled = ndimage.map_coordinates(field, [rows, columns], order=1, mode="grid-wrap", prefilter=False)
    return np.asarray(sampled, np.float32)
