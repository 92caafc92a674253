"""The camera's pictures: a meadow or field below, the second vegetation on a slope, hills, sky, and a time stamp."""

from __future__ import annotations

import io
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from satfusion_assets.sandbox.camera import SyntheticCamera, shot_colour
from satfusion_assets.sandbox.geometry import generator

WIDTH, HEIGHT = 480, 360
_FIELD_TOP: Final = 200
"""Rows below belong to the first region, which is what the one-day summaries are about."""
_HILLS: Final = np.array([84, 96, 104], np.float64)
_SNOWY: Final = np.array([205, 210, 218], np.float64)


def draw(camera: SyntheticCamera, day: date, stamp: str, infrared: bool) -> bytes:
    """A JPEG of the day; the mean colour of its lower part is the day's midday colour in the camera's summary."""
    rng = generator(camera.landscape.seed, camera.name, "picture", stamp)
    near, far = (camera.shot(roi, day) for roi in camera.rois)
    light = float(np.clip((camera.sun_at_noon(day) + 2) / 18, 0.12, 1.0))
    picture = _sky(camera.landscape.weather.sky(day).cover)
    _raise(picture, _ridge(_fixed(camera, "hills"), 62, 22), _HILLS * (1 - far.snow) + _SNOWY * far.snow)
    _raise(picture, _ridge(_fixed(camera, "slope"), 100, 10), np.array(shot_colour(far)) * 0.75)
    # Trees stand before the slope: narrow triangles in its colour, darker towards the trunk.
    trees = _fixed(camera, "trees")
    for foot, height in zip(trees.integers(0, WIDTH, 60), trees.integers(14, 42, 60), strict=True):
        _tree(picture, int(foot), int(height), np.array(shot_colour(far)) * float(trees.uniform(0.6, 1.0)))
    picture[:_FIELD_TOP] *= light
    picture[_FIELD_TOP:] = np.array(shot_colour(near))
    grain = _grain(rng)
    # The field's texture has zero mean, so its mean colour stays that of the summary.
    picture[_FIELD_TOP:] *= 1 + (grain - grain.mean())[..., None]
    if near.veiled:
        picture[:_FIELD_TOP] = 0.3 * picture[:_FIELD_TOP] + 0.7 * np.array([188, 190, 194])
    if infrared:
        picture = np.repeat(picture @ np.array([[0.3], [0.9], [0.1]]), 3, axis=2)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    text = f"{camera.name} - NetCam SC {'IR' if infrared else ''} - {stamp} - UTC{camera.utc_offset:+d}"
    ImageDraw.Draw(image).text((6, 4), text, fill=(255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _fixed(camera: SyntheticCamera, part: str) -> np.random.Generator:
    """What does not change from picture to picture."""
    return generator(camera.landscape.seed, camera.name, "scenery", part)


def _sky(cover: float) -> npt.NDArray[np.float64]:
    """The empty picture: from blue above to pale at the horizon, greyer with more cloud."""
    down = np.clip(np.linspace(0, 2.2, HEIGHT), 0, 1)[:, None, None]
    clear = (1 - down) * np.array([86, 140, 214]) + down * np.array([186, 208, 232])
    sky = clear * (1 - cover) + np.array([198, 201, 205]) * cover
    return np.array(np.broadcast_to(sky, (HEIGHT, WIDTH, 3)))


def _ridge(rng: np.random.Generator, top: int, swing: int) -> npt.NDArray[np.int64]:
    """Row of a skyline per column."""
    x = np.arange(WIDTH)
    waves = [np.sin(x / rng.uniform(*width) + rng.uniform(0, 6)) for width in ((60, 90), (25, 40), (8, 14))]
    return (top + swing * (waves[0] + 0.45 * waves[1] + 0.15 * waves[2])).astype(np.int64)


def _raise(picture: npt.NDArray[np.float64], ridge: npt.NDArray[np.int64], colour: npt.NDArray[np.float64]) -> None:
    """Fill everything below a skyline."""
    below = np.arange(HEIGHT)[:, None] >= ridge[None, :]
    picture[below] = colour


def _tree(picture: npt.NDArray[np.float64], foot: int, height: int, colour: npt.NDArray[np.float64]) -> None:
    for row in range(height):
        width = 1 + row // 4
        picture[_FIELD_TOP - height + row, max(0, foot - width) : foot + width] = colour * (1.05 - 0.3 * row / height)


def _grain(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Texture of the field, coarser towards the viewer."""
    rows = HEIGHT - _FIELD_TOP
    grain = np.zeros((rows, WIDTH))
    for size, begin in ((2, 0), (4, 50), (8, 100)):
        blocks = rng.normal(0, 0.08, (rows // size + 1, WIDTH // size + 1))
        grain[begin:] = blocks.repeat(size, axis=0).repeat(size, axis=1)[: rows - begin, :WIDTH]
    return grain
