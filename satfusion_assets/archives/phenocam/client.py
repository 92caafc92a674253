"""The PhenoCam archive: its API's pages, its summaries, its pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from satfusion_assets.archives.http import Answer, HttpArchive, NotFound
from satfusion_assets.archives.phenocam.pictures import Picture, check_jpeg, read_pictures
from satfusion_assets.archives.phenocam.regions import VEGETATION_NAMES, Region, read_regions
from satfusion_assets.archives.phenocam.sifted import Sifted, quoted
from satfusion_assets.archives.phenocam.summaries import (
    DailySummary,
    decode_summary,
    parse_one_day_summary,
    refuse_other_region,
)
from satfusion_assets.archives.retry import public_url
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected, NoData

T = TypeVar("T")

LICENCE: Final = """\
The pictures and greenness summaries in this folder are from the PhenoCam Network (https://phenocam.nau.edu), licensed
CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), provisional data included. Cite the network's data papers and
acknowledge the network and the site.

Network acknowledgement: We thank our many collaborators, including site PIs and technicians, for their efforts in
support of PhenoCam. The development of PhenoCam Network has been funded by the Northeastern States Research
Cooperative, the US National Science Foundation, the US Department of Energy, the US Geological Survey and the US
National Park Service.
"""
_MOST_PAGES: Final = 200
_PAGE: Final = 500


_LONGEST_TEXT: Final = 5_000
"""Characters of a site's acknowledgement or fair use statement; the longest known have some two thousand."""
_OFFSETS: Final = (-12.0, 14.0)
"""Hours that local times on Earth differ from UTC."""


class Forbidden(ArchiveAnswerInvalid):
    """The archive refuses one file (401, 403): it asks nobody for credentials, so none can be wrong."""


@dataclass(frozen=True)
class Camera:
    """What the archive says about a camera.

    latitude, longitude: degrees, None = not said. orientation: the wind that it looks towards, in the archive's word,
    empty = not said. vegetation: PhenoCam's code of what it looks at first (GR, DB, ...), description: what and where
    the site is, empty = not said. acknowledgement: text that the site asks to be printed.
    """

    name: str
    latitude: float | None
    longitude: float | None
    utc_offset_hours: float | None
    orientation: str
    vegetation: str
    description: str
    acknowledgement: str
    fair_use: str
    record: Mapping[str, Any]


