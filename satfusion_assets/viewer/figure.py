"""One day of a season as a figure for print: maps with scale bar and legend, and the season's curve, in millimetres.

Colours are those of the viewer's styles; ranges are fixed over dates and sensors. Vector formats keep text as text and
pixels as pixels. Equal orders give equal bytes, but for PDF.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np

from satfusion_assets.viewer.figure_order import MM, STYLES, FigureStyle, Format, Order

_TEXT_PT: Final = 7.0
"""Size that journals ask for in figures at print size (5 to 7 pt at least)."""
_CURVE_MM: Final = 42.0
_PANEL_LEAST_MM: Final = 42.0
_LAYOUT_DECIMALS: Final = 6
_DRAWING: Final = threading.Lock()
"""matplotlib's settings belong to the process."""
_SETTINGS: Final[Any] = {
    "font.size": _TEXT_PT,
    "axes.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "hatch.linewidth": 0.4,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "satfusion",
}
_MASKED_COLOUR: Final = (0.80, 0.86, 0.95)
_HATCH_COLOUR: Final = "0.55"


@dataclass(frozen=True)
class Panel:
    """One map. values: (h, w) of an index or band, or (h, w, 3) of reflectance, NaN = missing. masked: (h, w), where
    the sensor saw clouds, shadow or snow. extent: west, east, south, north in metres."""

    title: str
    values: np.ndarray
    masked: np.ndarray
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class DrawnCurve:
    """A series at the site: days, values with NaN, and its deviation where it has one."""

    label: str
    days: Sequence[date]
    values: np.ndarray
    mark: str
    colour: str
    deviation: np.ndarray | None = None


@dataclass(frozen=True)
class Contents:
    """All that a figure shows. box: west, east, south, north of every map. photo: title and RGB picture of the camera.
    notes: lines below it."""

    title: str
    panels: Sequence[Panel]
    box: tuple[float, float, float, float]
    curves: Sequence[DrawnCurve]
    quantity: str
    season: int
    photo: tuple[str, np.ndarray] | None = None
    notes: Sequence[str] = field(default=())


def draw(order: Order, contents: Contents) -> bytes:
    """The figure in the order's format."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _DRAWING, matplotlib.rc_context(_SETTINGS):
        columns, rows, maps_mm = _arranged(order, contents)
        curves_mm = _CURVE_MM + 3.0 * len(contents.notes)
        height_mm = maps_mm + curves_mm
        figure = Figure(figsize=(order.width_mm * MM, height_mm * MM), layout=_layout())
        FigureCanvasAgg(figure)
        parts: Any = figure.subfigures(2, 1, height_ratios=[maps_mm, curves_mm])
        maps, below = parts
        maps.suptitle(contents.title, fontsize=_TEXT_PT + 1, x=0.01, ha="left")
        _draw_maps(maps, order, contents, rows, columns)
        _draw_curves(below, order, contents)
        out = io.BytesIO()
        nothing: dict[Format, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        figure.savefig(out, format=order.format, dpi=order.dpi, metadata=nothing[order.format])
        return out.getvalue()


def _layout() -> Any:
    """Constrained layout to a millionth of the figure. Its solver takes terms in the order of their addresses, so that
    its last bits differ between equal figures, and with them the names of the SVG's clip paths."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    class Settled(ConstrainedLayoutEngine):
        def execute(self, fig: Any) -> Any:
            solved = super().execute(fig)
            for part in fig.subfigs:
                part.bbox_relative.set_points(part.bbox_relative.get_points().round(_LAYOUT_DECIMALS))
            for axes in fig.axes:
                place = axes.get_position(original=True)
                place.set_points(place.get_points().round(_LAYOUT_DECIMALS))
                axes.set_position(place, which="original")
            return solved

    return Settled()


