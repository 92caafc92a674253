"""Stage: judge every raw scene of both sensors at the site, under both strategies."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.sampling.series import SiteSeries, number_or_null, sample_series
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.screening.preparation import DN_PER_REFLECTANCE
from satfusion_assets.screening.preselection import DARK_REFLECTANCE, Reason, Screening, screen
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.scenarios import SERIES_BANDS, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.vocabulary.sources import SENSORS, Sensor

log = logging.getLogger(__name__)

UNITS: Final[dict[Sensor, float]] = {"s2": DN_PER_REFLECTANCE, "s3": 1.0}
"""Stored value of reflectance 1: raw Sentinel-2 is in digital numbers."""


@dataclass(frozen=True)
class ScreenedSensor:
    """One sensor's scenes: what the window says of each, and each strategy's verdict."""

    series: SiteSeries
    verdicts: dict[Strategy, Screening]

    def records(self) -> list[dict[str, Any]]:
        """The contract's rows, with the index and the reasons beside them."""
        return [self._record(number) for number in range(len(self.series.samples))]

    def _record(self, number: int) -> dict[str, Any]:
        sample = self.series.samples[number]
        bands = zip(SERIES_BANDS, sample.bands, strict=True)
        reasons = {strategy: verdict.reasons[number] for strategy, verdict in self.verdicts.items()}
        return {
            "filename": self.series.filenames[number],
            "date": f"{self.series.days[number]}T00:00:00",
            "ndvi": number_or_null(sample.ndvi),
            **{band: number_or_null(value) for band, value in bands},
            **{f"excluded_{strategy}": reason is not None for strategy, reason in reasons.items()},
            "greenness_index": number_or_null(sample.gcc),
            **{f"reason_{strategy}": str(reason) if reason else None for strategy, reason in reasons.items()},
        }


def preselect(store: Store, site: Site, site_season: SiteSeason) -> Outcome:
    """Publish ``preselected``: ``raw/preselection/{s2,s3}_preselection.{json,csv}``."""
    with (
        store.read(RAW_S2.of(site_season)) as s2,
        store.read(RAW_S3.of(site_season)) as s3,
    ):
        refuse_out_of_place(site, s2, s3)
        judged = {sensor: judge(view, site, sensor) for sensor, view in zip(SENSORS, (s2, s3), strict=True)}
        with publish(store, PRESELECTED.of(site_season), site=site, inputs=[s2, s3]) as draft:
            for sensor, result in judged.items():
                records = result.records()
                draft.write_json(preselection(sensor, "json"), records)
                draft.write_csv(preselection(sensor, "csv"), records)
    assert draft.manifest is not None
    days = np.concatenate([result.series.days for result in judged.values()])
    notes = {"first_day": str(days.min()), "last_day": str(days.max())} if days.size else {}
    return Outcome(draft.manifest, numbers=_numbers(judged), notes=notes, tables={"scenes": _summary(judged)})


def judge(view: View, site: Site, sensor: Sensor) -> ScreenedSensor:
    """Read the window of every raw scene in ``view`` and screen them under every strategy."""
    names = view.names(f"raw/{sensor}/*.geotiff")
    images, days = [], []
    row_col: tuple[int, int] | None = None
    for name in names:
        raster = view.read_raster(name)
        row_col = row_col or site_pixel(raster.geobox, site.latitude, site.longitude)
        images.append(raster.masked())
        days.append(np.datetime64(day_of(name), "D"))
    row, col = row_col or (0, 0)
    filenames = [name.rsplit("/", 1)[-1] for name in names]
    series = sample_series(images, np.array(days, dtype="datetime64[D]"), filenames, row, col)
    ndvi = [sample.ndvi for sample in series.samples]
    blue = [sample.bands[0] for sample in series.samples]
    dark = DARK_REFLECTANCE * UNITS[sensor]
    verdicts = {strategy: screen(series.days, ndvi, blue, strategy, dark=dark) for strategy in Strategy}
    for strategy, verdict in verdicts.items():
        reasons = ", ".join(f"{verdict.count(reason)} {reason}" for reason in Reason)
        log.info("%s, %s: %d of %d scenes kept (out: %s).", sensor, strategy, sum(verdict.kept), len(names), reasons)
    return ScreenedSensor(series, verdicts)


def _numbers(judged: dict[Sensor, ScreenedSensor]) -> dict[str, int | float | None]:
    numbers: dict[str, int | float | None] = {}
    for sensor, result in judged.items():
        numbers[f"{sensor}_scenes"] = len(result.series.samples)
        for strategy, verdict in result.verdicts.items():
            numbers[f"{sensor}_kept_{strategy}"] = sum(verdict.kept)
            numbers[f"{sensor}_share_kept_{strategy}"] = round(sum(verdict.kept) / max(len(verdict.kept), 1), 4)
    return numbers


def _summary(judged: dict[Sensor, ScreenedSensor]) -> list[dict[str, Any]]:
    return [
        {"sensor": sensor, "strategy": str(strategy), "scenes": len(verdict.reasons), "kept": sum(verdict.kept)}
        | {str(reason): verdict.count(reason) for reason in Reason}
        for sensor, result in judged.items()
        for strategy, verdict in result.verdicts.items()
    ]
