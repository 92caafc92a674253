#!/bin/sh
# CF lets `grid_mapping` name the mapping alone ("crs") or the mapping with its coordinates ("crs: x y", since CF-1.7), and
# it describes a projection by attributes; `crs_wkt` is optional. A good guess: who finds the CRS of one form finds it in
# the other; GDAL does, in all four files. Seen: rioxarray finds none for the form with coordinates and says nothing, and
# the GeoTIFF that it makes has no CRS; odc-geo finds none for that form, with a warning that the mapping names no
# coordinate, nor, without one, where `crs_wkt` is left out.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rioxarray==0.19.0 odc-geo==0.5.3 xarray==2026.9.0 \
  rasterio==1.4.4 h5netcdf==1.8.2 h5py==3.16.0 pyproj==3.7.2 dask==2026.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np
import odc.geo.xr  # noqa: F401
import rasterio
import rioxarray  # noqa: F401
import xarray as xr
from pyproj import CRS


def write(path, grid_mapping, with_wkt):
    axis = lambda name: {"standard_name": f"projection_{name}_coordinate", "units": "m"}
    mapping = CRS(32632).to_cf()
    if not with_wkt:
        del mapping["crs_wkt"]
    scene = xr.Dataset(
        {"red": (("y", "x"), np.full((4, 4), 0.3, "float32"), {"grid_mapping": grid_mapping})},
        coords={"x": ("x", 600005 + 10.0 * np.arange(4), axis("x")), "y": ("y", 5199995 - 10.0 * np.arange(4), axis("y"))},
        attrs={"Conventions": "CF-1.8"},
    )
    scene["crs"] = xr.DataArray(np.int32(0), attrs=mapping)
    scene.to_netcdf(path, engine="h5netcdf")


def codes(path):
    """EPSG by GDAL, rioxarray and odc-geo and of a GeoTIFF that rioxarray makes; warnings of rioxarray and of odc-geo."""
    with rasterio.open(path) as raster:
        by_gdal = raster.crs.to_epsg()
    red = xr.open_dataset(path, engine="h5netcdf", decode_coords="all")["red"]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        by_rioxarray = red.rio.crs.to_epsg() if red.rio.crs else None
        red.rio.to_raster("made.tif")
        warned_by_rioxarray = len(warned)
        by_odc = red.odc.crs.epsg if red.odc.crs else None
    with rasterio.open("made.tif") as raster:
        made = raster.crs.to_epsg() if raster.crs else None
    return by_gdal, by_rioxarray, by_odc, made, warned_by_rioxarray, len(warned) - warned_by_rioxarray


for package in ("rioxarray", "odc-geo", "rasterio"):
    print(package, version(package))
print("GDAL", rasterio.__gdal_version__)
print("a good guess: 32632 everywhere, for all four are valid CF")
print("seen: EPSG by GDAL, rioxarray, odc-geo, of the GeoTIFF that rioxarray makes; warnings of rioxarray and odc-geo")
seen = {}
for grid_mapping in ("crs", "crs: x y"):
    for with_wkt in (True, False):
        path = f"scene_{len(seen)}.nc"
        write(path, grid_mapping, with_wkt)
        seen[grid_mapping, with_wkt] = codes(path)
        print(f"grid_mapping {grid_mapping!r}, crs_wkt {with_wkt}:", seen[grid_mapping, with_wkt])
assert seen["crs", True] == (32632, 32632, 32632, 32632, 0, 0)
assert seen["crs", False] == (32632, 32632, None, 32632, 0, 0)
assert seen["crs: x y", True] == (32632, None, None, None, 0, 1)
assert seen["crs: x y", False] == (32632, None, None, None, 0, 1)
PY
