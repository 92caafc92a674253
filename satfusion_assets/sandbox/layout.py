"""Who grows where: the patches of a site's landscape and the parameters of every cell."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from satfusion_assets.sandbox.geometry import Cells, FloatArray, generator, transformer
from satfusion_assets.sandbox.season import Climate
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.vocabulary.sites import Site

_BY_CODE: Final = {
    "GR": Cover.GRASS,
    "AG": Cover.CROP,
    "DB": Cover.BROADLEAF,
    "DN": Cover.BROADLEAF,
    "EN": Cover.CONIFER,
    "WL": Cover.WETLAND,
}
_BY_WORD: Final = {
    "grass": Cover.GRASS,
    "agri": Cover.CROP,
    "crop": Cover.CROP,
    "broadleaf": Cover.BROADLEAF,
    "deciduous": Cover.BROADLEAF,
    "needle": Cover.CONIFER,
    "evergreen": Cover.CONIFER,
    "wetland": Cover.WETLAND,
}
CODES: Final = {
    Cover.GRASS: "GR",
    Cover.CROP: "AG",
    Cover.BROADLEAF: "DB",
    Cover.CONIFER: "EN",
    Cover.WETLAND: "WL",
}
"""PhenoCam's vegetation codes of the covers."""
_SECOND: Final = {
    Cover.GRASS: Cover.CONIFER,
    Cover.CROP: Cover.GRASS,
    Cover.BROADLEAF: Cover.CONIFER,
    Cover.CONIFER: Cover.BROADLEAF,
    Cover.WETLAND: Cover.CONIFER,
}
_VALLEY: Final = {
    Cover.GRASS: (0.52, 0.10, 0.12, 0.14, 0.00, 0.01, 0.06, 0.05),
    Cover.CROP: (0.17, 0.08, 0.04, 0.56, 0.00, 0.02, 0.06, 0.07),
    Cover.BROADLEAF: (0.10, 0.44, 0.30, 0.06, 0.04, 0.03, 0.01, 0.02),
    Cover.CONIFER: (0.08, 0.22, 0.54, 0.06, 0.04, 0.03, 0.01, 0.02),
    Cover.WETLAND: (0.10, 0.20, 0.22, 0.06, 0.34, 0.05, 0.01, 0.02),
}
"""Share of each cover (in the order of ``Cover``) around a site of the given vegetation."""
_SLOPE: Final = (0.16, 0.12, 0.58, 0.00, 0.00, 0.00, 0.00, 0.14)
"""The same on mountain sides."""


def vegetation(site: Site) -> tuple[Cover, Cover]:
    """What the camera looks at, and what else is in its picture."""
    main = _BY_CODE.get((site.vegetation or "").upper())
    if main is None:
        words = site.vegetation_type.lower()
        main = next((cover for word, cover in _BY_WORD.items() if word in words), Cover.GRASS)
    return main, _SECOND[main]


@dataclass(frozen=True)
class LandscapePlan:
    """The parameters of cells, one value each, and of patches.

    cover, patch: class and patch. east, north: metres from the site. height: metres above the site. rise, fall: days
    by which the cell's season differs for good; late: 1 where the late variety grows. amplitude, texture: factors
    of greenness and of brightness. patchiness: snow water (mm) that wind takes. mown: whether its meadow is cut.
    bright: roofs and quarries that look like cloud to a classifier.
    """

    cover: npt.NDArray[np.uint8]
    patch: npt.NDArray[np.int32]
    east: FloatArray
    north: FloatArray
    height: FloatArray
    rise: FloatArray
    fall: FloatArray
    late: FloatArray
    amplitude: FloatArray
    texture: FloatArray
    patchiness: FloatArray
    mown: npt.NDArray[np.bool_]
    bright: npt.NDArray[np.bool_]
    patch_cover: npt.NDArray[np.uint8]

    @property
    def patches(self) -> int:
        return len(self.patch_cover)

    def take(self, cells: npt.NDArray[np.int64] | npt.NDArray[np.int32]) -> LandscapePlan:
        """The same for some cells."""
        arrays = {f.name: getattr(self, f.name)[cells] for f in fields(self) if f.name != "patch_cover"}
        return replace(self, **arrays)


