"""The pixels of a scene on the site's grid: native bands read, offset decided, one resampling.

Blue, green and red have the fine grid's 10 m; B8A and SCL have 20 m. In the site's own UTM zone 10 m bands and SCL
are plain reads, and B8A is interpolated bilinearly to 10 m (nearest would shift edges by a quarter of its pixel);
tiles of a neighbouring zone are warped, bands bilinearly, classes by nearest neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from satfusion_assets.archives.earth_search.angles import ViewZenith, read_view_zenith
from satfusion_assets.archives.earth_search.cog import Layer, RemotePatch, read_around
from satfusion_assets.archives.earth_search.offset import (
    BRIGHTEST_DN,
    MOST_LIGHTLESS,
    MOST_TOO_BRIGHT,
    OffsetClaim,
    OffsetEvidence,
    claimed_offset,
    contradicts,
    dark_pixel_evidence,
    lightless_land,
    subtract_offset,
)
from satfusion_assets.archives.earth_search.ranges import Beginning, Damaged, FileFacts, is_there
from satfusion_assets.archives.earth_search.scenes import ASSETS, Scene, tile_epsg
from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.resampling import Patch, interpolate, take_nearest
from satfusion_assets.archives.retry import is_web_address
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.vocabulary.grid import SiteGrid

SCL_OUTSIDE: Final = 255
"""SCL where the tile does not reach: unknown, as opposed to 0, the archive's own class for no data."""
SATURATED_DN: Final = 65535
"""What the product stores in a saturated band (its metadata's Special_Values). It is no measurement, and interpolated
it would spoil its neighbours."""
_BANDS: Final = ("blue", "green", "red", "nir08")
LAYERS: Final = {
    "blue": ("uint16", 10),
    "green": ("uint16", 10),
    "red": ("uint16", 10),
    "nir08": ("uint16", 20),
    "scl": ("uint8", 20),
}
"""Type of an asset's pixels and their side in metres."""
_LAST_CLASS: Final = 11
_WITNESS_ATTEMPTS: Final = 2
_MORE_THAN_AN_EDGE: Final = 0.05
"""Part of the site that SCL may classify beyond the bands' own edge without making them suspect."""


class Quarantine(StrEnum):
    """Why a scene is set aside instead of used."""

    MISSING_ASSET = "missing asset"
    UNREACHABLE = "unreachable"
    OFFSET_UNKNOWN = "offset unknown"
    OFFSET_CONFLICT = "offset conflict"
    IMPLAUSIBLE = "implausible values"
    UNREADABLE = "unreadable"
    MALFORMED_ITEM = "malformed item"


