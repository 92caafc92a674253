"""From a stage's outcome to what Dagster shows: metadata, data version, and failures that begin with the cause."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.store import Manifest, Product
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import ArchiveUnavailable, SatfusionError
from satfusion_assets.vocabulary.sites import SiteSeason

log = logging.getLogger(__name__)


TABLE_ROWS: Final = 400
"""Rows of a table kept in the event log; the files hold the rest."""


_BY_DAY: Final = re.compile(r"(?<!\d)\d{8}(?!\d)[^/]*$")
"""A file name that holds a day."""


def materialise(
    stage: Callable[[], Outcome], *, drawn_from: Platform | None = None, link: str | None = None
) -> dg.MaterializeResult[None]:
    """Run ``stage`` and report its product: its picture first, then what was counted, and where to look on.

    drawn_from: the installation in which the product has a picture. link: the product in the viewer. A SatfusionError
    becomes a failure whose first line is its one sentence; only an archive that is down is worth an automatic retry.
    """
    started = time.monotonic()
    try:
        outcome = stage()
    except SatfusionError as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, ArchiveUnavailable)) from error
    seconds = round(time.monotonic() - started, 2)
    manifest = outcome.manifest
    metadata = _picture(drawn_from, manifest) if drawn_from is not None else {}
    if link is not None:
        metadata["viewer"] = dg.MetadataValue.url(link)
    metadata |= metadata_of(outcome) | {"seconds": seconds}
    log.info(
        "Published %s%s: %d files, %.1f MB, in %.1f s (data version %s).",
        manifest.product,
        f" {manifest.variant}" if manifest.variant else "",
        len(manifest.files),
        manifest.total_bytes / 1e6,
        seconds,
        manifest.version[:8],
    )
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(manifest.version))


def metadata_of(outcome: Outcome) -> dict[str, Any]:
    """Metadata for the UI; numbers stay numbers, so that they plot over time and partitions."""
    manifest = outcome.manifest
    metadata: dict[str, Any] = {name: value for name, value in outcome.numbers.items() if value is not None}
    metadata |= outcome.notes
    metadata |= days_covered(manifest)
    metadata |= {name: table(rows) for name, rows in outcome.tables.items() if rows}
    metadata |= {"files": len(manifest.files), "megabytes": round(manifest.total_bytes / 1e6, 3)}
    metadata |= {"software": manifest.software, "data_version": manifest.version}
    if manifest.parameters:
        metadata["parameters"] = dg.MetadataValue.json(manifest.parameters)
    if manifest.inputs:
        metadata["made_from"] = dg.MetadataValue.json(manifest.inputs)
    return metadata


def days_covered(manifest: Manifest) -> dict[str, str]:
    """First and last day that a file of the product is about; nothing where files are not by day."""
    days = sorted(day_of(name) for name in manifest.files if _BY_DAY.search(name))
    return {"first_day": days[0].isoformat(), "last_day": days[-1].isoformat()} if days else {}


def _picture(platform: Platform, manifest: Manifest) -> dict[str, Any]:
    from satfusion_assets.pipeline.registry import REGISTRY

    site_season = SiteSeason.parse(manifest.site_season)
    product = Product(manifest.product, site_season, manifest.variant)
    image = REGISTRY.picture(platform.store, platform.site(site_season), product)
    return {"picture": dg.MetadataValue.md(f"![{product.key}]({image.data_uri})")} if image else {}


def table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    records = [dg.TableRecord({key: _cell(value) for key, value in row.items()}) for row in rows[:TABLE_ROWS]]
    columns = [dg.TableColumn(name, _column_type(rows, name)) for name in rows[0]]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _cell(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return round(value, 5)
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _column_type(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [row[name] for row in rows if row.get(name) is not None]
    if values and all(isinstance(value, bool) for value in values):
        return "bool"
    if values and all(isinstance(value, int) for value in values):
        return "int"
    return "float" if values and all(isinstance(value, int | float) for value in values) else "string"