def plan(site: Site, cells: Cells, climate: Climate, seed: int) -> LandscapePlan:
    """Lay out the landscape of ``site``: Voronoi patches with wavy borders in a valley, a river, a village."""
    rng = generator(seed, site.name, "layout")
    main, second = vegetation(site)
    x, y = _from_site(site, cells)
    noise = _Noise(rng, cells)
    axis = rng.uniform(0, np.pi)
    along, across = x * np.cos(axis) + y * np.sin(axis), y * np.cos(axis) - x * np.sin(axis)
    relief = 0.0 if climate.elevation < 150 else min(900.0, 0.85 * climate.elevation)
    slope = np.clip((np.abs(across) - 900) / 3600, 0, 1)
    height = relief * slope * (1 + 0.15 * noise.at(x, y, 1500)) + 6 * noise.at(x, y, 600)

    wavy_x, wavy_y = x + 35 * noise.at(x, y, 200), y + 35 * noise.at(x, y, 200)
    centres, patch_cover, late = _patches(rng, cells, main, second, axis, relief)
    patch = cKDTree(centres).query(np.column_stack([wavy_x, wavy_y]))[1].astype(np.int32)
    # The fields that the camera looks at are patches 0 and 1, larger than Voronoi would make them.
    patch[np.hypot(wavy_x, wavy_y) < 270] = 0
    patch[np.hypot(wavy_x - centres[1, 0], wavy_y - centres[1, 1]) < 190] = 1
    cover = patch_cover[patch]
    river = np.abs(across - 620 - 140 * np.sin(along / 900) - 30 * noise.at(x, y, 300)) < 22
    cover[river] = Cover.WATER

    by_patch = {name: rng.normal(0, width, len(patch_cover)) for name, width in _PATCH_SPREAD.items()}
    late_here = late[patch].astype(np.float32)
    altitude = height / 100
    return LandscapePlan(
        cover=cover,
        patch=patch,
        east=x.astype(np.float32),
        north=y.astype(np.float32),
        height=height.astype(np.float32),
        rise=_f32(by_patch["rise"][patch] + 1.7 * noise.at(x, y, 120) + 1.6 * altitude),
        fall=_f32(by_patch["fall"][patch] + 2.0 * noise.at(x, y, 120) - 1.2 * altitude),
        late=late_here,
        amplitude=_f32(np.clip(1 + by_patch["amplitude"][patch] + 0.045 * noise.at(x, y, 60), 0.55, 1.12)),
        texture=_f32(np.clip(1 + by_patch["brightness"][patch] + 0.05 * noise.at(x, y, 30), 0.7, 1.35)),
        patchiness=_f32(np.clip(6 + 6 * noise.at(x, y, 150), 1, 25)),
        mown=(rng.random(len(patch_cover)) < 0.75)[patch] | (patch == 0),
        bright=((cover == Cover.BUILT) | (cover == Cover.BARE)) & (rng.random(len(patch_cover)) < 0.3)[patch],
        patch_cover=patch_cover,
    )


_PATCH_SPREAD: Final = {"rise": 4.0, "fall": 5.0, "amplitude": 0.06, "brightness": 0.07}


def _f32(values: npt.NDArray[np.float64]) -> FloatArray:
    return values.astype(np.float32)


def _from_site(site: Site, cells: Cells) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Metres east and north of the site, per cell."""
    east, north = transformer(4326, cells.tile.epsg).transform(site.longitude, site.latitude)
    x, y = cells.coordinates
    return x - east, y - north


def _patches(
    rng: np.random.Generator, cells: Cells, main: Cover, second: Cover, axis: float, relief: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Centres (metres from the site), covers and varieties of all patches; 0 and 1 are the camera's fields."""
    half = 5.0 * cells.tile.size + 200
    inner = rng.uniform(-2500, 2500, (560, 2))
    outer = rng.uniform(-half, half, (round((2 * half / 420) ** 2), 2))
    centres = np.concatenate([np.zeros((2, 2)), inner, outer[np.abs(outer).max(axis=1) > 2500]])
    angle = axis + rng.uniform(-0.5, 0.5)
    centres[1] = 470 * np.array([np.cos(angle), np.sin(angle)])
    across = np.abs(centres[:, 1] * np.cos(axis) - centres[:, 0] * np.sin(axis))
    valley = np.array(_VALLEY[main])
    mountain = np.clip((across - 1000) / 1200, 0, 1)[:, None] if relief > 300 else np.zeros((len(centres), 1))
    shares = np.cumsum(valley * (1 - mountain) + np.array(_SLOPE) * mountain, axis=1)
    shares /= shares[:, -1:]
    cover = (rng.random((len(centres), 1)) > shares).sum(axis=1).astype(np.uint8)
    village = rng.uniform(-1, 1, 2) * 200 + 900 * np.array([np.cos(axis + 2.6), np.sin(axis + 2.6)])
    cover[(np.hypot(*(centres - village).T) < 260) & (rng.random(len(centres)) < 0.75)] = Cover.BUILT
    cover[0], cover[1] = main, second
    late = rng.random(len(centres)) < 0.5
    late[0] = True
    return centres, cover, late


class _Noise:
    """Smooth unit-variance noise on the tile at any length scale, from one generator."""

    def __init__(self, rng: np.random.Generator, cells: Cells) -> None:
        self._rng = rng
        self._half = 5.0 * cells.tile.size + 200

    def at(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.float64]:
        nodes = int(2 * self._half / scale) + 4
        lattice = self._rng.standard_normal((nodes, nodes))
        rows, columns = (self._half - y) / scale + 1, (x + self._half) / scale + 1
        values = ndimage.map_coordinates(lattice, [rows, columns], order=1, mode="nearest")
        # Bilinear weights average unit noise down to 4/9 of its variance.
        return np.asarray(values, np.float64) * 1.5
