"""Where a site lies, held against where PhenoCam has its camera, before anything is fetched for the wrong place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from satfusion_assets.vocabulary.errors import ArchiveError, InvalidInput, NoData
from satfusion_assets.vocabulary.settings import Settings

FAR_M: Final = 1000.0
"""A field farther than this from its camera is another field."""
SAME_M: Final = 1.0
"""Positions closer than this are one position, written with other digits."""
_LONGEST_DESCRIPTION: Final = 2000
"""Characters that a site's description may have."""
_SILENCE_S: Final = 10.0
"""Who adds a site does not wait longer for a check."""


@dataclass(frozen=True)
class Position:
    """Degrees north and east (WGS 84)."""

    latitude: float
    longitude: float

    def metres_to(self, other: Position) -> float:
        """Distance on the ellipsoid."""
        from pyproj import Geod

        return float(Geod(ellps="WGS84").inv(self.longitude, self.latitude, other.longitude, other.latitude)[2])

    def __str__(self) -> str:
        return f"{self.latitude:.5f}, {self.longitude:.5f}"


@dataclass(frozen=True)
class CameraSaid:
    """What PhenoCam says of a camera: where it is (None = it does not say, for the reason ``why``), what it looks at,
    and what and where the site is (empty = not said)."""

    position: Position | None
    why: str = ""
    vegetation_type: str = ""
    description: str = ""


def ask_camera(settings: Settings, name: str) -> CameraSaid:
    """Ask PhenoCam once, briefly."""
    from satfusion_assets.archives.http import HttpArchive
    from satfusion_assets.archives.phenocam import VEGETATION_NAMES, PhenoCam
    from satfusion_assets.archives.retry import RetryPolicy

    policy = RetryPolicy(attempts=1, first_wait_s=0, timeout_s=_SILENCE_S, deadline_s=_SILENCE_S)
    try:
        with HttpArchive("PhenoCam", policy) as http:
            camera = PhenoCam(settings.phenocam_url, http).camera(name)
    except (ArchiveError, NoData) as error:
        return CameraSaid(None, str(error))
    said = {
        "vegetation_type": VEGETATION_NAMES.get(camera.vegetation, ""),
        "description": camera.description[:_LONGEST_DESCRIPTION],
    }
    if camera.latitude is None or camera.longitude is None:
        return CameraSaid(None, f"PhenoCam does not say where camera {name} is.", **said)
    return CameraSaid(Position(camera.latitude, camera.longitude), **said)


def doubt(name: str, position: Position, camera: Position) -> str | None:
    """Why ``position`` may be wrong for a camera at ``camera``; None when it is near enough."""
    away = position.metres_to(camera)
    if away <= FAR_M:
        return None
    if abs(position.longitude) <= 90 and Position(position.longitude, position.latitude).metres_to(camera) <= FAR_M:
        return (
            f"{position} is not where PhenoCam has camera {name} ({camera}), but would be with latitude and longitude "
            f"swapped."
        )
    return f"{position} lies {_distance(away)} from where PhenoCam has camera {name} ({camera})."


def refuse_swapped(latitude: float, longitude: float) -> None:
    """InvalidInput when the numbers only make sense the other way round."""
    if not -90 <= latitude <= 90 and -180 <= latitude <= 180 and -90 <= longitude <= 90:
        raise InvalidInput(
            f"--lat {latitude:g} is no latitude, --lon {longitude:g} would be one; give them the other way round."
        )


def moved(name: str, old: Position, new: Position) -> str:
    """A move in words."""
    return f"{name} moves {_distance(old.metres_to(new))}, from {old} to {new}"


def _distance(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"
