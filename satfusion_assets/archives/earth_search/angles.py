"""The view zenith angle of B8A, from the item or from a granule's metadata (MTD_TL.xml).

Bands are named by ``bandId`` and come in any order; 8 is B8A. The archive's copies are sometimes cut off, so what
cannot be read is unknown, never an error; it is asked again as long as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from satfusion_assets.archives.earth_search.scenes import METADATA_ASSET, Scene
from satfusion_assets.archives.http import Answer, HttpArchive, NotFound
from satfusion_assets.archives.retry import is_web_address
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveError

B8A: Final = "8"
LONGEST_XML: Final = 16 * 2**20
"""Longest metadata that are read; a granule's have half a megabyte."""
_ATTEMPTS: Final = 3
"""Damaged copies are frequent in some years, and each wait is paid for an angle that may stay unknown."""


@dataclass(frozen=True)
class ViewZenith:
    """View zenith of B8A. degrees: None = unknown. source: where it is from, or why it is unknown."""

    degrees: float | None
    source: str


def read_view_zenith(archive: HttpArchive, scene: Scene, attempts: int | None = None) -> ViewZenith:
    """The item's angle, else B8A's of the granule's metadata. The angle is optional: nothing here ends a season.

    attempts: requests in all; None = as many as the retry policy allows, three at most.
    """
    if scene.view_zenith is not None:
        return ViewZenith(scene.view_zenith, "item, mean over bands")
    if METADATA_ASSET not in scene.hrefs:
        return ViewZenith(None, "unknown: the item lists no metadata")
    href = scene.href(METADATA_ASSET)
    if not is_web_address(href):
        return ViewZenith(None, "unknown: the item's metadata lie where they cannot be fetched")
    try:
        most = attempts or min(archive.policy.attempts, _ATTEMPTS)
        zenith = archive.get_checked(href, _whole_angle, most_bytes=LONGEST_XML, attempts=most)
    except NotFound:
        return ViewZenith(None, "unknown: granule metadata not found")
    except ArchiveAnswerInvalid:
        return ViewZenith(None, "unknown: granule metadata malformed")
    except ArchiveError:
        return ViewZenith(None, "unknown: granule metadata withheld")
    return ViewZenith(zenith, "granule metadata, B8A")


def _whole_angle(answer: Answer) -> float:
    zenith = view_zenith_of_b8a(answer.body)
    if zenith is None:
        raise ArchiveAnswerInvalid(f"{answer.url} is no whole metadata of a granule with an angle of B8A.")
    return zenith


def view_zenith_of_b8a(xml: bytes) -> float | None:
    """Mean view zenith of B8A in degrees; None when the document is malformed or has no such angle."""
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):  # LookupError: encoding without name
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
