"""Sentinel-3: one batch job per quarter, its NetCDF cached, every overpass on the coarse grid, ``raw_s3`` published."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from satfusion_assets.archives.common_metadata import said_of_source
from satfusion_assets.archives.copernicus import (
    CUBE_PRODUCTS,
    BackEnd,
    Credentials,
    CubeProduct,
    CubeRequest,
    DroppedStep,
    JobLedger,
    JobResult,
    Overpass,
    overpasses_on_grid,
    quarterly_requests,
    read_cube,
    run_requests,
)
from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.retry import RetryPolicy
from satfusion_assets.pipeline.acquisition.cache import FetchCache
from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.acquisition.report import Progress, SetAside, log_progress
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.raw_s3.files import S3_OVERPASSES
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.raw_s3.quarters import Quarter, Quarters
from satfusion_assets.pipeline.sources import SOURCES, stated
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, NoData
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.scenarios import S3_BANDS
from satfusion_assets.vocabulary.settings import S3Product, Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason

log = logging.getLogger(__name__)

LEAST_QUARTERS: Final = 0.5
"""Share of the quarters asked for that has to come; with fewer the season ends with what went wrong."""
_DESCRIPTION: Final = ".description"
_UNREADABLE: Final = "unreadable"


def acquire_sentinel3(
    site: Site,
    season: SiteSeason,
    store: Store,
    settings: Settings,
    progress: Progress = log_progress,
    *,
    today: date | None = None,
    again: bool = False,
) -> Outcome:
    """Fetch the overpasses of ``season`` with its margins, as far as they have happened, and publish ``raw_s3``.

    A quarter of which nothing comes is left out and named, unless the published product has it. today: the last day to
    ask for; None = the clock's. again: ask for every quarter again, cached or under way. Raises CredentialsMissing,
    CredentialsRejected, ArchiveUnavailable (jobs under way are taken up by the next run), ArchiveAnswerInvalid, NoData,
    StoreFull; the published product is replaced whole or stays as it was.
    """
    if settings.s3_product is S3Product.NONE:
        return _publish_none(store, site, season)
    now = today or datetime.now(UTC).date()
    grid = site_grid(site)
    product = CUBE_PRODUCTS[settings.s3_product]
    requests = quarterly_requests(product, grid, season.raw_start, min(season.raw_end, now))
    if not requests:
        raise NoData(f"The season of {season.key} has not begun yet; acquire it later.")
    cache = FetchCache(store.kept(season, "s3"), again=again)
    asking = _Asking(cache, settings, now, again)
    quarters = Quarters(cache, asking.ask, now, site.latitude)
    fetched = quarters.fetch(requests, progress)
    _refuse_holes(season, quarters.holes(fetched))
    _refuse_too_little(fetched)
    _refuse_losses(store, season, product, fetched)
    outcome = _publish(store, site, season, product, grid, fetched, quarters, asking)
    cache.keep_only({request.key for request in requests} | {product.collection})
    return outcome


def check_sentinel3_credentials(
    site: Site, season: SiteSeason, store: Store, settings: Settings, *, today: date, again: bool = False
) -> None:
    """Sign in where ``acquire_sentinel3`` would have to; nothing where all it needs is kept.

    Raises CredentialsMissing, CredentialsRejected. An archive that is down is left to the acquisition, which waits.
    """
    if settings.s3_product is S3Product.NONE:
        return
    requests = quarterly_requests(
        CUBE_PRODUCTS[settings.s3_product], site_grid(site), season.raw_start, min(season.raw_end, today)
    )
    cache = FetchCache(store.kept(season, "s3"), again=again)
    if Quarters(cache, _Asking(cache, settings, today, again).ask, today, site.latitude).has_all(requests):
        return
    with suppress(ArchiveUnavailable, ArchiveAnswerInvalid):
        BackEnd(settings.openeo_url, Credentials.of(settings), replace(RetryPolicy.of(settings), attempts=1))


class _Asking:
    """The back-end, signed in to when it is needed."""

    def __init__(self, cache: FetchCache, settings: Settings, now: date, again: bool) -> None:
        self._cache = cache
        self._settings = settings
        self._now = now
        self._again = again
        self._back_end: BackEnd | None = None

    def ask(self, requests: list[CubeRequest]) -> Iterator[JobResult]:
        """Results of ``requests``, as their jobs finish."""
        policy = RetryPolicy.of(self._settings)
        ledger = JobLedger(self._cache.folder / "jobs.json", self._now, self._cache.files.saved)
        if self._back_end is None:
            self._back_end = BackEnd(self._settings.openeo_url, Credentials.of(self._settings), policy)
            collection = requests[0].product.collection
            self._cache.put(collection, {_DESCRIPTION: _json(self._back_end.describe(collection))}, {})
            for request in requests if self._again else ():
                ledger.forget(request)
        with HttpArchive("Copernicus openEO", policy) as files:
            yield from run_requests(
                self._back_end,
                files,
                requests,
                ledger,
                lambda content, request: read_cube(content, request, f"The result for {request.title}"),
                poll_s=self._settings.openeo_poll_s,
                give_up_s=self._settings.openeo_job_hours * 3600,
            )

    def description(self, product: CubeProduct) -> bytes:
        """The back-end's description of the collection when it was last asked."""
        entry = self._cache.kept(product.collection)
        return entry.paths[_DESCRIPTION].read_bytes() if entry else b"{}"


