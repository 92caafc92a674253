"""A plan made real: pixels of the world on the asked grid, written the way the back-end writes files.

Heavy imports wait inside the functions, so that a server that is never asked for a cube stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.sandbox.server.errors import OpenEoError, invalid
from satfusion_assets.sandbox.server.graph import CubePlan, Extent, Resampling
from satfusion_assets.sandbox.server.shared import SharedWorld
from satfusion_assets.sandbox.synthetic import NOTICE

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from affine import Affine

METHODS: Final = {
    "near": "nearest",
    "bilinear": "bilinear",
    "cubic": "cubic",
    "cubicspline": "cubic_spline",
    "lanczos": "lanczos",
    "average": "average",
    "mode": "mode",
    "max": "max",
    "min": "min",
    "med": "med",
    "q1": "q1",
    "q3": "q3",
}
"""Resampling methods of openEO and rasterio's names for them."""

MARGIN_DEGREES: Final = 0.01
"""How far beyond the extent source pixels are taken, so that the edge is resampled like the middle."""

SENTINEL_HUB_COLLECTIONS: Final = ("SENTINEL3_OLCI_L1B",)
"""Collections that the back-end reads from Sentinel Hub; the others it reads from files."""

_LONLAT: Final = "EPSG:4326"
_EPOCH: Final = datetime(1990, 1, 1)
_INSTITUTION: Final = "openEO platform - Geotrellis backend: 0.71.0a1"


@dataclass(frozen=True)
class ServedRaster:
    """Pixels with their grid.

    values: (t, bands, y, x), float32 unless they are spoilt. times: naive UTC, ascending. transform: of the upper left
    corner. nodata: the value that stands for missing (may be NaN).
    """

    values: np.ndarray
    times: tuple[datetime, ...]
    bands: tuple[str, ...]
    transform: Affine
    crs: str
    nodata: float

    @property
    def x(self) -> np.ndarray:
        """Pixel centres, ascending."""
        import numpy as np

        return self.transform.c + self.transform.a * (np.arange(self.values.shape[3]) + 0.5)

    @property
    def y(self) -> np.ndarray:
        """Pixel centres, descending."""
        import numpy as np

        return self.transform.f + self.transform.e * (np.arange(self.values.shape[2]) + 0.5)


def check(plan: CubePlan, world: SharedWorld) -> tuple[str, ...]:
    """The bands that ``plan`` loads; OpenEoError when it cannot be run whatever the archive holds."""
    if plan.format is None:
        raise OpenEoError("ProcessGraphInvalid", 400, "The result node must be save_result.")
    bands = _bands(plan, _collection(plan, world))
    if not plan.extents:
        raise OpenEoError("MissingSpatialFilter", 400, "load_collection needs a spatial extent.")
    if plan.resampling and plan.resampling.method not in METHODS:
        raise invalid("resample_spatial", "method", f"{plan.resampling.method!r} is not one of {sorted(METHODS)}")
    return bands


def raster_of(plan: CubePlan, world: SharedWorld, without: tuple[date, date] | None = None) -> ServedRaster:
    """The pixels that ``plan`` asks for; OpenEoError when it cannot be run or the archive holds nothing for it.

    without: first and last day of which the archive has nothing.
    """
    bands = check(plan, world)
    start = plan.start or datetime(2015, 1, 1, tzinfo=UTC)
    end = plan.end or datetime.combine(world.today, datetime.min.time(), UTC) + timedelta(days=1)
    window = _window(plan.extents, _LONLAT)
    margin = MARGIN_DEGREES if plan.resampling else 0.0
    bounds = (window.west - margin, window.south - margin, window.east + margin, window.north + margin)
    native = _native(world.cube(plan.collection, bounds, start, end, list(bands)), start, end)
    if without is not None:
        native = _only(native, [not without[0] <= time.date() <= without[1] for time in native.times])
    if not native.times or not native.values.size:
        raise _nothing_there(plan.collection, start, end)
    return _resampled(native, plan.extents, plan.resampling) if plan.resampling else _cropped(native, window)


def _only(raster: ServedRaster, kept: list[bool]) -> ServedRaster:
    """The steps that are kept."""
    times = tuple(time for time, keep in zip(raster.times, kept, strict=True) if keep)
    return replace(raster, values=raster.values[kept], times=times)


def _nothing_there(collection: str, start: datetime, end: datetime) -> OpenEoError:
    """What an empty window is called depends on where the back-end gets a collection from."""
    if collection in SENTINEL_HUB_COLLECTIONS:
        message = (
            f'NoSuchFeaturesException: no features found for criteria: collection ID "{collection}" '
            f"1 polygon(s) [{start.isoformat()}, {end.isoformat()})"
        )
        return OpenEoError("Internal", 400, message)
    return OpenEoError("NoDataAvailable", 400, "There is no data available for the given extents.")


