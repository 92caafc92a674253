"""What a request asks for, read from its address; InvalidInput says what is wrong with it."""

from __future__ import annotations

import math
import re
from typing import Final

from starlette.requests import Request

from satfusion_assets.viewer.areas import Ring
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.links import STAGES, Stage

FARTHEST_M: Final = 1e8
MOST_BANDS: Final = 16
_YEAR: Final = re.compile(r"[0-9]{4}")
_BAND: Final = re.compile(r"[1-9][0-9]{0,5}")


def stage_of(request: Request) -> Stage:
    stage = request.path_params["stage"]
    if stage not in STAGES:
        raise InvalidInput(f"{stage!r} is not a stage; use one of {', '.join(STAGES)}.")
    return stage


def season_of(request: Request) -> int:
    text = request.path_params["season"]
    if not _YEAR.fullmatch(text):
        raise InvalidInput(f"{_short(text)!r} is not a season; write its year, like 2024.")
    return int(text)


def number_of(request: Request, name: str) -> float:
    text = request.query_params.get(name, "")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= FARTHEST_M:
        raise InvalidInput(f"parameter {name} is missing or not a number; give metres in the site's UTM zone.")
    return number


def ring_of(request: Request) -> Ring:
    """Corners that follow each other as eastings and northings."""
    text = request.query_params.get("ring", "")
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or len(numbers) % 2 or not all(abs(number) <= FARTHEST_M for number in numbers):
        raise InvalidInput("parameter ring is no outline; give easting,northing,easting,northing,... in metres.")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def bands_of(request: Request) -> list[int] | None:
    """Numbers from 1, None = all."""
    text = request.query_params.get("bands")
    if text is None:
        return None
    numbers = text.split(",")
    if len(numbers) > MOST_BANDS or len(set(numbers)) < len(numbers) or not all(map(_BAND.fullmatch, numbers)):
        raise InvalidInput(
            f"bands={_short(text)!r} is not a list of band numbers from 1, each once, at most {MOST_BANDS}, like 1,2,3."
        )
    return [int(number) for number in numbers]


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."
