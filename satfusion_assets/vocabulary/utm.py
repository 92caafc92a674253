"""The UTM zone of a place: the one of the Sentinel-2 tiles around it.

No product names this module among its thresholds: a product lies on a grid whose CRS it says, and is out of place by
itself where the zone of its site is another now.
"""

from __future__ import annotations

from typing import Final

_WIDER_ZONES: Final = (
    (56, 64, 3, 6, 32),
    (72, 84, 0, 9, 31),
    (72, 84, 9, 21, 33),
    (72, 84, 21, 33, 35),
    (72, 84, 33, 42, 37),
)
"""South, north, west, east and UTM zone of Norway's coast and of Svalbard (MGRS, bands V and X). Sentinel-2's tiles
keep them, so in these zones no image needs a warp, though EPSG's areas of use are six degrees wide throughout."""


def utm_zone(latitude: float, longitude: float) -> int:
    """Number of the UTM zone of a point (WGS 84)."""
    for south, north, west, east, zone in _WIDER_ZONES:
        if south <= latitude < north and west <= longitude < east:
            return zone
    return min(int((longitude + 180) // 6) + 1, 60)


def utm_epsg(latitude: float, longitude: float) -> int:
    """EPSG code of the UTM zone of a point (WGS 84), northern or southern."""
    return (32600 if latitude >= 0 else 32700) + utm_zone(latitude, longitude)
