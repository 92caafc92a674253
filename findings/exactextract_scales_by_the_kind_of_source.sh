#!/bin/sh
# exactextract takes a raster as a path, as a rasterio dataset or as an xarray array opened by rioxarray. A good guess: the
# same file gives the same zonal mean whichever way it is handed over. Seen: a path and a dataset give physical values,
# with the band's scale and offset applied; the array gives stored numbers, though it carries scale_factor and add_offset.
# Reflectance 0.1 is 2000, and nothing says so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check exactextract==0.3.0 rioxarray==0.19.0 \
  rasterio==1.4.4 xarray==2026.9.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import rasterio
import rioxarray
from exactextract import exact_extract
from rasterio.transform import from_origin

with rasterio.open("red.tif", "w", driver="GTiff", count=1, width=8, height=8, dtype="int16", nodata=-1,
                   crs="EPSG:32632", transform=from_origin(600000, 5200000, 10, 10)) as raster:
    raster.write(np.full((1, 8, 8), 2000, "int16"))
    raster.scales, raster.offsets = (0.0001,), (-0.1,)
corners = [[600010, 5199950], [600050, 5199950], [600050, 5199990], [600010, 5199990], [600010, 5199950]]
field = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [corners]}}


def mean(source):
    return round(exact_extract(source, [field], ["mean"])[0]["properties"]["mean"], 6)


array = rioxarray.open_rasterio("red.tif")
with rasterio.open("red.tif") as dataset:
    seen = {"path": mean("red.tif"), "rasterio": mean(dataset), "rioxarray": mean(array)}
print("exactextract", version("exactextract"), "rioxarray", version("rioxarray"), "rasterio", version("rasterio"))
print("the array knows its scale and offset:", array.attrs["scale_factor"], array.attrs["add_offset"])
print("a good guess: one mean, 0.1 or 2000, for all three")
print("seen:", seen)
assert (array.attrs["scale_factor"], array.attrs["add_offset"]) == (0.0001, -0.1)
assert seen == {"path": 0.1, "rasterio": 0.1, "rioxarray": 2000.0}
PY
