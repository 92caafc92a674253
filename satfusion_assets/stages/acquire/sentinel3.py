"""Sentinel-3: one batch job per quarter, its NetCDF cached, every overpass on the coarse grid, ``raw_s3`` published."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np

from satfusion_assets.archives.copernicus import (
    CUBE_PRODUCTS,
    BackEnd,
    Credentials,
    CubeProduct,
    CubeRequest,
    JobLedger,
    JobResult,
    Overpass,
    overpasses_on_grid,
    quarterly_requests,
    read_cube,
    run_requests,
)
from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.patience import Patience
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable, NoData
from satfusion_assets.grid import SiteGrid, site_grid
from satfusion_assets.scenarios import S3_BANDS
from satfusion_assets.settings import Settings
from satfusion_assets.sites import Site, SiteSeason
from satfusion_assets.stages.acquire.cache import Entry, FetchCache
from satfusion_assets.stages.acquire.report import Progress, SetAside, log_progress
from satfusion_assets.stages.outcome import Outcome
from satfusion_assets.stages.provenance import publish
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.layout import S3_OVERPASSES, raw_scene
from satfusion_assets.store.rasters import write_raster

log = logging.getLogger(__name__)

SETTLED: Final = timedelta(days=10)
"""After this long a quarter no longer changes: near-real-time data have been replaced and late ones have arrived."""
_NETCDF: Final = ".nc"
_DESCRIPTION: Final = ".description"


def acquire_sentinel3(
    site: Site,
    season: SiteSeason,
    store: ProductStore,
    settings: Settings,
    progress: Progress = log_progress,
    *,
    today: date | None = None,
) -> Outcome:
    """Fetch the overpasses of ``season`` with its margins, as far as they have happened, and publish ``raw_s3``.

    today: the last day to ask for; None = the clock's. Raises CredentialsMissing, CredentialsRejected,
    ArchiveUnavailable (jobs under way are taken up by the next run), ArchiveAnswerInvalid, NoData, StoreFull.
    """
    now = today or datetime.now(UTC).date()
    grid = site_grid(site)
    product = CUBE_PRODUCTS[settings.s3_product]
    requests = quarterly_requests(product, grid, season.raw_start, min(season.raw_end, now))
    if not requests:
        raise NoData(f"The season of {season.key} has not begun yet; acquire it later.")
    cache = FetchCache(store.cache(season, "s3"))
    quarters = _Quarters(cache, settings, now)
    entries = quarters.fetch(requests, progress)
    return _publish(store, site, season, product, grid, requests, entries, quarters)


def check_sentinel3_credentials(
    site: Site, season: SiteSeason, store: ProductStore, settings: Settings, *, today: date
) -> None:
    """Sign in where ``acquire_sentinel3`` would have to; nothing where all it needs is kept.

    Raises CredentialsMissing, CredentialsRejected. An archive that is down is left to the acquisition, which waits.
    """
    product = CUBE_PRODUCTS[settings.s3_product]
    requests = quarterly_requests(product, site_grid(site), season.raw_start, min(season.raw_end, today))
    quarters = _Quarters(FetchCache(store.cache(season, "s3")), settings, today)
    if quarters.has_all(requests):
        return
    with suppress(ArchiveUnavailable, ArchiveAnswerInvalid):
        BackEnd(settings.openeo_url, Credentials.of(settings), replace(Patience.of(settings), attempts=1))


class _Quarters:
    """Quarters as cache entries; what is missing or unsettled there is asked for."""

    def __init__(self, cache: FetchCache, settings: Settings, now: date) -> None:
        self._cache = cache
        self._settings = settings
        self._now = now
        self.fetched = 0
        self.bytes_read = 0

    def fetch(self, requests: list[CubeRequest], progress: Progress) -> dict[str, Entry]:
        entries = {request.key: entry for request in requests if (entry := self._current(request))}
        for done, key in enumerate(entries, 1):
            progress(done, len(requests), key)
        missing = [request for request in requests if request.key not in entries]
        if missing:
            for result in self._ask(missing):
                entries[result.request.key] = self._keep(result)
                progress(len(entries), len(requests), result.request.key)
        return entries

    def has_all(self, requests: list[CubeRequest]) -> bool:
        """Whether nothing would be asked for."""
        return all(self._current(request) is not None for request in requests)

    def description(self, product: CubeProduct) -> bytes:
        """The back-end's description of the collection when it was last asked."""
        entry = self._cache.get(product.collection)
        return entry.paths[_DESCRIPTION].read_bytes() if entry else b"{}"

    def drop_others(self, requests: list[CubeRequest]) -> None:
        """Forget cached quarters that no run needs any more."""
        self._cache.keep_only({request.key for request in requests} | {requests[0].product.collection})

    def _ask(self, requests: list[CubeRequest]) -> Iterator[JobResult]:
        patience = Patience.of(self._settings)
        credentials = Credentials.of(self._settings)
        back_end = BackEnd(self._settings.openeo_url, credentials, patience)
        collection = requests[0].product.collection
        self._cache.put(collection, {_DESCRIPTION: _json(back_end.describe(collection))}, {})
        ledger = JobLedger(self._cache.folder / "jobs.json", self._now)
        with HttpArchive("Copernicus openEO", patience) as files:
            yield from run_requests(
                back_end,
                files,
                requests,
                ledger,
                lambda content, request: read_cube(content, request.product, f"The result for {request.title}"),
                poll_s=self._settings.openeo_poll_s,
                give_up_s=self._settings.openeo_job_hours * 3600,
            )

    def _current(self, request: CubeRequest) -> Entry | None:
        """The cached quarter, unless it was fetched before it settled and a day has passed since."""
        entry = self._cache.get(request.key)
        if entry is None:
            return None
        fetched = date.fromisoformat(entry.facts["fetched"])
        return entry if fetched >= min(request.end + SETTLED, self._now) else None

    def _keep(self, result: JobResult) -> Entry:
        self.fetched += 1
        self.bytes_read += len(result.content or b"")
        files = {} if result.content is None else {_NETCDF: result.content}
        facts = {
            "fetched": result.as_of.isoformat(),
            "job_id": result.job_id,
            "etag": result.etag,
            "empty": result.content is None,
            "process_graph": result.request.process_graph,
        }
        return self._cache.put(result.request.key, files, facts)


