"""Date maps of phenology: when each pixel turns green and back, on one scale of UTC days."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.pipeline.phenology.files import PhenologyLayout
from satfusion_assets.pipeline.pictures.charts import Image, page
from satfusion_assets.pipeline.pictures.palette import viridis
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.grid import FINE_M, site_grid
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason

SHOWN: Final = {"rising_50": "green-up, 50 % of the amplitude", "falling_50": "green-down, 50 % of the amplitude"}


SIDE: Final = 300


LEFT: Final = 12


COLOURS: Final = 32
"""Steps of the scale: enough to tell days apart, few enough to stay small."""


_PANEL: Final = SIDE + 110


def draw(store: Store, site: Site, view: View) -> Image | None:
    scenario, season = Scenario.parse(view.product.variant), view.product.site_season
    layout = PhenologyLayout(scenario)
    parts = [f"<text x='{LEFT}' y='20' font-size='14' font-weight='600'>{season.key}: {scenario.key}</text>"]
    for number, (transition, text) in enumerate(SHOWN.items()):
        days = view.read_raster(layout.dates(transition)).masked()[0]
        parts.append(f"<g transform='translate({LEFT + number * _PANEL} 46)'>{_map(days, text, site, season)}</g>")
    foot = f"grey = no date; circle = camera's field; {SIDE} px = {site_grid(site).fine.shape[1] * FINE_M} m"
    parts.append(f"<text x='{LEFT}' y='{SIDE + 66}' font-size='11'>{foot}</text>")
    return page(LEFT + len(SHOWN) * _PANEL, SIDE + 76, parts)


def _map(days: NDArray[Any], text: str, site: Site, season: SiteSeason) -> str:
    """One map with its scale, from the 2nd to the 98th percentile of its dates."""
    known = days[np.isfinite(days)]
    head = f"<text y='-8' font-size='12'>{text}: "
    if not known.size:
        return f"{head}no pixel has a date</text>"
    low, high = np.percentile(known, [2, 98])
    grid = site_grid(site).fine
    row, col = site_pixel(grid, site.latitude, site.longitude) or (-9, -9)
    at = f"cx='{(col + 0.5) / grid.shape[1] * SIDE:.1f}' cy='{(row + 0.5) / grid.shape[0] * SIDE:.1f}'"
    share = 100 * known.size / days.size
    scale = viridis(np.linspace(high, low, 64)[:, None], low, high)
    ticks = "".join(
        f"<text x='{SIDE + 30}' y='{(high - day) / max(high - low, 1e-9) * SIDE + 4:.1f}' font-size='11'>"
        f"{_day(season, day)}</text>"
        for day in np.linspace(low, high, 5)
    )
    return (
        f"{head}{share:.0f} % of pixels dated</text>{_embedded(viridis(days, low, high), 0, SIDE)}"
        f"{_embedded(scale, SIDE + 10, 14)}{ticks}"
        f"<circle {at} r='7' fill='none' stroke='#fff' stroke-width='3'/>"
        f"<circle {at} r='7' fill='none' stroke='#000' stroke-width='1.2'/>"
    )


def _day(season: SiteSeason, day_of_year: float) -> str:
    return f"{season.start + timedelta(days=round(float(day_of_year)) - 1):%-d %b}"


def _embedded(pixels: NDArray[np.uint8], x: int, width: int) -> str:
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(pixels).quantize(COLOURS).save(buffer, "PNG", optimize=True)
    content = base64.b64encode(buffer.getvalue()).decode()
    return (
        f"<image x='{x}' width='{width}' height='{SIDE}' preserveAspectRatio='none' "
        f"style='image-rendering:pixelated' href='data:image/png;base64,{content}'/>"
    )