def _arranged(order: Order, contents: Contents) -> tuple[int, int, float]:
    """Columns and rows of the maps, and the height of all in mm: as many beside each other as stay readable."""
    count = len(contents.panels) + (contents.photo is not None)
    columns = max(1, min(count, int(order.width_mm // _PANEL_LEAST_MM)))
    rows = max(1, math.ceil(count / columns))
    side = (order.width_mm - 4) / columns - 2
    legends = 5 * bool(_legend_of(contents)) + 12 * (not STYLES[order.style].is_colour)
    return columns, rows, rows * (side + 6) + legends + 12


def _draw_maps(figure: Any, order: Order, contents: Contents, rows: int, columns: int) -> None:
    style = STYLES[order.style]
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    shown = None
    for axis, panel in zip(axes, contents.panels, strict=False):
        shown = _draw_map(axis, panel, style, order.span or style.range, contents.box)
    used = len(contents.panels)
    if contents.photo is not None:
        axes[used].set_title(contents.photo[0], loc="left", fontsize=_TEXT_PT)
        axes[used].imshow(contents.photo[1], interpolation="antialiased")
        axes[used].axis("off")
        used += 1
    for axis in axes[used:]:
        axis.axis("off")
    if shown is not None and not style.is_colour:
        bar = figure.colorbar(shown, ax=list(axes), location="bottom", shrink=0.5, aspect=30, extend="both")
        bar.set_label(style.label)
    if patches := _legend_of(contents):
        figure.legend(handles=patches, loc="outside lower left", ncols=2, frameon=False)


def _draw_map(axis: Any, panel: Panel, style: FigureStyle, span: tuple[float, float], box: tuple[float, ...]) -> Any:
    from matplotlib.patches import Rectangle

    west, east, south, north = box
    low, high = span
    axis.set_title(panel.title, loc="left", fontsize=_TEXT_PT)
    background = Rectangle((west, south), east - west, north - south, hatch="////", fc="white", ec=_HATCH_COLOUR, lw=0)
    axis.add_patch(background)
    common = {"extent": panel.extent, "interpolation": "none", "origin": "upper"}
    axis.imshow(_overlay(panel.masked), zorder=2, **common)
    if style.is_colour:
        present = np.isfinite(panel.values).all(axis=-1)
        picture = np.clip((np.nan_to_num(panel.values) - low) / (high - low), 0, 1)
        shown = axis.imshow(np.dstack([picture, present]), zorder=3, **common)
    else:
        values = np.ma.masked_invalid(panel.values)
        shown = axis.imshow(values, cmap=_ramp(style.ramp), vmin=low, vmax=high, zorder=3, **common)
    axis.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], aspect="equal")
    _scale_bar(axis, box)
    return shown


def _ramp(name: str) -> Any:
    from cmcrameri import cm
    from matplotlib import colormaps

    return cm.cmaps[name.removeprefix("cmc.")] if name.startswith("cmc.") else colormaps[name]


def _overlay(masked: np.ndarray) -> np.ndarray:
    colours = np.zeros((*masked.shape, 4))
    colours[masked] = (*_MASKED_COLOUR, 1.0)
    return colours


def scale_bar_m(width_m: float) -> float:
    """A round length of about a quarter of the map: 1, 2 or 5 times a power of ten, metres."""
    power = 10 ** math.floor(math.log10(width_m / 4))
    return max(step * power for step in (1, 2, 5) if step * power <= width_m / 4)


def _scale_bar(axis: Any, box: tuple[float, ...]) -> None:
    from matplotlib.patheffects import withStroke

    west, east, south, north = box
    length = scale_bar_m(east - west)
    x, y = west + 0.05 * (east - west), south + 0.05 * (north - south)
    white = [withStroke(linewidth=2.2, foreground="white")]
    axis.plot([x, x + length], [y, y], color="black", lw=1.2, solid_capstyle="butt", path_effects=white, zorder=5)
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    behind = {"fc": "white", "alpha": 0.8, "lw": 0, "pad": 1}  # a stroke would turn the text into outlines
    axis.text(x, y + 0.025 * (north - south), words, va="bottom", bbox=behind, zorder=5)


def _legend_of(contents: Contents) -> list[Any]:
    """What has no colour of the scale, as far as the maps show it."""
    from matplotlib.patches import Patch

    inside = [_inside(panel, contents.box) for panel in contents.panels]
    patches = []
    if any(panel.masked[window].any() for panel, window in zip(contents.panels, inside, strict=True)):
        patches.append(Patch(fc=_MASKED_COLOUR, ec="none", label="masked: cloud, shadow or snow"))
    if any(
        (_missing(panel) & ~panel.masked)[window].any() for panel, window in zip(contents.panels, inside, strict=True)
    ):
        patches.append(Patch(fc="white", ec=_HATCH_COLOUR, hatch="////", lw=0, label="missing: no observation"))
    return patches


def _inside(panel: Panel, box: tuple[float, ...]) -> tuple[slice, slice]:
    """Rows and columns of a panel whose middles lie in the box that maps show."""
    west, east, south, north = panel.extent
    height, width = panel.masked.shape
    x = west + (np.arange(width) + 0.5) * (east - west) / width
    y = north - (np.arange(height) + 0.5) * (north - south) / height
    columns, rows = np.flatnonzero((x > box[0]) & (x < box[1])), np.flatnonzero((y > box[2]) & (y < box[3]))
    return _from_to(rows), _from_to(columns)


def _from_to(numbers: np.ndarray) -> slice:
    return slice(numbers[0], numbers[-1] + 1) if numbers.size else slice(0, 0)


def _missing(panel: Panel) -> np.ndarray:
    finite = np.isfinite(panel.values)
    return ~(finite if finite.ndim == 2 else finite.all(axis=-1))


def _draw_curves(figure: Any, order: Order, contents: Contents) -> None:
    from matplotlib.dates import DateFormatter, MonthLocator

    axis = figure.subplots()
    for curve in contents.curves:
        axis.plot(curve.days, curve.values, curve.mark, color=curve.colour, label=curve.label, ms=2.2, lw=0.9)
        if curve.deviation is not None:
            reach = 1.645 * curve.deviation
            axis.fill_between(
                curve.days, curve.values - reach, curve.values + reach, color=curve.colour, alpha=0.2, lw=0
            )
    axis.axvline(order.day, color="black", lw=0.7, ls=":")
    axis.set_xlim(date(contents.season, 1, 1), date(contents.season, 12, 31))
    axis.xaxis.set_major_locator(MonthLocator())  # type: ignore[no-untyped-call]
    axis.xaxis.set_major_formatter(DateFormatter("%b"))  # type: ignore[no-untyped-call]
    axis.set_xlabel(str(contents.season))
    axis.set_ylabel(contents.quantity)
    if contents.curves:
        figure.legend(loc="outside upper left", frameon=False, ncols=2 if order.width_mm < 120 else 4)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    if contents.notes:
        figure.supxlabel("\n".join(contents.notes), x=0.01, ha="left", fontsize=_TEXT_PT - 1.5)
