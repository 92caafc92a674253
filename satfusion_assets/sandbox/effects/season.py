"""What a season does beside one rise and one decline: drought, frost, a second flush, colours, wet soil."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from satfusion_assets.sandbox.effects import Effects
from satfusion_assets.sandbox.geometry import FloatArray, generator
from satfusion_assets.sandbox.season import Calendar, logistic
from satfusion_assets.sandbox.signatures import Cover

DROUGHT_CHANCE: Final = 0.3
"""Part of the years; Europe saw 2003, 2015, 2018, 2019 and 2020 within two decades (Rakovec et al. 2022, Earth's
Future 10, e2021EF002394)."""
DROUGHT_LOSS: Final = {Cover.GRASS: 0.5, Cover.CROP: 0.3, Cover.BROADLEAF: 0.15, Cover.WETLAND: 0.15}
"""Share of greenness lost at the height: productivity fell by 30 % in 2003 (Ciais et al. 2005, Nature 437, 529-533);
that grass loses more and trees less than that is an assumption."""
FROST_CHANCE: Final = 0.3
FROST_LOSS: Final = {Cover.BROADLEAF: 0.4, Cover.CROP: 0.15}
"""Share of young leaves lost, which come again within weeks (Hufkens et al. 2012, Glob. Change Biol. 18, 2365-2377)."""
FROST_RECOVERY: Final = 20.0
"""Days after which half is back: full canopy came 7 to 34 days later after the frost of 2010 (Hufkens et al. 2012)."""
FLUSH: Final = {Cover.CROP: 0.45, Cover.BROADLEAF: 0.08}
"""Greenness that a second flush adds, of a full canopy: half a canopy of catch crop, and the Lammas growth of trees.
An assumption: no share of a landscape is published."""
FLUSH_SHARE: Final = 0.4
"""Part of the patches that flush again: an assumption."""
AUTUMN: Final = {"coastal": 0.026, "blue": 0.032, "green": 0.062, "red": 0.140}
"""Reflectance of a broadleaf canopy in full colour: yellow and red leaves reflect the red four to five times as much
as green ones (Gitelson and Merzlyak 1994, J. Photochem. Photobiol. B 22, 247-252)."""
COLOUR_LEAD: Final = 14.0
"""Days by which leaves turn before they fall: about two weeks, an assumption."""
SOIL_DARKENING: Final = 0.35
"""Share by which a soaked soil is darker than a dry one: reflectance falls by a third to a half (Lobell and Asner 2002,
Soil Sci. Soc. Am. J. 66, 722-727)."""


@dataclass(frozen=True)
class YearEvents:
    """What befalls one site in one year, in days after 1 January; None = nothing.

    drought, frost: its middle, its day. flush: by patch, whether a second flush comes.
    """

    drought: float | None
    frost: float | None
    flushing: np.ndarray


def year_events(effects: Effects, seed: int, site: str, year: int, spring: float, patches: int) -> YearEvents:
    """The events of a year. spring: day at which grass is half green (day after 1 January)."""
    drought = generator(seed, site, "drought", year)
    frost = generator(seed, site, "frost", year)
    flush = generator(seed, site, "flush", year)
    dry, cold = drought.random() < DROUGHT_CHANCE, frost.random() < FROST_CHANCE
    return YearEvents(
        float(spring + drought.uniform(85, 120)) if effects.drought and dry else None,
        float(spring + frost.uniform(16, 24)) if effects.late_frost and cold else None,
        flush.random(patches) < FLUSH_SHARE if effects.second_flush else np.zeros(patches, bool),
    )


def kept(events: YearEvents, cover: Cover, now: float) -> float:
    """Share of a cover's greenness that drought and frost leave on day ``now`` after 1 January."""
    share = 1.0
    if events.drought is not None:
        # Comes within a month, goes within two: soils dry faster than they fill.
        width = 18.0 if now < events.drought else 30.0
        share *= 1 - DROUGHT_LOSS.get(cover, 0.0) * float(np.exp(-0.5 * ((now - events.drought) / width) ** 2))
    if events.frost is not None and now >= events.frost:
        gone = 1 - float(logistic(np.float32((now - events.frost - FROST_RECOVERY) / 4)))  # type: ignore[arg-type]
        share *= 1 - FROST_LOSS.get(cover, 0.0) * gone
    return share


def flush(calendar: Calendar, cover: Cover, now: float, fall: FloatArray, flushing: np.ndarray) -> FloatArray:
    """(cells,): greenness that a second flush adds. fall: day of half decline; flushing: whether the cell's patch does.

    A catch crop is up five weeks after the harvest and gone in winter; trees flush in mid-summer.
    """
    size = np.float32(FLUSH.get(cover, 0.0))
    start = fall + 35 if cover is Cover.CROP else np.full_like(fall, (calendar.cycle.rise + calendar.cycle.fall) / 2)
    length = 75 if cover is Cover.CROP else 40
    up = logistic((np.float32(now) - start) / np.float32(7))
    down = logistic((np.float32(now) - start - np.float32(length)) / np.float32(9))
    return size * up * (1 - down) * flushing.astype(np.float32)


def coloured(cover: Cover, bands: tuple[str, ...], senescent: FloatArray) -> FloatArray:
    """(bands,): the senescent reflectance of a broadleaf canopy in its autumn colours; of other covers as it was."""
    if cover is not Cover.BROADLEAF:
        return senescent
    return np.array([AUTUMN.get(band, old) for band, old in zip(bands, senescent.tolist(), strict=True)], np.float32)


def soil_factor(wetness: float, leaf: FloatArray, share: FloatArray) -> FloatArray:
    """(cells,): brightness of ground whose soil shows through. wetness: 0 dry ... 1 soaked. share: of each cell."""
    return 1 - np.float32(SOIL_DARKENING * wetness) * share * (1 - np.clip(leaf, 0, 1))
