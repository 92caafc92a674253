"""From a stage's outcome to what Dagster shows: metadata, data version, and failures that begin with the cause."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from satfusion_assets.errors import ArchiveUnavailable, SatfusionError
from satfusion_assets.stages.outcome import Outcome

TABLE_ROWS: Final = 400
"""Rows of a table kept in the event log; the files hold the rest."""


def materialise(stage: Callable[[], Outcome], *, link: str | None = None) -> dg.MaterializeResult:
    """Run ``stage`` and report its product.

    A SatfusionError becomes a failure whose first line is its one sentence; only an archive that is down is worth an
    automatic retry.
    """
    started = time.monotonic()
    try:
        outcome = stage()
    except SatfusionError as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, ArchiveUnavailable)) from error
    metadata = metadata_of(outcome) | {"seconds": round(time.monotonic() - started, 2)}
    if link is not None:
        metadata["viewer"] = dg.MetadataValue.url(link)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(outcome.manifest.version))


def metadata_of(outcome: Outcome) -> dict[str, Any]:
    """Metadata for the UI; numbers stay numbers, so that they plot over time and partitions."""
    manifest = outcome.manifest
    metadata: dict[str, Any] = {name: value for name, value in outcome.numbers.items() if value is not None}
    metadata |= outcome.notes
    metadata |= {name: table(rows) for name, rows in outcome.tables.items() if rows}
    metadata |= {"files": len(manifest.files), "megabytes": round(manifest.total_bytes / 1e6, 3)}
    if manifest.parameters:
        metadata["parameters"] = dg.MetadataValue.json(manifest.parameters)
    if outcome.picture is not None:
        encoded = base64.b64encode(outcome.picture).decode()
        metadata["preview"] = dg.MetadataValue.md(f"![preview](data:image/png;base64,{encoded})")
    return metadata


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