def _collection(plan: CubePlan, world: SharedWorld) -> dict[str, Any]:
    for collection in world.cube_collections():
        if collection["id"] == plan.collection:
            return collection
    raise OpenEoError("CollectionNotFound", 404, f"Collection '{plan.collection}' does not exist.")


def _bands(plan: CubePlan, collection: dict[str, Any]) -> tuple[str, ...]:
    dimensions = collection["cube:dimensions"].values()
    known = [band for one in dimensions if one.get("type") == "bands" for band in one["values"]]
    unknown = [band for band in plan.bands or () if band not in known]
    if unknown:
        raise invalid("load_collection", "bands", f"{unknown} not in {known}")
    return plan.bands or tuple(known)


def _native(cube: xr.DataArray, start: datetime, end: datetime) -> ServedRaster:
    """The world's array as a raster, steps within [start, end) only."""
    from affine import Affine

    cube = cube.transpose("t", "bands", "y", "x").sortby("t")
    times = tuple(time.to_pydatetime() for time in cube.indexes["t"])
    kept = [at for at, time in enumerate(times) if start <= time.replace(tzinfo=UTC) < end]
    x, y = cube.x.values, cube.y.values
    values = cube.values[kept].astype("float32")
    if values.shape[2] < 2 or values.shape[3] < 2:
        return ServedRaster(values[:, :, :0, :0], (), (), Affine.identity(), _LONLAT, cube.attrs["nodata"])
    dx, dy = (x[-1] - x[0]) / (len(x) - 1), (y[-1] - y[0]) / (len(y) - 1)
    transform = Affine(dx, 0, x[0] - dx / 2, 0, dy, y[0] - dy / 2)
    names = tuple(str(band) for band in cube.bands.values)
    return ServedRaster(values, tuple(times[at] for at in kept), names, transform, _LONLAT, float(cube.attrs["nodata"]))


def _window(extents: tuple[Extent, ...], crs: str) -> Extent:
    """The part common to all extents, in ``crs``."""
    from rasterio.errors import CRSError
    from rasterio.warp import transform_bounds

    def bounds(extent: Extent) -> tuple[float, float, float, float]:
        if extent.crs == crs:
            return extent.west, extent.south, extent.east, extent.north
        try:
            return transform_bounds(extent.crs, crs, extent.west, extent.south, extent.east, extent.north)
        except CRSError as error:
            raise invalid("resample_spatial", "projection", f"{extent.crs!r} or {crs!r} is not a known CRS") from error

    wests, souths, easts, norths = zip(*map(bounds, extents), strict=True)
    window = Extent(max(wests), max(souths), min(easts), min(norths), crs)
    if window.west >= window.east or window.south >= window.north:
        raise OpenEoError("NoDataAvailable", 400, "There is no data available for the given extents.")
    return window


