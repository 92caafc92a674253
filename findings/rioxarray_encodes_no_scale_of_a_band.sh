#!/bin/sh
# rioxarray decodes a GeoTIFF with mask_and_scale and encodes it again when it is written: with one scale for all bands the
# file that comes out equals the one that went in. A good guess: so it is with a scale for each band. Seen: decoding takes
# each band's own scale and offset, and writing none: reflectances are rounded to whole numbers, 0.1 to 0 and 0.9 to 1, yet
# stored under the old scale and offset, so that the copy reads as -0.1 everywhere.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rioxarray==0.19.0 rasterio==1.4.4 xarray==2026.9.0 \
  numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import rasterio
import rioxarray
from rasterio.transform import from_origin

STORED = np.array([[[2000, 10000]], [[3000, 3100]]], "int16")


def copied(scales):
    """Physical values of a file, as rioxarray decodes them and as its copy holds them."""
    with rasterio.open("made.tif", "w", driver="GTiff", count=2, width=2, height=1, dtype="int16", nodata=-9999,
                       crs="EPSG:32632", transform=from_origin(600000, 5200000, 10, 10)) as raster:
        raster.write(STORED)
        raster.scales, raster.offsets = scales, (-0.1, -0.1)
    decoded = rioxarray.open_rasterio("made.tif", mask_and_scale=True).load()
    decoded.rio.to_raster("copy.tif")
    decoded.close()
    with rasterio.open("copy.tif") as raster:
        stored = raster.read()
        physical = stored * np.array(raster.scales)[:, None, None] + np.array(raster.offsets)[:, None, None]
    return decoded.values.astype(float).round(3).tolist(), physical.round(3).tolist(), stored.tolist(), stored.dtype.name


print("rioxarray", version("rioxarray"), "rasterio", version("rasterio"))
for what, scales in (("one scale", (0.0001, 0.0001)), ("a scale a band", (0.0001, 0.01))):
    decoded, physical, stored, dtype = copied(scales)
    print(f"{what}: decoded {decoded}; a good guess for the copy: the same")
    print(f"seen in the copy: {physical}, stored as {dtype} {stored}")
    if what == "one scale":
        assert physical == decoded == [[[0.1, 0.9]], [[0.2, 0.21]]] and stored == STORED.tolist()
assert decoded == [[[0.1, 0.9]], [[29.9, 30.9]]]
assert (stored, dtype) == ([[[0, 1]], [[30, 31]]], "int16")
assert physical == [[[-0.1, -0.1]], [[0.2, 0.21]]]
PY
