"""The PhenoCam archive: its API's pages, its summaries, its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urljoin

from pydantic import ValidationError

from satfusion_assets.archives.http import Answer, HttpArchive, NotFound
from satfusion_assets.archives.patience import public_url
from satfusion_assets.archives.phenocam.pictures import Picture, check_jpeg, picture_of
from satfusion_assets.archives.phenocam.regions import Region
from satfusion_assets.archives.phenocam.summaries import DailySummary, parse_one_day_summary
from satfusion_assets.errors import ArchiveAnswerInvalid, NoData

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


@dataclass(frozen=True)
class Camera:
    """What the archive says about a camera. acknowledgement: text that the site asks to be printed."""

    name: str
    utc_offset_hours: float | None
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
            record = self._http.get_json(self._at(f"api/cameras/{name}/"))
        except NotFound as error:
            raise NoData(f"PhenoCam knows no camera {name!r}; site names must be PhenoCam's own.") from error
        if not isinstance(record, dict):
            raise ArchiveAnswerInvalid(f"PhenoCam's record of camera {name} is not an object.")
        meta = record.get("sitemetadata")
        meta = meta if isinstance(meta, dict) else {}
        offset = record.get("utc_offset", meta.get("utc_offset"))
        return Camera(
            name=name,
            utc_offset_hours=float(offset) if isinstance(offset, (int, float)) else None,
            acknowledgement=str(meta.get("site_acknowledgements") or meta.get("site_acknowledgement") or ""),
            fair_use=str(record.get("fairuse_statement") or meta.get("fairuse_statement") or ""),
            record=record,
        )

    def regions(self, name: str) -> list[Region]:
        """All regions of interest of a camera; the site filter of the API is not trusted."""
        pages = self._pages(self._at("api/roilists/") + "?" + urlencode({"site": name, "limit": _PAGE}))
        try:
            return [Region.model_validate(entry) for entry in pages if entry.get("site") == name]
        except (ValidationError, AttributeError) as error:
            raise ArchiveAnswerInvalid(f"PhenoCam's list of regions for {name} is malformed.") from error

    def pictures(self, name: str) -> list[Picture]:
        """Midday pictures of a camera in visible light, oldest first, one a day (the first one named)."""
        try:
            entries = self._pages(self._at(f"api/middayimages/{name}/"))
        except NotFound:
            return []
        paths = (entry.get("imgpath") if isinstance(entry, dict) else entry for entry in entries)
        found = [picture for path in paths if isinstance(path, str) and (picture := picture_of(path))]
        return list({picture.day: picture for picture in sorted(found, key=_taken, reverse=True)}.values())[::-1]

    def one_day_summary(self, region: Region, headers: Mapping[str, str]) -> tuple[Answer, list[DailySummary]]:
        """The summary of ``region`` and its days; no days when ``headers`` were conditions and it has not changed."""
        address = region.summary or (
            f"data/archive/{region.site}/ROI/{region.site}_{region.vegetation}_{region.sequence:04d}_1day.csv"
        )
        return self._http.get_checked(self._at(address), _read_summary, headers)

    def picture(self, picture: Picture) -> Answer:
        """The JPEG of a picture, decoded once to know that it is whole."""
        return self._http.get_checked(self._at(picture.path), _read_picture)

    def _at(self, path: str) -> str:
        """``path`` below the archive: root-relative, relative, or an absolute address as its records hold."""
        return urljoin(self._url, path)

    def _pages(self, url: str) -> list[Any]:
        """All results of a paged answer (or a plain list); guards against pages that go in circles."""
        entries: list[Any] = []
        seen: set[str] = set()
        following: str | None = url
        expected: int | None = None
        while following:
            if following in seen or len(seen) >= _MOST_PAGES:
                raise ArchiveAnswerInvalid(f"PhenoCam's pages of {public_url(url)} go in circles.")
            seen.add(following)
            page = self._http.get_json(following)
            if isinstance(page, list):
                return page
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise ArchiveAnswerInvalid(f"PhenoCam answered {public_url(url)} with something that is no list.")
            entries += page["results"]
            expected = page.get("count", expected)
            following = urljoin(following, page["next"]) if page.get("next") else None
        _check_count(entries, expected, url)
        return entries


def _check_count(entries: list[Any], expected: int | None, url: str) -> None:
    if isinstance(expected, int) and expected != len(entries):
        raise ArchiveAnswerInvalid(
            f"PhenoCam announced {expected} results at {public_url(url)} and listed {len(entries)}; run this again."
        )


def _read_summary(answer: Answer) -> tuple[Answer, list[DailySummary]]:
    if answer.unchanged:
        return answer, []
    try:
        text = answer.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveAnswerInvalid(f"{answer.url} is not text.") from error
    return answer, parse_one_day_summary(text, answer.url)


def _read_picture(answer: Answer) -> Answer:
    check_jpeg(answer.body, answer.url)
    return answer


def _taken(picture: Picture) -> Any:
    return picture.taken
