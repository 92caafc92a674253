"""Small charts as SVG: a page of a few kilobytes that any browser shows sharp, drawn without a plotting library."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, HEAD, BOTTOM = 62, 14, 42, 44
"""Room around the plotting area without the legend, px."""


_LEGEND_ROW: Final = 16


_FONT: Final = "font-family='system-ui, Helvetica, Arial, sans-serif'"


_MOST_TICKS: Final = 6


Numbers = Sequence[float] | NDArray[Any]


@dataclass(frozen=True)
class Image:
    """A finished picture: what a browser needs to show it."""

    media_type: str
    content: bytes

    @property
    def data_uri(self) -> str:
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


@dataclass
class Chart:
    """One chart: x and y ranges, and marks added in the order in which they are to lie on one another.

    x: days since 1970 where ``dates``, plain numbers otherwise. Points that are not finite are left out.
    """

    title: str
    y_label: str
    x: tuple[float, float]
    y: tuple[float, float]
    dates: bool = True
    x_label: str = "UTC day"
    width: int = 860
    height: int = 330
    x_ticks: Sequence[tuple[float, str]] | None = None
    y_ticks: Sequence[tuple[float, str]] | None = None
    legend_rows: int = 1
    _marks: list[str] = field(default_factory=list)
    _legend: list[str] = field(default_factory=list)
    _legend_at: tuple[int, int] = (LEFT, HEAD - 1)

    @property
    def _top(self) -> int:
        return HEAD + self.legend_rows * _LEGEND_ROW

    def line(
        self, xs: Numbers, ys: Numbers, colour: str, label: str = "", *, width: float = 1.8, gap: float = 2
    ) -> None:
        """A line that breaks where the next point is further than ``gap`` along x."""
        path, before = [], None
        for x, y in _finite(xs, ys):
            move = "L" if before is not None and x - before <= gap else "M"
            path.append(f"{move}{self._x(x):.1f} {self._y(y):.1f}")
            before = x
        self._marks.append(f"<path d='{''.join(path)}' fill='none' stroke='{colour}' stroke-width='{width}'/>")
        self._key(label, f"<path d='M0 0h18' stroke='{colour}' stroke-width='{max(width, 1.8)}'/>")

    def band(self, xs: Numbers, low: Numbers, high: Numbers, colour: str, label: str = "") -> None:
        """The area between two lines."""
        there = [(x, a, b) for x, a, b in zip(xs, low, high, strict=True) if np.isfinite((a, b)).all()]
        outline = [(x, b) for x, _, b in there] + [(x, a) for x, a, _ in reversed(there)]
        points = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in outline)
        self._marks.append(f"<polygon points='{points}' fill='{colour}' fill-opacity='.2'/>")
        self._key(label, f"<rect y='-5' width='18' height='10' fill='{colour}' fill-opacity='.2'/>")

    def points(
        self, xs: Numbers, ys: Numbers, colour: str, label: str = "", *, hollow: bool = False, radius: float = 2.6
    ) -> None:
        """Circles; hollow ones stand for what is not used."""
        paint = f"fill='{'none' if hollow else colour}' stroke='{colour}'"
        dots = [f"M{self._x(x):.1f} {self._y(y):.1f}" for x, y in _finite(xs, ys)]
        name = f"c{colour[1:]}{'h' if hollow else 'f'}{10 * radius:.0f}"
        side = 2 * radius + 2
        self._marks.append(
            f"<marker id='{name}' viewBox='{-side / 2} {-side / 2} {side} {side}' markerWidth='{side}' "
            f"markerHeight='{side}' markerUnits='userSpaceOnUse'><circle r='{radius}' {paint}/></marker>"
            f"<path d='{''.join(dots)}' fill='none' marker-start='url(#{name})' marker-mid='url(#{name})' "
            f"marker-end='url(#{name})'/>"
        )
        self._key(label, f"<circle cx='9' r='{radius + 0.6}' {paint}/>")

    def crosses(self, xs: Numbers, ys: Numbers, colour: str, label: str = "") -> None:
        """Crosses, for what was thrown out."""
        arms = [f"M{self._x(x) - 3:.1f} {self._y(y) - 3:.1f}l6 6m0 -6l-6 6" for x, y in _finite(xs, ys)]
        self._marks.append(f"<path d='{''.join(arms)}' stroke='{colour}' fill='none' stroke-width='1.4'/>")
        self._key(label, f"<path d='M6 -3l6 6m0 -6l-6 6' stroke='{colour}' fill='none' stroke-width='1.4'/>")

    def vertical(self, x: float, text: str, colour: str) -> None:
        """A dashed line across the chart, named at its top."""
        at = self._x(x)
        self._marks.append(
            f"<path d='M{at:.1f} {self._top}V{self.height - BOTTOM}' stroke='{colour}' stroke-dasharray='4 3'/>"
            f"<text x='{at + 4:.1f}' y='{self._top + 12}' fill='{colour}' font-size='11'>{escape(text)}</text>"
        )

    def horizontal(self, y: float, text: str, colour: str) -> None:
        """A dashed line along the chart, named at its right end."""
        at = self._y(y)
        self._marks.append(
            f"<path d='M{LEFT} {at:.1f}H{self.width - RIGHT}' stroke='{colour}' stroke-dasharray='4 3'/>"
            f"<text x='{self.width - RIGHT - 4}' y='{at - 4:.1f}' fill='{colour}' font-size='11' "
            f"text-anchor='end'>{escape(text)}</text>"
        )

    def drawn(self) -> Image:
        frame = (
            f"<rect x='{LEFT}' y='{self._top}' width='{self.width - LEFT - RIGHT}' "
            f"height='{self.height - self._top - BOTTOM}' fill='none' stroke='#888'/>"
        )
        middle = (self._top + self.height - BOTTOM) / 2
        words = (
            f"<text x='{LEFT}' y='20' font-size='14' font-weight='600'>{escape(self.title)}</text>"
            f"<text x='{(LEFT + self.width - RIGHT) / 2}' y='{self.height - 8}' font-size='12' "
            f"text-anchor='middle'>{escape(self.x_label)}</text>"
            f"<text transform='translate(15 {middle}) rotate(-90)' font-size='12' text-anchor='middle'>"
            f"{escape(self.y_label)}</text>"
        )
        clip = (
            f"<clipPath id='area'><rect x='{LEFT}' y='{self._top}' width='{self.width - LEFT - RIGHT}' "
            f"height='{self.height - self._top - BOTTOM}'/></clipPath>"
        )
        marks = f"<g clip-path='url(#area)'>{''.join(self._marks)}</g>"
        return page(self.width, self.height, [clip, *self._axes(), marks, frame, words, *self._legend])

    def _axes(self) -> list[str]:
        across = self.x_ticks or (months(*self.x) if self.dates else round_ticks(*self.x))
        up = self.y_ticks or round_ticks(*self.y)
        foot = self.height - BOTTOM
        grid = [f"<path d='M{self._x(x):.1f} {self._top}V{foot}' stroke='#e4e4e4'/>" for x, _ in across]
        grid += [f"<path d='M{LEFT} {self._y(y):.1f}H{self.width - RIGHT}' stroke='#e4e4e4'/>" for y, _ in up]
        texts = [
            f"<text x='{self._x(x):.1f}' y='{foot + 16}' font-size='11' text-anchor='middle'>{escape(text)}</text>"
            for x, text in across
        ]
        texts += [
            f"<text x='{LEFT - 6}' y='{self._y(y) + 4:.1f}' font-size='11' text-anchor='end'>{escape(text)}</text>"
            for y, text in up
        ]
        return [*grid, *texts]

    def _key(self, label: str, mark: str) -> None:
        if not label:
            return
        (x, y), wide = self._legend_at, 40 + round(6.2 * len(label))
        if x + wide > self.width:
            x, y = LEFT, y + _LEGEND_ROW
        text = f"<text x='23' y='4' font-size='11'>{escape(label)}</text>"
        self._legend.append(f"<g transform='translate({x} {y})'>{mark}{text}</g>")
        self._legend_at = (x + wide, y)

    def _x(self, value: float) -> float:
        low, high = self.x
        return LEFT + (value - low) / (high - low) * (self.width - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        low, high = self.y
        return self.height - BOTTOM - (value - low) / (high - low) * (self.height - self._top - BOTTOM)


def page(width: int, height: int, parts: Sequence[str]) -> Image:
    """An SVG of ``parts`` on white."""
    head = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}' "
    text = f"{head}{_FONT} fill='#222'><rect width='{width}' height='{height}' fill='#fff'/>{''.join(parts)}</svg>"
    return Image("image/svg+xml", text.encode())


def number_of(day: date | str) -> float:
    """Days since 1970: the x of a chart of dates."""
    return float(np.datetime64(str(day)[:10], "D").astype(int))


def months(low: float, high: float) -> list[tuple[float, str]]:
    """A tick on the first of each month; of each third where there are many."""
    first, last = (date(1970, 1, 1) + timedelta(days=round(value)) for value in (low, high))
    step = 1 if high - low < 500 else 3
    starts = [date(count // 12, count % 12 + 1, 1) for count in range(_months(first), _months(last) + 1)]
    shown = [day for day in starts if low <= number_of(day) <= high and (day.month - 1) % step == 0]
    return [(number_of(day), f"{day:%b %Y}" if day.month == 1 else f"{day:%b}") for day in shown]


def _months(day: date) -> int:
    """Months since year 0."""
    return day.year * 12 + day.month - 1


def round_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers within the range."""
    rough = (high - low) / _MOST_TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    values = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    return [(float(value), f"{value:.4g}") for value in values]


def span(*series: Numbers, margin: float = 0.06) -> tuple[float, float]:
    """A range that holds all finite values of ``series`` with a little room; (0, 1) when there is none."""
    values = np.concatenate([np.asarray(one, np.float64).ravel() for one in series])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    room = margin * (values.max() - values.min()) or 0.05
    return float(values.min() - room), float(values.max() + room)


def _finite(xs: Numbers, ys: Numbers) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True) if np.isfinite((x, y)).all()]
