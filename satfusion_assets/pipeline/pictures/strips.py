"""Strips of dated images in true colour (GCC on a scale of its own), few enough to see a season at a glance."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.palette import true_colour, viridis
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.store import View
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.sites import Site

FRAMES: Final = 12


CANDIDATES: Final = 4
"""Raw scenes looked at for each frame: most are clouds."""


COLUMNS: Final = 6


SIDE: Final = 132
"""Pixels a side of a frame."""


_LABEL: Final = 16


_MARGIN: Final = 4


MOST_BYTES: Final = 30_000
"""A picture lies in the event log."""


_QUALITIES: Final = (85, 75, 65, 55, 45, 30, 15)


Frames = Mapping[str, NDArray[Any]]
"""Image (b, H, W) in physical units by what is written below it."""


def chosen(names: Sequence[str], count: int = FRAMES) -> list[str]:
    """Names spread evenly over a series of images in order of time."""
    every = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[number] for number in every]


def clearest(view: View, names: Sequence[str]) -> Frames:
    """Of a few scenes in each part of the series the one that is darkest in the blue where it has values."""
    candidates = chosen(names, FRAMES * CANDIDATES)
    parts = [candidates[start : start + CANDIDATES] for start in range(0, len(candidates), CANDIDATES)]
    return dict(min(frames(view, part).items(), key=lambda frame: _cloudiness(frame[1])) for part in parts)


def _cloudiness(image: NDArray[Any]) -> float:
    """Mean blue, a missing pixel being as bad as the brightest."""
    blue = image[0]
    return float(np.nan_to_num(blue, nan=np.nanmax(blue)).mean()) if np.isfinite(blue).any() else float("inf")


def frames(view: View, names: Sequence[str]) -> Frames:
    return labelled((name, view.read_raster(name).masked()) for name in names)


def labelled(images: Iterable[tuple[str, NDArray[Any]]]) -> Frames:
    """Images by what is written below each, from the names of their files."""
    return {_label(day_of(name)): image for name, image in images}


def _label(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def strip(title: str, frames: Frames, site: Site, *, scale: float = 1.0, hazy: bool = False) -> Image | None:
    """The frames in rows, the camera's field marked; None without a frame or a value.

    Reflectance in true colour; an index on one scale for all frames, the 2nd to 98th percentile of them.
    """
    values = {text: pixels * np.float32(scale) for text, pixels in frames.items()}
    known = [pixels[np.isfinite(pixels)] for pixels in values.values()]
    if not sum(map(len, known)):
        return None
    if next(iter(values.values())).shape[0] == 1:
        low, high = np.percentile(np.concatenate(known), [2, 98])
        title += f"; violet {low:.2f} to yellow {high:.2f}"
        painted = {text: viridis(pixels[0], low, high) for text, pixels in values.items()}
    else:
        painted = {text: true_colour(pixels, hazy=hazy) for text, pixels in values.items()}
    return _compressed(_pasted(title, painted, _field(site)))


def _field(site: Site) -> tuple[float, float]:
    """Where the camera's field lies in an image of the site's grid: fractions of its height and width."""
    grid = site_grid(site).fine
    row, col = site_pixel(grid, site.latitude, site.longitude) or (-1, -1)
    return (row + 0.5) / grid.shape[0], (col + 0.5) / grid.shape[1]


def _pasted(title: str, painted: Mapping[str, NDArray[np.uint8]], field: tuple[float, float]) -> Any:
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    columns, rows = min(COLUMNS, len(painted)), -(-len(painted) // COLUMNS)
    wide, tall = SIDE + _MARGIN, SIDE + _LABEL + _MARGIN
    sheet = Pillow.new("RGB", (max(columns, 4) * wide + _MARGIN, rows * tall + _LABEL + _MARGIN), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    pen.text((_MARGIN, 2), f"{title}; circle = camera's field", fill="black", font=font)
    for number, (text, pixels) in enumerate(painted.items()):
        left, top = _MARGIN + number % COLUMNS * wide, _LABEL + _MARGIN + number // COLUMNS * tall
        how = Pillow.Resampling.NEAREST if pixels.shape[0] < SIDE / 2 else Pillow.Resampling.BOX
        frame = Pillow.fromarray(pixels).resize((SIDE, SIDE), how)
        sheet.paste(frame, (left, top))
        pen.rectangle((left - 1, top - 1, left + SIDE, top + SIDE), outline="#999999")
        row, col = top + field[0] * SIDE, left + field[1] * SIDE
        pen.ellipse((col - 5, row - 5, col + 5, row + 5), outline="white", width=1)
        pen.ellipse((col - 6, row - 6, col + 6, row + 6), outline="black", width=1)
        pen.text((left, top + SIDE + 1), text, fill="black", font=font)
    return sheet


def _compressed(sheet: Any) -> Image:
    """As JPEG of the best quality that keeps to MOST_BYTES."""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= MOST_BYTES:
            break
    return Image("image/jpeg", buffer.getvalue())