class Quarantined(ArchiveAnswerInvalid):
    """A scene must not be used; the message says which and why. kind: for counting."""

    def __init__(self, kind: Quarantine, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class OffsetDecision:
    """What was subtracted and why. evidence: the dark-pixel test's word."""

    subtract: int
    why: str
    evidence: OffsetEvidence


@dataclass(frozen=True)
class ScenePixels:
    """A scene on the site's grid.

    bands: (4, H, W) uint16, B02 B03 B04 B8A, reflectance x 10 000, 0 = nodata or saturated, smallest valid 1.
    scl: (H, W) of the cloud-mask grid, uint8 classes, 255 = outside the tile.
    dark: valid band pixels with reflectance <= 0, stored as 1. view_zenith: of B8A.
    empty: True when no pixel of the site is valid (the granule ends before it).
    """

    bands: NDArray[np.uint16]
    scl: NDArray[np.uint8]
    dark: int
    offset: OffsetDecision
    view_zenith: ViewZenith
    files: dict[str, FileFacts]
    empty: bool


def read_scene(archive: HttpArchive, scene: Scene, grid: SiteGrid) -> ScenePixels:
    """The pixels of ``scene`` over ``grid``.

    Raises Quarantined when the scene must not be used, ArchiveUnavailable when the archive does not answer,
    ArchiveAnswerInvalid (NotFound, Damaged) when a file of it is missing or unreadable.
    """
    if (lacks := scene.lacks) is not None:
        kind = Quarantine.MISSING_ASSET if scene.missing_assets else Quarantine.UNREACHABLE
        raise Quarantined(kind, lacks)
    claim = claimed_offset(scene)
    if claim.subtract is None:
        raise Quarantined(Quarantine.OFFSET_UNKNOWN, f"Item {scene.id}: {claim.why}; its offset cannot be decided.")
    zenith = archive.together.submit(read_view_zenith, archive, scene)
    remote = _read_bands(archive, scene, grid)
    scl = _classes(remote["scl"], grid.scl)
    stored = _on_fine_grid(remote, grid.fine)
    evidence = _evidence(archive, scene, grid, claim, remote)
    if contradicts(claim, evidence):
        raise Quarantined(
            Quarantine.OFFSET_CONFLICT,
            f"Item {scene.id}: {claim.why}, but its dark pixels show {evidence}; it is set aside.",
        )
    bands, dark = subtract_offset(stored, claim.subtract)
    _refuse_odd(scene, claim, evidence, bands, _classes(remote["scl"], grid.fine))
    return ScenePixels(
        bands=bands,
        scl=scl,
        dark=dark,
        offset=OffsetDecision(claim.subtract, claim.why, evidence),
        view_zenith=zenith.result(),
        files={key: part.facts for key, part in remote.items()},
        empty=not bands.any(),
    )


def _refuse_odd(
    scene: Scene, claim: OffsetClaim, evidence: OffsetEvidence, bands: NDArray[np.uint16], scl: NDArray[np.uint8]
) -> None:
    """Quarantined when the values cannot be reflectance x 10 000; dark water and what SCL masks are no sign of that."""
    lightless = lightless_land(bands[0], scl)
    proven = claim.subtract == 0 or evidence is OffsetEvidence.IN_PIXELS
    if not proven and lightless is not None and lightless > MOST_LIGHTLESS:
        raise Quarantined(
            Quarantine.OFFSET_CONFLICT,
            f"Item {scene.id}: {claim.why}, but without it {100 * lightless:.0f} % of its clear land has no blue "
            f"light; it is set aside.",
        )
    valid = bands > 0
    bright = float(np.mean(bands[valid] > BRIGHTEST_DN)) if valid.any() else 0.0
    if bright > MOST_TOO_BRIGHT:
        raise Quarantined(
            Quarantine.IMPLAUSIBLE,
            f"Item {scene.id}: {100 * bright:.0f} % of its values are above a reflectance of "
            f"{BRIGHTEST_DN / 10_000:g}; it is set aside.",
        )


def _read_bands(archive: HttpArchive, scene: Scene, grid: SiteGrid) -> dict[str, RemotePatch]:
    """Every asset around the site; a band that comes back blank where others are not is read once more.

    All assets are asked at once, so that a scene waits for the archive twice: for headers, then for blocks.
    """
    targets = dict.fromkeys(_BANDS, grid.fine) | {"scl": grid.scl}
    read = {key: archive.together.submit(_read, archive, scene, key, target) for key, target in targets.items()}
    remote = {key: reading.result() for key, reading in read.items()}
    for key in _blank(remote, grid):
        remote[key] = _read(archive, scene, key, targets[key])
    _check_classes(scene, remote["scl"])
    if blank := _blank(remote, grid):
        raise Damaged(
            f"Item {scene.id}: asset {blank[0]!r} came back blank twice where others have pixels; "
            f"the archive's file is damaged.",
            remote[blank[0]].fetched,
            stable=True,
            file=remote[blank[0]].facts,
        )
    return remote


def _read(
    archive: HttpArchive, scene: Scene, asset: str, target: GeoBox, beginning: Beginning | None = None
) -> RemotePatch:
    dtype, pixel = LAYERS[asset]
    return read_around(archive, scene.href(asset), target, Layer(dtype, pixel, tile_epsg(scene.tile)), beginning)


def _check_classes(scene: Scene, scl: RemotePatch) -> None:
    """Damaged when a file of bytes holds what are no classes, a picture for instance."""
    if scl.patch is not None and scl.patch.values.max(initial=0) > _LAST_CLASS:
        raise Damaged(
            f"Item {scene.id}: {scl.facts.href} holds {scl.patch.values.max()}, which is no class; it is not the scene "
            f"classification.",
            scl.fetched,
            stable=True,
            file=scl.facts,
        )


def _blank(remote: dict[str, RemotePatch], grid: SiteGrid) -> list[str]:
    """Assets without any pixel although others have some over the site (an empty scene has none in any)."""
    filled = {key: part.patch is not None and bool(part.patch.values.any()) for key, part in remote.items()}
    classes = _classes(remote["scl"], grid.fine)
    classified = bool(np.mean((classes > 0) & (classes < SCL_OUTSIDE)) > _MORE_THAN_AN_EDGE)
    if not classified and not any(filled[key] for key in _BANDS):
        return []
    return [key for key, full in filled.items() if not full]


def _classes(scl: RemotePatch, target: GeoBox) -> NDArray[np.uint8]:
    if scl.patch is None:
        return np.full(target.shape, SCL_OUTSIDE, np.uint8)
    return take_nearest(scl.patch, target, SCL_OUTSIDE).astype(np.uint8)


def _on_fine_grid(remote: dict[str, RemotePatch], fine: GeoBox) -> NDArray[np.uint16]:
    """Bands as stored (DN, 0 = missing or saturated) on the fine grid, (4, H, W)."""
    layers = []
    for key in _BANDS:
        patch = remote[key].patch
        if patch is None:
            layers.append(np.zeros(fine.shape, np.uint16))
            continue
        data = (patch.values > 0) & (patch.values < SATURATED_DN)
        values = np.where(data, patch.values.astype(np.float32), np.nan)
        layer = interpolate(Patch(values, patch.geobox), fine)
        layers.append(np.where(np.isfinite(layer), np.rint(layer), 0).astype(np.uint16))
    return np.stack(layers)


def _evidence(
    archive: HttpArchive, scene: Scene, grid: SiteGrid, claim: OffsetClaim, remote: dict[str, RemotePatch]
) -> OffsetEvidence:
    """The dark-pixel test on the site; where that is not conclusive or contradicts, on the whole cloud-mask area."""
    if not claim.testable:
        return OffsetEvidence.NONE
    near = _darkness(remote["blue"], remote["scl"], grid.fine)
    if near is not OffsetEvidence.NONE and not contradicts(claim, near):
        return near
    wide = _read(archive, scene, "blue", grid.scl, remote["blue"].beginning)
    return _darkness(wide, remote["scl"], grid.scl)


def _darkness(blue: RemotePatch, scl: RemotePatch, where: GeoBox) -> OffsetEvidence:
    if blue.patch is None:
        return OffsetEvidence.NONE
    return dark_pixel_evidence(take_nearest(blue.patch, where, 0), _classes(scl, where))


def ask_for(archive: HttpArchive, scene: Scene) -> None:
    """Ask for one byte of ``scene``, to see whether the archive answers; raises as asking does."""
    href = next((scene.hrefs[key] for key in ASSETS if is_web_address(scene.hrefs.get(key, ""))), None)
    if href is None:
        raise ArchiveUnavailable(f"Item {scene.id} has nothing that {archive.name} could be asked for.")
    is_there(archive, href, attempts=_WITNESS_ATTEMPTS)
