"""Time series at the site: what a stack of images says in the window under the camera, and its JSON records.

``DailySeries`` (one number a day) is what everything that scores or smooths takes and returns; ``SiteSeries`` is one
source's whole reading of the site (indices and bands), from which the contract's records are made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from satfusion_assets.sampling.window import WindowSample, sample_gcc_window, sample_windows
from satfusion_assets.vocabulary.scenarios import SERIES_BANDS

Days = npt.NDArray[np.datetime64]
"""datetime64[D]."""


@dataclass(frozen=True)
class DailySeries:
    """One finite value per day, days ascending and unique.

    days: (n,) datetime64[D]. values: (n,) float64. Missing days are absent, never NaN.
    """

    days: Days
    values: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.days) != len(self.values):
            raise ValueError(f"a series has one value per day; got {len(self.days)} days and {len(self.values)} values")

    @classmethod
    def of(
        cls,
        days: Iterable[Any],
        values: Iterable[float | None],
        keep: Literal["first", "last"] = "first",
    ) -> DailySeries:
        """From loose dates (ISO text, date, datetime64) and values; missing values are dropped.

        keep: which value stands when a day comes twice, in the order given.
        """
        known: dict[np.datetime64, float] = {}
        for day, value in zip(days, values, strict=True):
            if value is None or not math.isfinite(value):
                continue
            key = np.datetime64(day, "D")
            if keep == "last" or key not in known:
                known[key] = float(value)
        order = sorted(known)
        return cls(np.array(order, dtype="datetime64[D]"), np.array([known[day] for day in order], dtype=np.float64))

    def __len__(self) -> int:
        return len(self.days)

    def between(self, start: date, end: date) -> DailySeries:
        """The part from ``start`` to ``end``, both included."""
        inside = (self.days >= np.datetime64(start, "D")) & (self.days <= np.datetime64(end, "D"))
        return DailySeries(self.days[inside], self.values[inside])

    def on(self, days: Days) -> npt.NDArray[np.float64]:
        """Values on ``days``, NaN where this series has none."""
        values = np.full(len(days), np.nan)
        if len(self):
            at = np.searchsorted(self.days, days).clip(max=len(self) - 1)
            found = self.days[at] == days
            values[found] = self.values[at[found]]
        return values


@dataclass(frozen=True)
class SiteSeries:
    """What one source says in the 3x3 window at the site, image by image.

    filenames: one per image. samples: the window's reading of each image, in the same order. Index-then-Blend
    sources hold only GCC: their samples have NaN in NDVI and bands.
    """

    days: Days
    filenames: tuple[str, ...]
    samples: tuple[WindowSample, ...]

    @property
    def gcc(self) -> DailySeries:
        return DailySeries.of(self.days, (sample.gcc for sample in self.samples))

    @property
    def ndvi(self) -> DailySeries:
        return DailySeries.of(self.days, (sample.ndvi for sample in self.samples))

    def keep(self, kept: Sequence[bool]) -> SiteSeries:
        """The images whose flag in ``kept`` is true."""
        chosen = [number for number, flag in enumerate(kept) if flag]
        return SiteSeries(
            self.days[chosen],
            tuple(self.filenames[number] for number in chosen),
            tuple(self.samples[number] for number in chosen),
        )


def sample_series(
    images: Iterable[npt.NDArray[Any]], days: Days, filenames: Sequence[str], row: int, col: int
) -> SiteSeries:
    """Read the site's window from each image.

    images: each (4, H, W) reflectance in band order blue, green, red, nir, or (1, H, W) GCC. row, col: pixel of the
    site. ``days`` and ``filenames`` name the images in the same order.
    """
    samples = tuple(_samples(list(images), row, col))
    if not len(samples) == len(days) == len(filenames):
        raise ValueError(f"images, days and filenames differ in length: {len(samples)}, {len(days)}, {len(filenames)}")
    return SiteSeries(np.asarray(days, dtype="datetime64[D]"), tuple(filenames), samples)


def _samples(images: Sequence[npt.NDArray[Any]], row: int, col: int) -> list[WindowSample]:
    if len(images) and len(images[0]) == 1:
        return [WindowSample.of_gcc(sample_gcc_window(image[0], row, col)) for image in images]
    return sample_windows(images, row, col)


def index_records(series: SiteSeries, index: Literal["ndvi", "greenness_index"]) -> list[dict[str, Any]]:
    """``ndvi|gcc/{source}/timeseries.json``: date, filename and one index per image (null = no value)."""
    value = attrgetter({"ndvi": "ndvi", "greenness_index": "gcc"}[index])
    return [{**_head(series, n), index: number_or_null(value(sample))} for n, sample in enumerate(series.samples)]


def band_records(series: SiteSeries) -> list[dict[str, Any]]:
    """``bands/{source}/timeseries.json``: date, filename and mean reflectance of each band (null = no value)."""
    return [{**_head(series, n), **_bands(sample)} for n, sample in enumerate(series.samples)]


def export_records(series: SiteSeries) -> list[dict[str, Any]]:
    """``export/{source}/timeseries.json``: one record per day with both indices and all bands."""
    order = np.argsort(series.days, kind="stable")
    return [
        {
            **_head(series, n),
            "ndvi": number_or_null(series.samples[n].ndvi),
            "greenness_index": number_or_null(series.samples[n].gcc),
            **_bands(series.samples[n]),
        }
        for n in order.tolist()
    ]


def read_series(records: Iterable[Mapping[str, Any]], field: str = "greenness_index") -> DailySeries:
    """A daily series from the contract's records."""
    rows = list(records)
    return DailySeries.of((row["date"] for row in rows), (row.get(field) for row in rows))


def number_or_null(value: float) -> float | None:
    """JSON has no NaN: a missing number is null."""
    return float(value) if math.isfinite(value) else None


def _head(series: SiteSeries, n: int) -> dict[str, Any]:
    return {"date": f"{series.days[n]}T00:00:00", "filename": series.filenames[n]}


def _bands(sample: WindowSample) -> dict[str, float | None]:
    return {name: number_or_null(value) for name, value in zip(SERIES_BANDS, sample.positive_bands, strict=True)}