def _publish(
    store: ProductStore,
    site: Site,
    season: SiteSeason,
    product: CubeProduct,
    grid: SiteGrid,
    requests: list[CubeRequest],
    entries: Mapping[str, Entry],
    quarters: _Quarters,
) -> Outcome:
    cubes = [
        read_cube(entry.paths[_NETCDF].read_bytes(), product, entry.key) for entry in entries.values() if entry.paths
    ]
    overpasses, empty = overpasses_on_grid(cubes, grid)
    if not overpasses:
        raise NoData(
            f"Copernicus has no {product.collection} data of {season.site} from {requests[0].start} to "
            f"{requests[-1].end}; check the site's position and season."
        )
    set_aside = [SetAside("", f"{time:%Y-%m-%dT%H:%M}Z", "empty", "No valid pixel over the site.") for time in empty]
    parameters = {"product": str(product.product), "quantity": product.quantity, "collection": product.collection}
    record: dict[str, Any] = parameters | {
        "quarters": [_quarter_record(request, entries[request.key]) for request in requests],
        "overpasses": [_overpass_record(one) for one in overpasses],
        "set_aside": [asdict(one) for one in set_aside],
    }
    raw = Product("raw_s3", season)
    tags = {"COLLECTION": product.collection, "QUANTITY": product.quantity, "PRODUCT": str(product.product)}
    with publish(store, raw, site=site, parameters=parameters) as draft:
        for one in overpasses:
            write_raster(
                draft.path(raw_scene("s3", one.name)),
                one.values,
                grid.coarse,
                nodata=float("nan"),
                descriptions=S3_BANDS,
                tags=tags | {"SENSING_TIME": one.time.isoformat()},
            )
        draft.write_json(S3_OVERPASSES, record)
        draft.write_bytes("raw/s3/collection.json", quarters.description(product))
    assert draft.manifest is not None, "a published draft has its manifest"
    quarters.drop_others(requests)
    return Outcome(
        draft.manifest,
        numbers={
            "overpasses": len(overpasses),
            "days": len({one.time.date() for one in overpasses}),
            "valid_fraction": round(
                float(np.mean([np.isfinite(one.values).all(axis=0).mean() for one in overpasses])), 4
            ),
            "set_aside": len(set_aside),
            "empty_quarters": sum(entry.facts["empty"] for entry in entries.values()),
            "cloudy_pixels": sum(one.cloudy for one in overpasses),
            "jobs_in_this_run": quarters.fetched,
            "bytes_read": quarters.bytes_read,
        },
        notes=parameters,
        tables={"quarters": [_quarter_row(request, entries[request.key]) for request in requests]},
    )


def _quarter_row(request: CubeRequest, entry: Entry) -> dict[str, Any]:
    return {
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "empty": entry.facts["empty"],
        "job": entry.facts["job_id"],
        "fetched": entry.facts["fetched"],
    }


def _quarter_record(request: CubeRequest, entry: Entry) -> dict[str, Any]:
    return {
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "empty": entry.facts["empty"],
        "fingerprint": request.fingerprint,
        "process_graph": entry.facts["process_graph"],
    }


def _overpass_record(one: Overpass) -> dict[str, Any]:
    return {
        "name": one.name,
        "time": one.time.isoformat(),
        "valid_fraction": round(float(np.isfinite(one.values).all(axis=0).mean()), 6),
        "cloudy_pixels": one.cloudy,
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode()
