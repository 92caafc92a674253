#!/bin/sh
# GDAL writes GeoTIFFs with LERC, the codec for rasters of measurements; missing pixels are NaN, the file's nodata value. A
# good guess: who reads the codec and the nodata value finds what is missing; tifffile and async-geotiff do for the same
# pixels under deflate. Seen: LERC keeps missing pixels as a mask of its own, with zeros under it, and both readers drop
# that mask: half a field that no one saw has reflectance 0, nothing is NaN, and the mean is half of what it is.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rasterio==1.4.4 tifffile==2026.3.3 \
  imagecodecs==2026.3.6 async-geotiff==0.5.1 obstore==0.12.1 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import asyncio
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rasterio
import tifffile
from async_geotiff import GeoTIFF
from obstore.store import LocalStore
from rasterio.transform import from_origin

PIXELS = np.repeat([[np.nan], [0.4]], 32, axis=0) * np.ones((64, 64))


async def read(store, name):
    return await (await GeoTIFF.open(name, store=store)).read()


def what(pixels):
    return int(np.isnan(pixels).sum()), round(float(np.nanmean(pixels)), 3)


seen = {}
for codec in ("deflate", "lerc"):
    name = f"{codec}.tif"
    with rasterio.open(name, "w", driver="GTiff", count=1, width=64, height=64, dtype="float32", nodata=np.nan, tiled=True,
                       blockxsize=64, blockysize=64, compress=codec, crs="EPSG:32632",
                       transform=from_origin(600000, 5200000, 10, 10)) as raster:
        raster.write(PIXELS.astype("float32"), 1)
    with rasterio.open(name) as raster:
        seen["rasterio", codec] = what(raster.read(1))
    seen["tifffile", codec] = what(tifffile.imread(name))
    array = asyncio.run(read(LocalStore(Path.cwd()), name))
    seen["async-geotiff", codec] = what(array.as_masked().filled(np.nan))
print("rasterio", version("rasterio"), "tifffile", version("tifffile"), "imagecodecs", version("imagecodecs"),
      "async-geotiff", version("async-geotiff"))
print("a good guess, missing pixels and mean of 64 x 64 pixels of which half are 0.4: (2048, 0.4) everywhere")
for (reader, codec), found in seen.items():
    print("seen,", reader, codec + ":", found)
assert [seen[reader, "deflate"] for reader in ("rasterio", "tifffile", "async-geotiff")] == [(2048, 0.4)] * 3
assert seen["rasterio", "lerc"] == (2048, 0.4)
assert seen["tifffile", "lerc"] == seen["async-geotiff", "lerc"] == (0, 0.2)
PY
