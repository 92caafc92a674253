"""Midday pictures: which file belongs to which day, and whether a JPEG is whole."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from satfusion_assets.archives.phenocam.sifted import LeftOut, Sifted, quoted
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid

_NAME: Final = re.compile(
    r"(?P<site>[A-Za-z0-9._-]{1,100}?)(?P<infrared>_IR)?_(\d{4})_(\d{2})_(\d{2})_(\d{2})(\d{2})(\d{2})\.jpg",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_PATH: Final = 2000


@dataclass(frozen=True)
class Picture:
    """A midday picture. path: as the archive gives it, root-relative. taken: local standard time of the camera."""

    path: str
    taken: datetime

    @property
    def day(self) -> date:
        return self.taken.date()


def read_pictures(entries: Iterable[Any], site: str) -> Sifted[Picture]:
    """Midday pictures of ``site`` in visible light, oldest first, one a day (the first one taken).

    Infrared frames are left out without a word; an entry that names no picture of the site costs itself.
    """
    found: list[Picture] = []
    left_out: list[LeftOut] = []
    for position, entry in enumerate(entries, 1):
        path = entry.get("imgpath") if isinstance(entry, dict) else entry
        try:
            picture = picture_of(path, site)
        except ValueError as error:
            left_out.append(LeftOut(f"entry {position}", str(error)))
        else:
            if picture is not None:
                found.append(picture)
    by_day = {picture.day: picture for picture in sorted(found, key=_taken, reverse=True)}
    return Sifted(tuple(by_day[day] for day in sorted(by_day)), tuple(left_out))


def picture_of(path: object, site: str) -> Picture | None:
    """The picture behind an archive path; None for an infrared frame, ValueError for what is no picture of ``site``."""
    if not isinstance(path, str) or len(path) > _LONGEST_PATH:
        raise ValueError(f"{quoted(path)} is no path")
    path.encode()  # half a character, which JSON can write, is in no path
    found = _NAME.fullmatch(path.rsplit("/", 1)[-1])
    if found is None or found["site"] != site:
        raise ValueError(f"{quoted(path)} is no picture of {site} with a time in its name")
    taken = datetime(*map(int, found.groups()[2:]))  # type: ignore[arg-type]
    return None if found["infrared"] else Picture(path, taken)


def _taken(picture: Picture) -> tuple[datetime, str]:
    return picture.taken, picture.path


def check_jpeg(content: bytes, source: str) -> None:
    """ArchiveAnswerInvalid unless ``content`` decodes as a whole JPEG."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            picture.load()
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ArchiveAnswerInvalid(f"{source} is not a whole JPEG.") from error