def _cropped(native: ServedRaster, window: Extent) -> ServedRaster:
    """The native pixels that the window touches."""
    from affine import Affine

    (rows, columns) = native.values.shape[2:]
    across, down = ~native.transform * (window.west, window.north), ~native.transform * (window.east, window.south)
    left, top = max(0, int(across[0] + 1e-6)), max(0, int(across[1] + 1e-6))
    right, bottom = min(columns, -int(-down[0] // 1)), min(rows, -int(-down[1] // 1))
    moved = native.transform * Affine.translation(left, top)
    values = native.values[:, :, top:bottom, left:right]
    return ServedRaster(values, native.times, native.bands, moved, native.crs, native.nodata)


def _resampled(native: ServedRaster, extents: tuple[Extent, ...], wanted: Resampling) -> ServedRaster:
    """``native`` on the grid whose upper left corner is the window's, in the wanted projection."""
    import numpy as np
    from rasterio.enums import Resampling as Method
    from rasterio.warp import reproject

    crs = wanted.projection or native.crs
    transform, rows, columns = _target(native, _window(extents, crs), crs, wanted.resolution)
    steps, bands, height, width = native.values.shape
    values = np.full((steps * bands, rows, columns), native.nodata, "float32")
    reproject(
        native.values.reshape(steps * bands, height, width),
        values,
        src_transform=native.transform,
        src_crs=native.crs,
        src_nodata=native.nodata,
        dst_transform=transform,
        dst_crs=crs,
        dst_nodata=native.nodata,
        resampling=Method[METHODS[wanted.method]],
        UNIFIED_SRC_NODATA="NO",  # every band and day by itself, as the back-end's tiles are
    )
    shaped = values.reshape(steps, bands, rows, columns)
    return ServedRaster(shaped, native.times, native.bands, transform, crs, native.nodata)


def _target(native: ServedRaster, window: Extent, crs: str, resolution: float) -> tuple[Affine, int, int]:
    """Transform, rows and columns; resolution 0 = the one that keeps the pixel count of the diagonal (GDAL's)."""
    import math

    from affine import Affine
    from rasterio.warp import calculate_default_transform

    if not resolution:
        rows, columns = native.values.shape[2:]
        west, north = native.transform * (0, 0)
        east, south = native.transform * (columns, rows)
        default, _, _ = calculate_default_transform(native.crs, crs, columns, rows, west, south, east, north)
        resolution = default.a
    columns = max(1, math.ceil((window.east - window.west) / resolution - 1e-6))
    rows = max(1, math.ceil((window.north - window.south) / resolution - 1e-6))
    return Affine(resolution, 0, window.west, 0, -resolution, window.north), rows, columns


def write(raster: ServedRaster, file_format: str, folder: Path) -> list[Path]:
    """The files of a batch job: one NetCDF, or one GeoTIFF a step."""
    folder.mkdir(parents=True, exist_ok=True)
    if file_format == "NetCDF":
        return [_write_netcdf(raster, folder / "openEO.nc")]
    return list(_write_geotiffs(raster, folder))


def _write_netcdf(raster: ServedRaster, path: Path) -> Path:
    """CF-1.9 as the back-end's writer: t, y descending, x as pixel centres, scalar ``crs``, one variable a band."""
    import h5netcdf
    import numpy as np
    from rasterio.crs import CRS

    crs = CRS.from_user_input(raster.crs)
    midnight = all(time == datetime.combine(time, datetime.min.time()) for time in raster.times)
    unit, seconds = ("days", 86400) if midnight else ("seconds", 1)
    times = np.array([(time - _EPOCH).total_seconds() // seconds for time in raster.times], "int32")
    with h5netcdf.File(path, "w") as file:
        file.attrs.update({"Conventions": "CF-1.9", "institution": _INSTITUTION, "description": NOTICE, "title": ""})
        file.dimensions = {"t": len(times), "y": raster.y.size, "x": raster.x.size}
        reference = file.create_variable("crs", (), "S1", data=np.bytes_(b""))
        reference.attrs.update({"crs_wkt": crs.to_wkt(), "spatial_ref": crs.to_wkt()})
        axes = {"t": times, "x": raster.x, "y": raster.y}
        described = {"t": {"standard_name": "t", "long_name": "t", "units": f"{unit} since 1990-01-01", "axis": "T"}}
        described |= _axes_attributes(crs.is_geographic)
        for name, data in axes.items():
            file.create_variable(name, (name,), data.dtype, data=data).attrs.update(described[name])
        for at, band in enumerate(raster.bands):
            variable = file.create_variable(
                band,
                ("t", "y", "x"),
                raster.values.dtype,
                data=raster.values[:, at],
                fillvalue=raster.values.dtype.type(raster.nodata) if raster.values.dtype.kind == "f" else None,
                chunks=(1, *raster.values.shape[2:]) if len(times) else None,
                compression="gzip",
                compression_opts=6,
            )
            variable.attrs.update({"long_name": band, "units": "", "grid_mapping": "crs"})
    return path


def _axes_attributes(geographic: bool) -> dict[str, dict[str, str]]:
    if geographic:
        return {
            "x": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"},
            "y": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"},
        }
    return {
        axis: {
            "standard_name": f"projection_{axis}_coordinate",
            "long_name": f"{axis} coordinate of projection",
            "units": "m",
        }
        for axis in ("x", "y")
    }


def _write_geotiffs(raster: ServedRaster, folder: Path) -> Iterator[Path]:
    import rasterio

    midnight = all(time == datetime.combine(time, datetime.min.time()) for time in raster.times)
    for time, values in zip(raster.times, raster.values, strict=True):
        path = folder / f"openEO_{time:%Y-%m-%d}Z.tif" if midnight else folder / f"openEO_{time:%Y-%m-%dT%H%M%S}Z.tif"
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=values.shape[1],
            width=values.shape[2],
            count=len(values),
            dtype="float32",
            crs=raster.crs,
            transform=raster.transform,
            nodata=raster.nodata,
            compress="deflate",
        ) as target:
            target.write(values)
            target.descriptions = raster.bands
        yield path
