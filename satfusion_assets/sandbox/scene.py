"""Sentinel-2 pixels: what the sensor and its processor make of the landscape under the day's weather."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from threading import RLock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from satfusion_assets.sandbox import granule
from satfusion_assets.sandbox.catalogue import SentinelProduct
from satfusion_assets.sandbox.effects import brdf, processor, registration
from satfusion_assets.sandbox.geometry import FloatArray, Tile, generator, transformer
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.orbits import relative_orbits, solar_hour, sun
from satfusion_assets.sandbox.signatures import BANDS, Cover
from satfusion_assets.sandbox.weather import brightness, opacity

RESOLUTION: Final = {
    "coastal": 60,
    "blue": 10,
    "green": 10,
    "red": 10,
    "rededge1": 20,
    "rededge2": 20,
    "rededge3": 20,
    "nir": 10,
    "nir08": 20,
    "nir09": 60,
    "swir16": 20,
    "swir22": 20,
}
"""Ground sampling distance of each band in metres."""
OFFSET: Final = 1000
_HAZE: Final = dict(zip(BANDS, (0.30, 0.25, 0.19, 0.14, 0.13, 0.12, 0.11, 0.10, 0.10, 0.09, 0.04, 0.02), strict=True))
"""Reflectance that unit optical depth of haze adds."""
_VISIBLE: Final = ("coastal", "blue", "green", "red")
# Scene classes of the SCL layer.
_NODATA, _DARK, _SHADOW, _VEGETATION, _BARE, _WATER, _UNCLASSIFIED = 0, 2, 3, 4, 5, 6, 7
_CLOUD_MEDIUM, _CLOUD_HIGH, _CIRRUS, _SNOW = 8, 9, 10, 11


@dataclass(frozen=True)
class Conditions:
    """What lies above the ground, per cell: opacity and brightness of cloud, depth of shadow, optical depth of haze."""

    cloud: FloatArray
    bright: FloatArray
    shadow: FloatArray
    haze: FloatArray


_Warp = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]


class Renderer:
    """Renders one site's products band by band; keeps the last few scenes' common parts in memory."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self._conditions: OrderedDict[str, Conditions] = OrderedDict()
        self._truth: OrderedDict[tuple[int, str], FloatArray] = OrderedDict()
        self._warps: dict[tuple[Tile, int], _Warp] = {}
        self._lock = RLock()

    def conditions(self, product: SentinelProduct) -> Conditions:
        """Clouds, their shadows and haze at the moment of the overpass."""
        site, plan = self.landscape.site, self.landscape.plan
        key = f"{product.flight.platform}{product.flight.time:%Y%m%d%H%M}"
        with self._lock:
            if key not in self._conditions:
                day, weather = product.sensing.date(), self.landscape.weather
                hour = solar_hour(product.flight.time, site.longitude)
                height, azimuth = sun(product.flight.time, site.longitude, site.latitude)
                # The shadow of a cloud lies away from the sun: what shades a cell hangs towards it.
                reach = weather.sky(day).cloud_height / np.tan(np.radians(max(height, 8.0)))
                east, north = reach * np.sin(np.radians(azimuth)), reach * np.cos(np.radians(azimuth))
                depth = weather.cloud_depth(day, hour, plan.east, plan.north)
                self._conditions[key] = Conditions(
                    cloud=opacity(depth),
                    bright=brightness(depth),
                    shadow=weather.cloud(day, hour, plan.east + np.float32(east), plan.north + np.float32(north)),
                    haze=weather.haze(day, hour, plan.east, plan.north),
                )
                while len(self._conditions) > 6:
                    self._conditions.popitem(last=False)
            return self._conditions[key]

    def observed(self, product: SentinelProduct, band: str) -> FloatArray:
        """Reflectance per cell as the processor retrieves it, before noise: truth, view, shadow, haze, cloud."""
        sky = self.conditions(product)
        ground = self._surface(product, band)
        rng = generator(self.landscape.seed, product.entropy, "atmosphere")
        gain, bias = 1 + rng.normal(0, 0.012), rng.normal(0, 0.0015)
        if product.quirk == "dark_clip":
            bias -= 0.020
        bias *= 1.6 if band in ("coastal", "blue") else 1.0
        primary = product.flight.orbit == relative_orbits(self.landscape.site.longitude)[0]
        view = 1 + (0.008 if primary else -0.010) * (1.0 if band in _VISIBLE else 0.7)
        effects = self.landscape.effects
        if effects.brdf or effects.terrain:
            ground = ground * self._light(product, band)
            view = 1.0 if effects.brdf else view
        slip = processor.slip(effects, self.landscape.seed, product.entropy)
        gain, bias = gain * slip.gain, bias + slip.bias
        retrieved = ground * np.float32(gain * view) + np.float32(bias)
        retrieved *= 1 - np.float32(0.62) * sky.shadow * (1 - sky.cloud)
        haze = sky.haze + np.float32(slip.haze)
        retrieved += haze * (np.float32(_HAZE[band]) * (1 - np.float32(1.2) * retrieved))
        bright = sky.bright * np.float32(0.6 if band in ("swir16", "swir22") else 1.0)
        seen = retrieved + sky.cloud * (bright - retrieved)
        if not effects.misregistration:
            return seen
        off = registration.offset(10, self.landscape.seed, self.landscape.site.name, product.entropy)
        return registration.displaced(seen, self.landscape.cells, *off)

    def _light(self, product: SentinelProduct, band: str) -> FloatArray:
        """(cells,): reflectance at the angles of the scene, on the slopes, over that of flat ground as it is."""
        landscape, site = self.landscape, self.landscape.site
        elevation, azimuth = sun(product.flight.time, site.longitude, site.latitude)
        light = np.ones(1, np.float32)
        if landscape.effects.brdf:
            view = granule.mean_angles(product, landscape)[8]
            light = brdf.factors((band,), 90 - elevation, view.zenith, view.azimuth - azimuth)
        if landscape.effects.terrain:
            light = light * landscape.terrain.factor(band, elevation, azimuth)
        return light

    def _surface(self, product: SentinelProduct, band: str) -> FloatArray:
        day = product.sensing.date()
        key = (day.toordinal(), band)
        with self._lock:
            if key not in self._truth:
                fused = ("blue", "green", "red", "nir08")
                wanted = fused if band in fused else (band,)
                for name, values in zip(wanted, self.landscape.whole.reflectance(day, wanted), strict=True):
                    self._truth[key[0], name] = values
                while len(self._truth) > 24:
                    self._truth.popitem(last=False)
            return self._truth[key]

    def band(self, product: SentinelProduct, band: str) -> npt.NDArray[np.uint16]:
        """The band's image in digital numbers as the archive stores it; 0 = nodata."""
        cells, resolution = self.landscape.cells, RESOLUTION[band]
        values = self.observed(product, band)
        valid = self._valid(product)
        if resolution == 20:
            values, valid = cells.coarse(values), cells.first(valid)
        rng = generator(self.landscape.seed, product.entropy, band)
        noise = rng.standard_normal(values.shape, dtype=np.float32)
        values = values + noise * (np.float32(0.0009) + np.float32(0.008) * values)
        numbers = np.rint(values * 10000).astype(np.int32)
        if product.has_offset:
            numbers = np.maximum(numbers + OFFSET, 1) - (OFFSET if product.shifted else 0)
        numbers = np.where(valid, np.clip(numbers, 1, 65535), 0).astype(np.uint16)
        image = cells.expand_coarse(numbers) if resolution == 20 else cells.expand(numbers)
        image = self._onto(product.tile, image, 20 if resolution == 20 else 10)
        if resolution == 60:
            side = image.shape[0] // 6
            image = image.reshape(side, 6, side, 6).mean(axis=(1, 3)).round().astype(np.uint16)
        return image

    def classes(self, product: SentinelProduct) -> npt.NDArray[np.uint8]:
        """The scene classification at 20 m, with the errors that the real one is known for."""
        sky, cells, plan = self.conditions(product), self.landscape.cells, self.landscape.plan
        day = product.sensing.date()
        cloud, shadow = cells.coarse(sky.cloud), cells.coarse(sky.shadow)
        cover = cells.first(plan.cover)
        rng = generator(self.landscape.seed, product.entropy, "scl")
        salt = rng.random(cloud.shape, dtype=np.float32)
        whim = generator(self.landscape.seed, "whim", day.toordinal()).random(plan.patches)[cells.first(plan.patch)]
        green = cells.coarse(self.landscape.whole.greenness(day))
        snow = cells.coarse(self.landscape.whole.snow(day))

        scl = np.where(green > 0.42, _VEGETATION, _BARE).astype(np.uint8)
        scl[cover == Cover.CONIFER] = _VEGETATION
        scl[cover == Cover.WATER] = _WATER
        scl[salt < 0.006] = _UNCLASSIFIED
        scl[(cover == Cover.CONIFER) & (salt > 0.985)] = _DARK
        scl[snow > 0.45] = _SNOW
        # Snow taken for cloud, and roofs and quarries taken for cloud.
        scl[(snow > 0.45) & (whim < 0.12)] = _CLOUD_MEDIUM
        scl[cells.first(plan.bright) & (whim < 0.6)] = _CLOUD_MEDIUM
        scl[(shadow > 0.38) & (salt < 0.85)] = _SHADOW
        # Thin cloud below 0.22 is missed altogether, some of it above, too.
        scl[(cloud > 0.22) & (whim < 0.7)] = _CIRRUS
        scl[cloud > 0.42] = _CLOUD_MEDIUM
        scl[cloud > 0.72] = _CLOUD_HIGH
        scl[(cloud > 0.72) & (snow > 0.6) & (whim > 0.9)] = _SNOW
        scl[~cells.first(self._valid(product))] = _NODATA
        return self._onto(product.tile, cells.expand_coarse(scl), 20)

    def thumbnail(self, product: SentinelProduct) -> bytes:
        """A small true-colour JPEG."""
        step = 4
        colours = np.stack([self.band(product, band)[::step, ::step] for band in ("red", "green", "blue")], axis=-1)
        left = OFFSET if product.has_offset and not product.shifted else 0
        shown = np.where(colours > 0, np.clip((colours.astype(np.float32) - left) / 3500 * 255, 0, 255), 0)
        buffer = io.BytesIO()
        Image.fromarray(shown.astype(np.uint8)).save(buffer, "JPEG", quality=80)
        return buffer.getvalue()

    def _valid(self, product: SentinelProduct) -> npt.NDArray[np.bool_]:
        """Which cells the sensor has seen."""
        plan = self.landscape.plan
        seen = np.ones(plan.cover.shape, bool)
        for edge in product.edges:
            seen &= edge.a * plan.east + edge.b * plan.north <= edge.c
        return seen

    def _onto(self, tile: Tile, image: npt.NDArray[Any], resolution: int) -> npt.NDArray[Any]:
        """The image on the pixels of ``tile``: itself, or nearest neighbours in the other zone."""
        own = self.landscape.cells.tile
        if tile == own:
            return image
        with self._lock:
            if (tile, resolution) not in self._warps:
                self._warps[tile, resolution] = self._warp(tile, resolution)
            rows, columns, inside = self._warps[tile, resolution]
        return np.where(inside, image[rows, columns], 0).astype(image.dtype)

    def _warp(self, tile: Tile, resolution: int) -> _Warp:
        """Rows and columns of the own tile under the pixels of another zone's tile."""
        own = self.landscape.cells.tile
        side = 10 * tile.size // resolution
        line = (np.arange(side) + 0.5) * resolution
        east, north = np.meshgrid(tile.west + line, tile.north - line)
        x, y = transformer(tile.epsg, own.epsg).transform(east, north)
        columns = np.floor((x - own.west) / resolution).astype(np.int64)
        rows = np.floor((own.north - y) / resolution).astype(np.int64)
        limit = 10 * own.size // resolution
        inside = (rows >= 0) & (rows < limit) & (columns >= 0) & (columns < limit)
        return np.clip(rows, 0, limit - 1), np.clip(columns, 0, limit - 1), inside
