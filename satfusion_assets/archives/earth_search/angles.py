"""The view zenith angle of B8A from a granule's metadata (MTD_TL.xml).

Bands are named by ``bandId`` and come in any order; 8 is B8A. The archive's copies are sometimes cut off, so what
cannot be read is unknown, never an error.
"""

from __future__ import annotations

import math
from typing import Final

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

B8A: Final = "8"


def view_zenith_of_b8a(xml: bytes) -> float | None:
    """Mean view zenith of B8A in degrees; None when the document is malformed or has no such angle."""
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        return None
    for angle in root.iter("Mean_Viewing_Incidence_Angle"):
        if angle.get("bandId") == B8A:
            return _degrees(angle.findtext("ZENITH_ANGLE"))
    return None


def _degrees(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value < 90 else None
