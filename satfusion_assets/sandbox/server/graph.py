"""Process graphs: from a flat graph to the one cube it asks for.

Every supported process narrows, resamples or saves, so a chain of them folds into one ``CubePlan``; anything else is
refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from satfusion_assets.sandbox.server.errors import OpenEoError, invalid

FORMATS: Final = {"netcdf": "NetCDF", "gtiff": "GTiff"}


@dataclass(frozen=True)
class Extent:
    """A rectangle in ``crs`` (what rasterio reads as one), in its units."""

    west: float
    south: float
    east: float
    north: float
    crs: str = "EPSG:4326"


@dataclass(frozen=True)
class Resampling:
    """resolution: in units of ``projection``, 0 = derived from the source; projection None = the source's."""

    resolution: float
    projection: str | None
    method: str


@dataclass(frozen=True)
class CubePlan:
    """What a process graph asks for. Times are [start, end); ``extents`` all hold, the first one gives the corner."""

    collection: str
    extents: tuple[Extent, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    bands: tuple[str, ...] | None = None
    resampling: Resampling | None = None
    format: str | None = None


def plan_of(process_graph: Any) -> CubePlan:
    """The plan of a flat process graph; OpenEoError when a part of it is missing, unknown or unsupported."""
    if not isinstance(process_graph, dict) or not process_graph:
        raise OpenEoError("ProcessGraphMissing", 400, "No valid process graph specified.")
    results = [name for name, node in process_graph.items() if isinstance(node, dict) and node.get("result")]
    if len(results) != 1:
        raise OpenEoError("ProcessGraphInvalid", 400, f"Expected one result node, found {len(results)}.")
    return _plan(process_graph, results[0], frozenset())


def _plan(graph: dict[str, Any], name: str, visited: frozenset[str]) -> CubePlan:
    node = graph.get(name)
    if not isinstance(node, dict) or name in visited:
        raise OpenEoError("ProcessGraphInvalid", 400, f"Node {name!r} is missing or refers to itself.")
    process, arguments = str(node.get("process_id")), dict(node.get("arguments") or {})
    if process == "load_collection":
        return _loaded(arguments)
    step = _STEPS.get(process)
    if step is None:
        message = f"Process with identifier '{process}' is not available in namespace 'backend'."
        raise OpenEoError("ProcessUnsupported", 400, message)
    source = arguments.get("data")
    if not isinstance(source, dict) or "from_node" not in source:
        raise OpenEoError("ProcessParameterRequired", 400, f"Process '{process}' requires parameter 'data'.")
    return step(_plan(graph, str(source["from_node"]), visited | {name}), arguments)


def _loaded(arguments: dict[str, Any]) -> CubePlan:
    for name in ("properties", "featureflags"):
        if arguments.get(name):
            raise invalid("load_collection", name, "not supported by this back-end")
    collection = arguments.get("id")
    if not isinstance(collection, str):
        raise OpenEoError("ProcessParameterRequired", 400, "Process 'load_collection' requires parameter 'id'.")
    plan = CubePlan(collection)
    if arguments.get("spatial_extent") is not None:
        plan = _in_box(plan, "load_collection", arguments["spatial_extent"])
    if arguments.get("temporal_extent") is not None:
        plan = _between(plan, "load_collection", arguments["temporal_extent"])
    if arguments.get("bands") is not None:
        plan = replace(plan, bands=tuple(arguments["bands"]))
    return plan


def _in_box(plan: CubePlan, process: str, box: Any) -> CubePlan:
    try:
        crs = box.get("crs") or "EPSG:4326"
        west, south, east, north = (float(box[side]) for side in ("west", "south", "east", "north"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise invalid(process, "extent", "a bounding box with west, south, east, north is needed") from error
    extent = Extent(west, south, east, north, _crs(crs))
    if extent.west >= extent.east or extent.south >= extent.north:
        raise invalid(process, "extent", "the bounding box is empty")
    return replace(plan, extents=(*plan.extents, extent))


def _between(plan: CubePlan, process: str, interval: Any) -> CubePlan:
    if not isinstance(interval, list) or len(interval) != 2:
        raise invalid(process, "extent", "a temporal interval has two ends")
    start, end = (None if text is None else _time(process, text) for text in interval)
    if start and end and start >= end:
        raise OpenEoError("TemporalExtentEmpty", 400, "The temporal extent is empty: its end is not after its start.")
    starts = [time for time in (plan.start, start) if time]
    ends = [time for time in (plan.end, end) if time]
    return replace(plan, start=max(starts, default=None), end=min(ends, default=None))


def _time(process: str, text: Any) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise invalid(process, "extent", f"{text!r} is not a date or time") from error
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _crs(crs: Any) -> str:
    return f"EPSG:{crs}" if isinstance(crs, int) or str(crs).isdecimal() else str(crs)


def _filter_bbox(plan: CubePlan, arguments: dict[str, Any]) -> CubePlan:
    return _in_box(plan, "filter_bbox", arguments.get("extent"))


def _filter_temporal(plan: CubePlan, arguments: dict[str, Any]) -> CubePlan:
    return _between(plan, "filter_temporal", arguments.get("extent"))


def _filter_bands(plan: CubePlan, arguments: dict[str, Any]) -> CubePlan:
    bands = tuple(arguments.get("bands") or ())
    unknown = [band for band in bands if plan.bands is not None and band not in plan.bands]
    if not bands or unknown:
        raise invalid("filter_bands", "bands", f"unknown bands {unknown}" if unknown else "no band is named")
    return replace(plan, bands=bands)


def _resample_spatial(plan: CubePlan, arguments: dict[str, Any]) -> CubePlan:
    resolution, projection = arguments.get("resolution", 0), arguments.get("projection")
    if plan.resampling is not None:
        raise OpenEoError("FeatureUnsupported", 400, "A cube can be resampled once only.")
    if not isinstance(resolution, int | float) or resolution < 0:
        raise invalid("resample_spatial", "resolution", f"{resolution!r} is not one number above 0, or 0")
    if arguments.get("align", "upper-left") != "upper-left":
        raise invalid("resample_spatial", "align", "only 'upper-left' is supported")
    crs = None if projection is None else _crs(projection)
    return replace(plan, resampling=Resampling(float(resolution), crs, str(arguments.get("method", "near"))))


def _save_result(plan: CubePlan, arguments: dict[str, Any]) -> CubePlan:
    wanted = arguments.get("format")
    known = FORMATS.get(str(wanted).lower())
    if known is None:
        raise OpenEoError("FormatUnsupported", 400, f"Output format {wanted!r} not supported.")
    return replace(plan, format=known)


_STEPS: Final[dict[str, Callable[[CubePlan, dict[str, Any]], CubePlan]]] = {
    "filter_bbox": _filter_bbox,
    "filter_temporal": _filter_temporal,
    "filter_bands": _filter_bands,
    "resample_spatial": _resample_spatial,
    "save_result": _save_result,
}
