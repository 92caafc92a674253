"""Midday pictures: which file belongs to which day, and whether a JPEG is whole."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from PIL import Image, UnidentifiedImageError

from satfusion_assets.errors import ArchiveAnswerInvalid

_NAME: Final = re.compile(r"_(\d{4})_(\d{2})_(\d{2})_(\d{2})(\d{2})(\d{2})\.jpg$", re.IGNORECASE)


@dataclass(frozen=True)
class Picture:
    """A midday picture. path: as the archive gives it, root-relative. taken: local standard time of the camera."""

    path: str
    taken: datetime

    @property
    def day(self) -> date:
        return self.taken.date()


def picture_of(path: str) -> Picture | None:
    """The picture behind an archive path; None for infrared frames and names without a time."""
    name = path.rsplit("/", 1)[-1]
    found = _NAME.search(name)
    if found is None or "_IR_" in name:
        return None
    try:
        return Picture(path, datetime(*map(int, found.groups())))  # type: ignore[arg-type]
    except ValueError:
        return None


def check_jpeg(content: bytes, source: str) -> None:
    """ArchiveAnswerInvalid unless ``content`` decodes as a whole JPEG."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            picture.load()
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise ArchiveAnswerInvalid(f"{source} is not a whole JPEG.") from error
