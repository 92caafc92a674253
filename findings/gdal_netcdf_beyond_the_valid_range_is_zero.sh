#!/bin/sh
# NetCDF lets a variable say what of it is valid (`valid_range`, or `valid_min` and `valid_max`); snow cover, say, is 0 to
# 100 %, and codes above stand for water and cloud. A good guess: what lies beyond is missing to a reader or kept as it is;
# netCDF4 masks it, xarray and h5netcdf keep it. Seen: GDAL, and so rasterio and rioxarray, does the first where the variable
# has a `_FillValue`. Where it has none, cloud and water are read as 0: no snow, measured, with no nodata value and nothing
# masked. With `valid_max` alone they are kept.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rasterio==1.4.4 rioxarray==0.19.0 xarray==2026.9.0 \
  h5netcdf==1.8.2 h5py==3.16.0 netCDF4==1.7.4 pyproj==3.7.2 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import netCDF4
import numpy as np
import rasterio
import rioxarray
import xarray as xr
from pyproj import CRS

STORED = [0, 40, 100, 237, 250]  # per cent three times, water, cloud
limit = np.uint8
CASES = {
    "range and fill value": {"valid_range": np.array([0, 100], "uint8"), "_FillValue": limit(255)},
    "range": {"valid_range": np.array([0, 100], "uint8")},
    "minimum and maximum": {"valid_min": limit(0), "valid_max": limit(100)},
    "maximum": {"valid_max": limit(100)},
}


def read(attributes):
    axis = lambda name: {"standard_name": f"projection_{name}_coordinate", "units": "m"}
    scene = xr.Dataset({"snow": (("y", "x"), np.array([STORED], "uint8"), {"grid_mapping": "crs"} | attributes)},
                       coords={"x": ("x", 600250 + 500.0 * np.arange(5), axis("x")), "y": ("y", [5199750.0], axis("y"))})
    scene["crs"] = xr.DataArray(np.int32(0), attrs=CRS(32632).to_cf())
    scene.to_netcdf("snow.nc", engine="h5netcdf")
    with rasterio.open("netcdf:snow.nc:snow") as raster:
        values = {"rasterio": raster.read(1, masked=True)[0].tolist()}
    with rioxarray.open_rasterio("netcdf:snow.nc:snow", masked=True) as raster:
        values["rioxarray"] = [None if np.isnan(value) else int(value) for value in raster.values.ravel()]
    with xr.open_dataset("snow.nc", engine="h5netcdf") as dataset:
        values["xarray"] = dataset.snow.values[0].astype(int).tolist()
    with netCDF4.Dataset("snow.nc") as dataset:
        values["netCDF4"] = dataset["snow"][0].tolist()
    return values


seen = {case: read(attributes) for case, attributes in CASES.items()}
print(*(f"{name} {version(name)}" for name in ("rasterio", "rioxarray", "xarray", "netCDF4")), "GDAL",
      rasterio.__gdal_version__)
masked, zero = [0, 40, 100, None, None], [0, 40, 100, 0, 0]
print("stored:", STORED, "a good guess:", masked, "or as stored")
for case, values in seen.items():
    print(f"seen, {case}:", ", ".join(f"{reader} {found}" for reader, found in values.items()))
    assert values["netCDF4"] == masked and values["xarray"] == STORED, case
    gdal = {"range and fill value": masked, "maximum": STORED}.get(case, zero)
    assert values["rasterio"] == values["rioxarray"] == gdal, case
PY