class PhenoCam:
    """The archive at ``url`` (the real one or any that speaks its API)."""

    def __init__(self, url: str, http: HttpArchive) -> None:
        self._url = url.rstrip("/") + "/"
        self._http = http

    def camera(self, name: str) -> Camera:
        """The camera called ``name``; NoData when the archive does not know it."""
        try:
            record = self._json(self._at(f"api/cameras/{name}/"))
        except NotFound as error:
            raise NoData(f"PhenoCam knows no camera {name!r}; site names must be PhenoCam's own.") from error
        if not isinstance(record, dict):
            raise ArchiveAnswerInvalid(f"PhenoCam's record of camera {name} is not an object.")
        if record.get("Sitename", name) != name:
            raise ArchiveAnswerInvalid(f"PhenoCam answered for {name} with {quoted(record['Sitename'])}.")
        meta = record.get("sitemetadata")
        meta = meta if isinstance(meta, dict) else {}
        return Camera(
            name=name,
            latitude=_number_within(record.get("Lat"), -90, 90),
            longitude=_number_within(record.get("Lon"), -180, 180),
            utc_offset_hours=_number_within(record.get("utc_offset", meta.get("utc_offset")), *_OFFSETS),
            orientation=_text(meta.get("camera_orientation")),
            vegetation=vegetation if (vegetation := _text(meta.get("primary_veg_type"))) in VEGETATION_NAMES else "",
            description=_text(meta.get("site_description")),
            acknowledgement=_text(meta.get("site_acknowledgements") or meta.get("site_acknowledgement")),
            fair_use=_text(record.get("fairuse_statement") or meta.get("fairuse_statement")),
            record=record,
        )

    def regions(self, name: str) -> Sifted[Region]:
        """All regions of interest of a camera; the site filter of the API is not trusted."""
        url = self._at("api/roilists/") + "?" + urlencode({"site": name, "limit": _PAGE})
        regions = read_regions(self._pages(url), name)
        if regions.left_out and not regions:
            raise ArchiveAnswerInvalid(f"PhenoCam's list of regions for {name} is malformed; {regions.left_out[0]}.")
        return regions

    def pictures(self, name: str) -> Sifted[Picture]:
        """Midday pictures of a camera in visible light, oldest first, one a day; NotFound when it has no list."""
        pictures = read_pictures(self._pages(self._at(f"api/middayimages/{name}/")), name)
        if pictures.too_many_left_out:
            raise ArchiveAnswerInvalid(f"PhenoCam's list of pictures of {name} is malformed; {pictures.left_out[0]}.")
        return pictures

    def one_day_summary(self, region: Region, headers: Mapping[str, str]) -> tuple[Answer, Sifted[DailySummary]]:
        """The summary of ``region`` and its days; no days when ``headers`` were conditions and it has not changed."""
        address = region.summary or (
            f"data/archive/{region.site}/ROI/{region.site}_{region.vegetation}_{region.sequence:04d}_1day.csv"
        )

        def read(answer: Answer) -> tuple[Answer, Sifted[DailySummary]]:
            if answer.unchanged:
                return answer, Sifted(())
            text = decode_summary(answer.body, answer.url)
            refuse_other_region(text, answer.url, region.site, region.vegetation)
            return answer, parse_one_day_summary(text, answer.url)

        return self._file(address, read, headers)

    def picture(self, picture: Picture) -> Answer:
        """The JPEG of a picture, decoded once to know that it is whole."""
        return self._file(picture.path, _read_picture)

    def _file(self, path: str, read: Callable[[Answer], T], headers: Mapping[str, str] | None = None) -> T:
        """A file behind a path of the archive; Forbidden when it is refused, which is this file's trouble."""
        url = self._at(path)
        try:
            return self._http.get_checked(url, read, headers)
        except CredentialsRejected as error:
            raise Forbidden(f"PhenoCam does not give away {public_url(url)}: {error}") from error

    def _json(self, url: str) -> Any:
        try:
            return self._http.get_json(url)
        except CredentialsRejected as error:
            raise ArchiveUnavailable(
                f"PhenoCam does not let us in at {public_url(url)}, though it asks nobody for credentials; "
                f"run this again later."
            ) from error

    def _at(self, path: str) -> str:
        """``path`` below the archive: root-relative, relative, or an absolute address as its records hold."""
        return _address(self._url, path)

    def _pages(self, url: str) -> list[Any]:
        """All results of a paged answer (or a plain list); guards against pages that go in circles."""
        entries: list[Any] = []
        seen: set[str] = set()
        following: str | None = url
        expected: object = None
        while following:
            if following in seen or len(seen) >= _MOST_PAGES:
                raise ArchiveAnswerInvalid(f"PhenoCam's pages of {public_url(url)} go in circles.")
            seen.add(following)
            page = self._json(following)
            if isinstance(page, list):
                return page
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise ArchiveAnswerInvalid(f"PhenoCam answered {public_url(url)} with something that is no list.")
            entries += page["results"]
            expected = page.get("count", expected)
            following = _address(following, page["next"]) if page.get("next") else None
        _check_count(entries, expected, url)
        return entries


def _check_count(entries: list[Any], expected: object, url: str) -> None:
    if isinstance(expected, int) and expected != len(entries):
        raise ArchiveAnswerInvalid(
            f"PhenoCam announced {expected} results at {public_url(url)} and listed {len(entries)}; run this again."
        )


def _address(base: str, link: object) -> str:
    """The address behind a link of the archive; ArchiveAnswerInvalid at once for what can never be fetched."""
    try:
        if not isinstance(link, str):
            raise ValueError("not a text")
        url = urljoin(base, link)
        url.encode()  # half a character, which JSON can write, is in no address
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("not an address of the web")
    except ValueError as error:
        raise ArchiveAnswerInvalid(f"PhenoCam gave a link that is no address: {quoted(link)} ({error}).") from error
    return url


def _number_within(value: object, least: float, most: float) -> float | None:
    """A number of the archive within its range; None when it is missing or can be no such number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        return None
    return float(value) if math.isfinite(value) else None


def _text(value: object) -> str:
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _read_picture(answer: Answer) -> Answer:
    check_jpeg(answer.body, answer.url)
    return answer
