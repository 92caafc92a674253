#!/bin/sh
# Zarr stores shrink well when the last bits of reflectance are rounded off, or when it is packed into 16 bits; numcodecs has
# a filter for each (BitRound, FixedScaleOffset), which xarray passes on as an encoding. A good guess: a pixel that is
# missing when it is written is missing when it is read. Seen: it is with a fill value of NaN and BitRound alone. xarray puts
# the fill value in first and the filter then rounds that too: -9999 is -9984 in the store, no longer what `_FillValue`
# says, and so a reflectance of -9984. FixedScaleOffset scales it past its 16 bits: missing comes back as 1.79, bright
# cloud, and NaN as 0. GDAL, which rounds the same bits of a GeoTIFF, and netCDF's own rounding leave the fill value alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numcodecs==0.16.6 zarr==3.1.6 xarray==2026.9.0 \
  netCDF4==1.7.4 rasterio==1.4.4 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import netCDF4
import numcodecs
import numpy as np
import rasterio
import xarray as xr
from numcodecs import zarr3

SCENE = np.array([[0.25, np.nan, 0.5, 4.0]], "float32")
scene = xr.Dataset({"red": (("y", "x"), SCENE)})
packing = {"offset": 0, "scale": 10000, "dtype": "<f4", "astype": "<i2"}
FILTERS = {
    ("BitRound", 2): numcodecs.BitRound(keepbits=8),
    ("BitRound", 3): zarr3.BitRound(keepbits=8),
    ("FixedScaleOffset", 2): numcodecs.FixedScaleOffset(**packing),
    ("FixedScaleOffset", 3): zarr3.FixedScaleOffset(**packing),
}
seen = {}
for (name, form), rounding in FILTERS.items():
    for missing in (-9999.0, float("nan")):
        encoding = {"red": {"filters": [rounding], "_FillValue": missing}}
        scene.to_zarr("scene.zarr", mode="w", zarr_format=form, encoding=encoding, consolidated=False)
        with xr.open_zarr("scene.zarr", consolidated=False) as store:
            seen[f"{name}, Zarr {form}, fill value {missing:g}"] = store.red.values[0].tolist()
stored = np.nan_to_num(SCENE, nan=-9999)
with netCDF4.Dataset("scene.nc", "w") as file:
    file.createDimension("y", 1)
    file.createDimension("x", 4)
    red = file.createVariable("red", "f4", ("y", "x"), fill_value=-9999.0, significant_digits=8, quantize_mode="BitRound")
    red[:] = stored
with netCDF4.Dataset("scene.nc") as file:
    seen["netCDF, BitRound"] = file["red"][0].filled(np.nan).tolist()
with rasterio.open("scene.tif", "w", driver="GTiff", count=1, width=4, height=1, dtype="float32", nodata=-9999,
                   discard_lsb=15) as raster:
    raster.write(stored, 1)
with rasterio.open("scene.tif") as raster:
    seen["GeoTIFF, DISCARD_LSB"] = raster.read(1, masked=True).filled(np.nan)[0].tolist()
print(*(f"{name} {version(name)}" for name in ("numcodecs", "zarr", "xarray", "netCDF4")), "GDAL", rasterio.__gdal_version__)
print("a good guess:", SCENE[0].tolist())
for how, values in seen.items():
    print(f"seen, {how}: {[round(value, 4) for value in values]}")
    if how.startswith("FixedScaleOffset"):
        expected = [0.25, 0.0 if how.endswith("nan") else 1.7936, 0.5, -2.5536]
    elif how.startswith("BitRound") and how.endswith("-9999"):
        expected = [0.25, -9984.0, 0.5, 4.0]
    else:
        expected = SCENE[0]
    np.testing.assert_allclose(values, expected, rtol=1e-6, equal_nan=True)
PY
