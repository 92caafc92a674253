"""The camera's pictures: a meadow or field below, the second vegetation on a slope, hills, sky, and a time stamp."""

from __future__ import annotations

import io
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from satfusion_assets.sandbox.camera import Camera, Roi
from satfusion_assets.sandbox.geometry import generator

WIDTH, HEIGHT = 480, 360
_FIELD_TOP: Final = 200
"""Rows below belong to the first region, which is what the one-day summaries are about."""
_SLOPE: Final = (110, 200)
_HILLS: Final = np.array([84, 96, 104], np.float64)
_SNOWY: Final = np.array([205, 210, 218], np.float64)


def draw(camera: Camera, day: date, stamp: str, infrared: bool) -> bytes:
    """A JPEG of the day; the mean colour of its lower part is the day's colour in the camera's summary."""
    rng = generator(camera.landscape.seed, camera.name, "picture", stamp)
    sky = camera.landscape.weather.sky(day)
    near, far = (camera.shot(roi, day) for roi in camera.rois)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float64)
    light = float(np.clip((camera.sun_at_noon(day) + 2) / 18, 0.12, 1.0))
    picture[: _SLOPE[0]] = _sky(sky.cover)[:, None, :]
    picture[_SLOPE[0] - 35 : _SLOPE[0]] = _HILLS * (1 - far.snow) + _SNOWY * far.snow
    ridge = (18 * np.sin(np.arange(WIDTH) / 55.0) + 10 * np.sin(np.arange(WIDTH) / 19.0)).astype(int)
    for column, shift in enumerate(ridge):
        picture[: max(0, _SLOPE[0] - 18 + shift - 8), column] = _sky(sky.cover)[: max(0, _SLOPE[0] - 18 + shift - 8)]
    picture[_SLOPE[0] : _SLOPE[1]] = _colour(camera, camera.rois[1], day) * 0.8
    picture[_FIELD_TOP:] = _colour(camera, camera.rois[0], day)
    # Texture has zero mean, so a region's mean colour stays that of the summary.
    grain = rng.normal(0, 1, (HEIGHT // 3, WIDTH // 3)).repeat(3, axis=0).repeat(3, axis=1)
    for top, bottom in (_SLOPE, (_FIELD_TOP, HEIGHT)):
        part = grain[top:bottom]
        picture[top:bottom] *= 1 + 0.10 * (part - part.mean())[..., None]
    picture[:_FIELD_TOP] *= light
    if near.outlier:
        picture = 0.45 * picture + 0.55 * np.array([188, 190, 194])
    if infrared:
        picture = np.repeat(picture @ np.array([[0.3], [0.9], [0.1]]), 3, axis=2)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    text = f"{camera.name} - NetCam SC {'IR' if infrared else ''} - {stamp} - UTC{camera.utc_offset:+d}"
    ImageDraw.Draw(image).text((6, 4), text, fill=(255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _sky(cover: float) -> npt.NDArray[np.float64]:
    """(rows, 3): from blue above to pale at the horizon, greyer with more cloud."""
    down = np.linspace(0, 1, _SLOPE[0])[:, None]
    clear = (1 - down) * np.array([86, 140, 214]) + down * np.array([186, 208, 232])
    return clear * (1 - cover) + np.array([198, 201, 205]) * cover


def _colour(camera: Camera, roi: Roi, day: date) -> npt.NDArray[np.float64]:
    """Mean colour of a region in digital numbers."""
    shot = camera.shot(roi, day)
    return shot.brightness * np.array([shot.rcc, shot.gcc, 1 - shot.rcc - shot.gcc])
