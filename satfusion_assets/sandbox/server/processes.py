"""What the openEO stand-in says it can do: process descriptions, file formats, endpoints."""

from __future__ import annotations

from typing import Any, Final

from satfusion_assets.sandbox.server.cube import METHODS

_CUBE: Final = {"type": "object", "subtype": "datacube"}
_BBOX: Final = {"type": "object", "subtype": "bounding-box"}
_INTERVAL: Final = {"type": ["array", "null"], "subtype": "temporal-interval"}
_BANDS: Final = {"type": ["array", "null"], "items": {"type": "string", "subtype": "band-name"}}


def _parameter(name: str, description: str, schema: dict[str, Any], **default: Any) -> dict[str, Any]:
    optional = {"optional": True} if default else {}
    return {"name": name, "description": description, "schema": schema} | optional | default


_DATA: Final = _parameter("data", "A data cube.", _CUBE)

_PROCESSES: Final = {
    "load_collection": (
        "Load a collection",
        [
            _parameter("id", "The collection id.", {"type": "string", "subtype": "collection-id"}),
            _parameter("spatial_extent", "Bounding box to load.", {"type": ["object", "null"]}),
            _parameter("temporal_extent", "Left-closed temporal interval.", _INTERVAL),
            _parameter("bands", "Bands to load.", _BANDS, default=None),
            _parameter("properties", "Metadata conditions.", {"type": ["object", "null"]}, default=None),
        ],
    ),
    "filter_bbox": ("Spatial filter using a bounding box", [_DATA, _parameter("extent", "A bounding box.", _BBOX)]),
    "filter_temporal": (
        "Temporal filter based on temporal intervals",
        [
            _DATA,
            _parameter("extent", "Left-closed temporal interval.", _INTERVAL),
            _parameter("dimension", "The temporal dimension.", {"type": ["string", "null"]}, default=None),
        ],
    ),
    "filter_bands": ("Filter the bands by names", [_DATA, _parameter("bands", "Names in order.", _BANDS, default=[])]),
    "resample_spatial": (
        "Resample and warp the spatial dimensions",
        [
            _DATA,
            _parameter("resolution", "In units of the projection; 0 = derived.", {"type": "number"}, default=0),
            _parameter("projection", "EPSG code or WKT2.", {"type": ["integer", "string", "null"]}, default=None),
            _parameter("method", "Resampling method.", {"type": "string", "enum": sorted(METHODS)}, default="near"),
            _parameter("align", "Corner that stays in place.", {"type": "string"}, default="upper-left"),
        ],
    ),
    "save_result": (
        "Save processed data",
        [
            _DATA,
            _parameter("format", "The file format.", {"type": "string", "subtype": "output-format"}),
            _parameter("options", "Options of the format.", {"type": "object"}, default={}),
        ],
    ),
}


def documents() -> dict[str, Any]:
    """``GET /processes``"""
    return {
        "processes": [
            {
                "id": name,
                "summary": summary,
                "description": f"{summary}.",
                "categories": ["cubes"],
                "parameters": parameters,
                "returns": {"description": "The data cube.", "schema": _CUBE},
                "links": [],
            }
            for name, (summary, parameters) in _PROCESSES.items()
        ],
        "links": [],
    }


def file_formats() -> dict[str, Any]:
    """``GET /file_formats``"""
    described = {"NetCDF": "Network Common Data Form", "GTiff": "GeoTiff"}
    return {
        "input": {},
        "output": {
            name: {"title": title, "gis_data_types": ["raster"], "parameters": {}} for name, title in described.items()
        },
    }


ENDPOINTS: Final = {
    "/": ["GET"],
    "/conformance": ["GET"],
    "/collections": ["GET"],
    "/collections/{collection_id}": ["GET"],
    "/processes": ["GET"],
    "/file_formats": ["GET"],
    "/credentials/oidc": ["GET"],
    "/me": ["GET"],
    "/validation": ["POST"],
    "/result": ["POST"],
    "/jobs": ["GET", "POST"],
    "/jobs/{job_id}": ["GET", "PATCH", "DELETE"],
    "/jobs/{job_id}/logs": ["GET"],
    "/jobs/{job_id}/results": ["GET", "POST", "DELETE"],
}
