"""What a figure may be asked for: day, style, format, width in millimetres, dots an inch, colour range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from satfusion_assets.vocabulary.errors import InvalidInput

Format = Literal["png", "svg", "pdf"]
MEDIA: Final[dict[Format, str]] = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
WIDTHS_MM: Final = (60.0, 420.0)
"""From a narrow column to the long side of A3."""
DPI: Final = (72, 1200)
MOST_PIXELS: Final = 12_000
"""Longest width of a PNG; Agg itself ends at 65 536 a side."""
MM: Final = 1 / 25.4


@dataclass(frozen=True)
class FigureStyle:
    """How numbers become colours. bands: 0-based, red, green, blue, or one; none for an index. ramp: of matplotlib's
    registry."""

    label: str
    range: tuple[float, float]
    bands: tuple[int, ...] = ()
    ramp: str = "gray"

    @property
    def is_colour(self) -> bool:
        """Whether three bands make a picture, so that there is no scale of values."""
        return len(self.bands) == 3


VEGETATION: Final = "cmc.bamako_r"
"""Fabio Crameri's scientific colour maps, MIT: perceptually uniform, told apart with every common colour vision."""
STYLES: Final[dict[str, FigureStyle]] = {
    "true": FigureStyle("True colour", (0.0, 0.22), (2, 1, 0)),
    "false": FigureStyle("False colour (B8A, B04, B03)", (0.0, 0.45), (3, 2, 1)),
    "ndvi": FigureStyle("NDVI", (0.0, 0.9), (), VEGETATION),
    "gcc": FigureStyle("GCC", (0.28, 0.54), (), VEGETATION),
    "b02": FigureStyle("Blue B02, reflectance", (0.0, 0.2), (0,)),
    "b03": FigureStyle("Green B03, reflectance", (0.0, 0.2), (1,)),
    "b04": FigureStyle("Red B04, reflectance", (0.0, 0.2), (2,)),
    "b8a": FigureStyle("Near infrared B8A, reflectance", (0.0, 0.5), (3,)),
}


@dataclass(frozen=True)
class Order:
    """What somebody wants drawn. span: colour range, None for the style's own. dpi counts for pixels of PNG alone."""

    day: date
    style: str
    format: Format = "pdf"
    width_mm: float = 180.0
    dpi: int = 300
    span: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.format not in MEDIA:
            raise InvalidInput(f"format={str(self.format)[:20]!r} is not a format; use one of {', '.join(MEDIA)}.")
        if self.style not in STYLES:
            raise InvalidInput(f"style={self.style[:20]!r} cannot be drawn; use one of {', '.join(STYLES)}.")
        if not WIDTHS_MM[0] <= self.width_mm <= WIDTHS_MM[1]:
            raise InvalidInput(f"width={self.width_mm:g} is not between {WIDTHS_MM[0]:g} and {WIDTHS_MM[1]:g} mm.")
        if not DPI[0] <= self.dpi <= DPI[1]:
            raise InvalidInput(f"dpi={self.dpi} is not between {DPI[0]} and {DPI[1]}.")
        if self.format == "png" and self.width_mm * MM * self.dpi > MOST_PIXELS:
            raise InvalidInput(
                f"{self.width_mm:g} mm with {self.dpi} dpi are more than {MOST_PIXELS} pixels; ask for less."
            )
        if self.span is not None and not self.span[0] < self.span[1]:
            raise InvalidInput("range holds no values; write the lower end first, like 0.2,0.8.")


def order_of(parameters: Mapping[str, str]) -> Order:
    """The order that an address holds: ``date``, ``style``, ``format``, ``width``, ``dpi``, ``range``."""
    day = parameters.get("date", "")
    try:
        when = date.fromisoformat(day)
    except ValueError:
        raise InvalidInput(f"date={day[:20]!r} is no day; write it like 2024-05-10.") from None
    return Order(
        when,
        parameters.get("style", "true"),
        cast("Format", parameters.get("format", "pdf")),
        _numbers(parameters, "width", "180", 1)[0],
        int(_numbers(parameters, "dpi", "300", 1)[0]),
        cast("tuple[float, float]", _numbers(parameters, "range", "", 2)) if parameters.get("range") else None,
    )


def _numbers(parameters: Mapping[str, str], name: str, default: str, count: int) -> tuple[float, ...]:
    text = parameters.get(name, default)
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise InvalidInput(f"{name}={text[:20]!r} is not {'a number' if count == 1 else 'two numbers with a comma'}.")
    return numbers
