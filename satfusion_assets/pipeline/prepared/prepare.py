"""Stage: from raw scenes that a strategy kept to the images that the fusion takes, on the site's one grid."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.coarse_source import named
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.raw_s2.files import raw_scl
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.site_series import read_at_site, write_series
from satfusion_assets.screening.clouds import SCL_RATIO, scl_mask, site_cloud_distance, site_mask
from satfusion_assets.screening.composites import Composites, cloud_free, daily_composites, moving_average
from satfusion_assets.screening.preparation import MergedDay, PreparedScene, gcc_image, merge_scenes, reflectance
from satfusion_assets.screening.snow import SnowLooks, snow_share, snowy
from satfusion_assets.screening.transients import WINDOW_DAYS, distance_besides, transients, without_transients
from satfusion_assets.store import Draft, Store, View
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import NoData
from satfusion_assets.vocabulary.grid import CLOUD_DISTANCE_LIMIT, site_grid
from satfusion_assets.vocabulary.scenarios import BANDS, CHANNELS, Mode, Strategy
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.vocabulary.sources import Sensor

log = logging.getLogger(__name__)


def prepare(
    store: Store, site: Site, site_season: SiteSeason, strategy: Strategy, mode: Mode, *, smoothing_days: int
) -> Outcome:
    """Publish the prepared images of ``mode``: per day the merged Sentinel-2 image with its cloud distance, and the
    coarse composite; for ItB the GCC of either.

    Both modes start from the raw scenes: each is made whole from what it is said to be made from, without the other.
    """
    layout = PreparedLayout(strategy, mode)
    product = PREPARED[mode].of(site_season, strategy)
    with (
        store.read(RAW_S2.of(site_season)) as s2,
        store.read(RAW_S3.of(site_season)) as s3,
        store.read(PRESELECTED.of(site_season)) as screened,
    ):
        refuse_out_of_place(site, s2, s3)
        parameters = {"smoothing_days": smoothing_days} | named(s3)
        with publish(store, product, site=site, parameters=parameters, inputs=[s2, s3, screened]) as draft:
            usable = [day for day in fine_days(s2, kept_scenes(screened, "s2", strategy)) if day.valid_fraction > 0]
            fine = _write_fine_days(draft, layout, site, usable)
            overpasses = (
                _no_overpasses()
                if _alone(s3)
                else screened_overpasses(s3, kept_scenes(screened, "s3", strategy), snow_looks(s2))
            )
            coarse = []
            if len(overpasses.days):
                composites = moving_average(daily_composites(overpasses.values, overpasses.days), smoothing_days)
                coarse = _write_composites(draft, layout, site, composites)
            draft.write_json(layout.summary, {"s2": fine, "s3": coarse})
    assert draft.manifest is not None
    numbers = _numbers(fine, coarse) | {"s3_snow_fraction": round(overpasses.snow_fraction, 4)}
    log.info(
        "Prepared %d Sentinel-2 days (%.0f %% of their pixels clear) and %d Sentinel-3 days (%.0f %% of their pixels "
        "were snow) for the %s strategy.",
        len(fine),
        100 * (numbers["valid_fraction"] or 0),
        len(coarse),
        100 * overpasses.snow_fraction,
        strategy,
    )
    return Outcome(draft.manifest, numbers=numbers, tables={"s2_days": fine})


def _channels(reflectances: NDArray[np.float32], mode: Mode) -> NDArray[np.float32]:
    """What ``mode`` fuses of reflectance (..., b, H, W): all bands, or their GCC as one."""
    return gcc_image(reflectances).astype(np.float32) if mode is Mode.ITB else reflectances


def kept_scenes(screened: View, sensor: Sensor, strategy: Strategy) -> list[str]:
    """Names (``20240131_0``) of the raw scenes that ``strategy`` kept, in order of sensing."""
    records = screened.read_json(preselection(sensor, "json"))
    kept = [row["filename"] for row in records if not row[f"excluded_{strategy}"]]
    return [filename.removesuffix(".geotiff") for filename in kept]


@dataclass(frozen=True)
class Overpasses:
    """Kept Sentinel-3 overpasses, screened pixel by pixel.

    days: (n,) datetime64[D]. values: (n, 4, h, w), NaN = missing, cloud or snow. snow_fraction: part of the pixels left
    by the cloud screening that was snow.
    """

    days: NDArray[np.datetime64]
    values: NDArray[np.floating[Any]]
    snow_fraction: float


def screened_overpasses(s3: View, kept: list[str], looks: SnowLooks) -> Overpasses:
    """The kept overpasses without clouds and snow; NoData when none was kept."""
    if not kept:
        listed = len(s3.names("raw/s3/*.geotiff"))
        raise NoData(
            f"{s3.product.site_season.key}: the pre-selection kept none of {listed} Sentinel-3 overpasses; look at "
            f"raw/preselection/s3_preselection.json and widen the season or change the site."
        )
    names = [raw_scene("s3", scene) for scene in kept]
    values = np.stack([s3.read_raster(name).masked() for name in names])
    days = np.array([day_of(name) for name in names], dtype="datetime64[D]")
    clear = without_transients(cloud_free(values, days), days, WINDOW_DAYS["s3"])
    snow = snowy(clear, days, looks)
    left = np.isfinite(clear).any(axis=1)
    return Overpasses(
        days,
        values=np.where(snow[:, None], clear.dtype.type(np.nan), clear),
        snow_fraction=float((snow & left).sum() / max(left.sum(), 1)),
    )


def _alone(s3: View) -> bool:
    """Whether the season is to have no Sentinel-3."""
    return s3.manifest.parameters.get("product") == S3Product.NONE


def _no_overpasses() -> Overpasses:
    return Overpasses(np.empty(0, "datetime64[D]"), np.empty((0, len(BANDS), 0, 0), np.float32), 0.0)


def snow_looks(s2: View) -> SnowLooks:
    """What every raw scene, kept or not, says of snow at the site: a snowy scene is what pre-selection excludes."""
    rim = (CLOUD_DISTANCE_LIMIT - 1) * SCL_RATIO
    inner = (slice(rim, -rim), slice(rim, -rim))
    names = s2.names("raw/scl/*.geotiff")
    share = np.stack([snow_share(s2.read_raster(name).values[0][inner]) for name in names])
    return SnowLooks(np.array([day_of(name) for name in names], dtype="datetime64[D]"), share)


@dataclass(frozen=True)
class FineDay:
    """The Sentinel-2 image of a day, the scenes it was merged from, and the share of pixels screened in time."""

    day: date
    scenes: list[str]
    image: MergedDay
    transient_fraction: float

    @property
    def valid_fraction(self) -> float:
        """Part of the pixels with every band; 0 = nothing but clouds, which is no image rather than an empty one."""
        return float(np.isfinite(self.image.values).all(axis=0).mean())


def fine_days(s2: View, kept: list[str]) -> list[FineDay]:
    """The days of the kept Sentinel-2 scenes, each merged and then held against the days around it."""
    merged = [
        FineDay(day, names, merge_scenes([_prepared_scene(s2, name) for name in names]), 0.0)
        for day, names in ((day, list(scenes)) for day, scenes in groupby(kept, key=day_of))
    ]
    if not merged:
        return []
    days = np.array([item.day for item in merged], dtype="datetime64[D]")
    flagged = transients(np.stack([item.image.values for item in merged]), days, WINDOW_DAYS["s2"])
    return [_screened(item, passing) for item, passing in zip(merged, flagged, strict=True)]


def _screened(item: FineDay, passing: np.ndarray) -> FineDay:
    """passing: (H, W) pixels under a cloud or shadow that the classification missed."""
    image = replace(
        item.image,
        values=np.where(passing, np.float32(np.nan), item.image.values),
        cloud_distance=distance_besides(item.image.cloud_distance, passing),
    )
    return replace(item, image=image, transient_fraction=float(passing.mean()))


def _write_fine_days(draft: Draft, layout: PreparedLayout, site: Site, days: list[FineDay]) -> list[dict[str, Any]]:
    """Image and cloud distance of each day, and their series at the site; returns what is in each."""
    grid, names = site_grid(site), [layout.fine(item.day) for item in days]
    images = [_channels(item.image.values, layout.mode) for item in days]
    for item, name, image in zip(days, names, images, strict=True):
        draft.write_raster(
            name,
            image,
            grid.fine,
            nodata=np.nan,
            descriptions=CHANNELS[layout.mode],
            tags={"SCENES": " ".join(item.scenes)},
        )
        draft.write_raster(
            layout.cloud_distance(item.day),
            item.image.cloud_distance,
            grid.coarse,
            nodata=np.nan,
            descriptions=["distance to the nearest cloud in coarse pixels"],
        )
    series = read_at_site(images, [item.day for item in days], names, grid.fine, site)
    write_series(draft, layout.mode, lambda kind: layout.series(kind, "s2"), series)
    return [
        {
            "date": item.day.isoformat(),
            "scenes": item.scenes,
            "valid_fraction": round(item.valid_fraction, 4),
            "transient_fraction": round(item.transient_fraction, 4),
        }
        for item in days
    ]


def _prepared_scene(s2: View, scene: str) -> PreparedScene:
    wide = scl_mask(s2.read_raster(raw_scl(scene)).values[0])
    dn = s2.read_raster(raw_scene("s2", scene)).values
    return PreparedScene(values=reflectance(dn, site_mask(wide)), cloud_distance=site_cloud_distance(wide))


def _write_composites(draft: Draft, layout: PreparedLayout, site: Site, composites: Composites) -> list[dict[str, Any]]:
    """Every composite that has a pixel, and their series at the site; returns what is in each."""
    grid = site_grid(site)
    valid = np.isfinite(composites.values).all(axis=1).mean(axis=(1, 2))
    filled = np.flatnonzero(valid > 0)
    days: list[date] = [composites.days[index].item() for index in filled]
    names = [layout.coarse(day) for day in days]
    images = _channels(composites.values[filled], layout.mode)
    draft.write_stack(names, images, grid.coarse, band_names=CHANNELS[layout.mode])
    series = read_at_site(images, days, names, grid.coarse, site)
    write_series(draft, layout.mode, lambda kind: layout.series(kind, "s3"), series)
    return [
        {
            "date": day.isoformat(),
            "valid_fraction": round(float(valid[index]), 4),
            "mean_support": round(float(composites.support[index].mean()), 2),
        }
        for day, index in zip(days, filled, strict=True)
    ]


def _numbers(fine: list[dict[str, Any]], coarse: list[dict[str, Any]]) -> dict[str, int | float | None]:
    fractions = [row["valid_fraction"] for row in fine]
    return {
        "s2_days": len(fine),
        "s3_days": len(coarse),
        "valid_fraction": round(float(np.mean(fractions)), 4) if fractions else None,
    }
