#!/bin/sh
# CF lets projected coordinates be in kilometres, as several satellite products have them. A good guess: a file that gives
# its CRS twice, as attributes and as `crs_wkt`, is placed where the same file without `crs_wkt` is. Seen: GDAL turns
# kilometres into metres only where `crs_wkt` is left out; with it, pixels of 9 km are 9 m wide and lie a thousandth of the
# way from the origin, under a CRS in metres. rioxarray and odc-geo never look at the coordinates' unit.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rioxarray==0.19.0 odc-geo==0.5.3 xarray==2026.9.0 \
  rasterio==1.4.4 h5netcdf==1.8.2 h5py==3.16.0 pyproj==3.7.2 dask==2026.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import odc.geo.xr  # noqa: F401
import rasterio
import rioxarray  # noqa: F401
import xarray as xr
from pyproj import CRS

EASE = CRS("EPSG:6933")  # no false easting or northing, which would have to be in kilometres as well


def corner_and_size(affine):
    return round(affine.c, 3), round(affine.f, 3), round(affine.a, 3)


def placed(unit, with_wkt):
    """Corner and pixel size by GDAL, rioxarray and odc-geo; whether GDAL's CRS is in metres."""
    metres = {"m": 1, "km": 1000}[unit]
    axis = lambda name: {"standard_name": f"projection_{name}_coordinate", "units": unit}
    mapping = EASE.to_cf()
    if not with_wkt:
        del mapping["crs_wkt"]
    x, y = (900_000 + 9000 * (np.arange(4) + 0.5)) / metres, (5_400_000 - 9000 * (np.arange(4) + 0.5)) / metres
    scene = xr.Dataset({"moisture": (("y", "x"), np.full((4, 4), 0.3, "float32"), {"grid_mapping": "crs"})},
                       coords={"x": ("x", x, axis("x")), "y": ("y", y, axis("y"))}, attrs={"Conventions": "CF-1.8"})
    scene["crs"] = xr.DataArray(np.int32(0), attrs=mapping)
    path = f"{unit}_{with_wkt}.nc"
    scene.to_netcdf(path, engine="h5netcdf")
    with rasterio.open(path) as raster:
        by_gdal, linear = corner_and_size(raster.transform), raster.crs.linear_units
    moisture = xr.open_dataset(path, engine="h5netcdf", decode_coords="all")["moisture"]
    return by_gdal, corner_and_size(moisture.rio.transform()), corner_and_size(moisture.odc.geobox.affine), linear


print("rasterio", version("rasterio"), "GDAL", rasterio.__gdal_version__)
print("rioxarray", version("rioxarray"), "odc-geo", version("odc-geo"))
right, wrong = (900_000, 5_400_000, 9000), (900, 5400, 9)
print("a good guess: west, north and pixel size are", right, "in all four files")
seen = {}
for unit in ("m", "km"):
    for with_wkt in (True, False):
        seen[unit, with_wkt] = placed(unit, with_wkt)
        by_gdal, by_rioxarray, by_odc, linear = seen[unit, with_wkt]
        print(f"{unit}, crs_wkt {with_wkt}: GDAL {by_gdal} {linear}, rioxarray {by_rioxarray}, odc-geo {by_odc}")
assert seen["m", True] == seen["m", False] == (right, right, right, "metre")
assert seen["km", True] == (wrong, wrong, wrong, "metre")
assert seen["km", False] == (right, wrong, wrong, "metre")
PY