def _refuse_holes(season: SiteSeason, holes: Sequence[Quarter]) -> None:
    """An archive with data before and after a quarter has some within it; without them a season would look whole."""
    if not holes:
        return
    first = holes[0].request
    raise ArchiveAnswerInvalid(
        f"Copernicus openEO says that it has no {first.product.collection} data of {season.site} from {first.start} to "
        f"{first.end}, between quarters with data (asked on {', '.join(holes[0].asked)}); run this again in some days, "
        f"everything else is kept."
    )


def _refuse_too_little(quarters: Sequence[Quarter]) -> None:
    """What went wrong first, when too few quarters came to make a season of them."""
    troubles = [quarter.trouble for quarter in quarters if quarter.cube is None and quarter.trouble is not None]
    came = sum(quarter.cube is not None for quarter in quarters)
    if troubles and came < LEAST_QUARTERS * (came + len(troubles)):
        raise troubles[0]


def _refuse_losses(store: Store, season: SiteSeason, product: CubeProduct, quarters: Sequence[Quarter]) -> None:
    """A published season is not replaced by one that lacks a quarter of it."""
    manifest = store.manifest(RAW_S3.of(season))
    if manifest is None or manifest.parameters.get("product") != str(product.product):
        return
    days = {day_of(name) for name in manifest.files if name.endswith(".geotiff")}
    have = {quarter.request.start for quarter in quarters if quarter.cube is not None}
    for quarter in quarters:
        start, end = quarter.request.start, quarter.request.end
        if start in have or not any(start <= day <= end for day in days):
            continue
        raise quarter.trouble or ArchiveAnswerInvalid(
            f"Copernicus openEO says that it has no {product.collection} data of {season.site} from {start} to {end}, "
            f"which the published season has; that stays as it is, run this again in some days."
        )


def _publish_none(store: Store, site: Site, season: SiteSeason) -> Outcome:
    """The product of a season that is to have no Sentinel-3: it says so, and holds nothing."""
    parameters = dict.fromkeys(("product", "quantity", "collection"), str(S3Product.NONE))
    with publish(store, RAW_S3.of(season), site=site, parameters=parameters) as draft:
        draft.write_json(S3_OVERPASSES, parameters | {"quarters": [], "overpasses": [], "set_aside": []})
    assert draft.manifest is not None, "a published draft has its manifest"
    log.info("%s is made from Sentinel-2 alone, as SATFUSION_S3_PRODUCT says.", season.key)
    return Outcome(draft.manifest, numbers={"overpasses": 0}, notes=parameters)


