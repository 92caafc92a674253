"""Boxes in degrees (west, south, east, north) on a round earth: west > east is a box across 180 degrees."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from odc.geo.geobox import GeoBox
from pyproj import Transformer

Box = tuple[float, float, float, float]

_POINTS: Final = 21
"""Points on each side of an outline that is turned into degrees; sides of a few kilometres are straight enough."""


def geographic_boxes(area: GeoBox) -> list[Box]:
    """The box around ``area``, in two parts where 180 degrees cut it (as GeoJSON wants it, RFC 7946, 3.1.9)."""
    assert area.crs is not None, "a site's grid has a CRS"
    outline, share = area.extent.boundingbox, np.linspace(0, 1, _POINTS)
    x = outline.left + share * (outline.right - outline.left)
    y = outline.bottom + share * (outline.top - outline.bottom)
    ring_x = np.concatenate([x, np.full(_POINTS, outline.right), x, np.full(_POINTS, outline.left)])
    ring_y = np.concatenate([np.full(_POINTS, outline.bottom), y, np.full(_POINTS, outline.top), y])
    longitude, latitude = Transformer.from_crs(area.crs.to_wkt(), 4326, always_xy=True).transform(ring_x, ring_y)
    around = float(longitude[0])
    longitude = around + (longitude - around + 180) % 360 - 180
    west, south, east, north = (float(v) for v in (longitude.min(), latitude.min(), longitude.max(), latitude.max()))
    if west < -180:
        return [(west + 360, south, 180.0, north), (-180.0, south, east, north)]
    if east > 180:
        return [(west, south, 180.0, north), (-180.0, south, east - 360, north)]
    return [(west, south, east, north)]


def geojson(boxes: list[Box]) -> dict[str, Any]:
    """The boxes as a GeoJSON polygon, or polygons."""
    rings = [[[w, s], [e, s], [e, n], [w, n], [w, s]] for w, s, e, n in boxes]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def box_width(box: Box) -> float:
    """Degrees from west to east."""
    return box[2] - box[0] if box[0] <= box[2] else box[2] - box[0] + 360


def shared_area(one: Box, other: Box) -> float:
    """Square degrees that two boxes share, 0 when they do not meet."""
    width = max(
        min(one[0] + box_width(one), other[0] + box_width(other) + turn) - max(one[0], other[0] + turn)
        for turn in (-360, 0, 360)
    )
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