def _publish(
    store: Store,
    site: Site,
    season: SiteSeason,
    product: CubeProduct,
    grid: SiteGrid,
    quarters: Sequence[Quarter],
    fetched: Quarters,
    asking: _Asking,
) -> Outcome:
    overpasses, dropped = overpasses_on_grid([one.cube for one in quarters if one.cube is not None], grid)
    if not overpasses:
        raise NoData(
            f"Copernicus has no {product.collection} data of {season.site} from {quarters[0].request.start} to "
            f"{quarters[-1].request.end}; check the site's position and season."
        )
    set_aside = [*map(_lost_quarter, (one for one in quarters if one.trouble)), *map(_lost_step, dropped)]
    parameters = {"product": str(product.product), "quantity": product.quantity, "collection": product.collection}
    record: dict[str, Any] = parameters | {
        "quarters": [_quarter_record(one) for one in quarters],
        "overpasses": [_overpass_record(one) for one in overpasses],
        "set_aside": [asdict(one) for one in set_aside],
    }
    tags = {"COLLECTION": product.collection, "QUANTITY": product.quantity, "PRODUCT": str(product.product)}
    description = asking.description(product)
    said = said_of_source(json.loads(description))
    sources = {SOURCES: stated(product.collection, said["providers"], said["licence"])}
    with publish(store, RAW_S3.of(season), site=site, parameters=parameters | sources) as draft:
        for one in overpasses:
            draft.write_raster(
                raw_scene("s3", one.name),
                one.values,
                grid.coarse,
                nodata=float("nan"),
                descriptions=S3_BANDS,
                tags=tags | {"SENSING_TIME": one.time.isoformat()},
            )
        draft.write_json(S3_OVERPASSES, record)
        draft.write_bytes("raw/s3/collection.json", description)
    assert draft.manifest is not None, "a published draft has its manifest"
    return Outcome(
        draft.manifest,
        numbers={
            "overpasses": len(overpasses),
            "days": len({one.time.date() for one in overpasses}),
            "valid_fraction": round(
                float(np.mean([np.isfinite(one.values).all(axis=0).mean() for one in overpasses])), 4
            ),
            "set_aside": len(set_aside),
            "empty_quarters": sum(one.empty for one in quarters),
            "missing_quarters": sum(one.cube is None and one.trouble is not None for one in quarters),
            "cloudy_pixels": sum(one.cloudy for one in overpasses),
            "impossible_values": sum(one.impossible for one in overpasses),
            "jobs_in_this_run": fetched.fetched,
            "bytes_read": fetched.bytes_read,
        },
        notes=parameters,
        tables={
            "quarters": [_quarter_row(one) for one in quarters],
            "set_aside": [asdict(one) for one in set_aside],
        },
    )


def _lost_step(step: DroppedStep) -> SetAside:
    return SetAside("", f"{step.time:%Y-%m-%dT%H:%M}Z" if step.time else "a step without time", step.kind, step.reason)


def _lost_quarter(quarter: Quarter) -> SetAside:
    return SetAside("", f"{quarter.request.start} to {quarter.request.end}", _UNREADABLE, str(quarter.trouble))


def _quarter_row(quarter: Quarter) -> dict[str, Any]:
    return {
        "start": quarter.request.start.isoformat(),
        "end": quarter.request.end.isoformat(),
        "empty": quarter.empty,
        "job": quarter.job_id,
        "fetched": quarter.fetched,
        "trouble": str(quarter.trouble or ""),
    }


def _quarter_record(quarter: Quarter) -> dict[str, Any]:
    return {
        "start": quarter.request.start.isoformat(),
        "end": quarter.request.end.isoformat(),
        "empty": quarter.empty,
        "missing": quarter.cube is None and quarter.trouble is not None,
        "fingerprint": quarter.request.fingerprint,
        "process_graph": quarter.request.process_graph,
    }


def _overpass_record(one: Overpass) -> dict[str, Any]:
    return {
        "name": one.name,
        "time": one.time.isoformat(),
        "valid_fraction": round(float(np.isfinite(one.values).all(axis=0).mean()), 6),
        "cloudy_pixels": one.cloudy,
        "impossible_values": one.impossible,
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode()
