#!/bin/sh
# A GeoTIFF may say which pixels are missing by a mask inside the file, and rio-cogeo copies such a mask into the cloud
# optimized GeoTIFF that it makes. A good guess: it does so for every type of pixel, as rasterio and rio-tiler read the
# mask of every type. Seen: uint8 and uint16 keep it; int16 and float32, as NDVI and reflectance are stored, lose it. The
# copy still has a mask, but one that hides nothing, and what lay under the old one has become zeros that count.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rio-cogeo==7.0.4 rio-tiler==9.4.12 rasterio==1.4.4 \
  numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rio_cogeo import cog_profiles, cog_translate
from rio_tiler.io import Reader

good = np.full((256, 256), 255, "uint8")
good[:64] = 0
seen = {}
for dtype in ("uint8", "uint16", "int16", "float32"):
    with rasterio.open("image.tif", "w", driver="GTiff", count=1, width=256, height=256, dtype=dtype, crs="EPSG:32632",
                       transform=from_origin(600000, 5200000, 10, 10)) as raster:
        raster.write(np.full((1, 256, 256), 100, dtype))
        raster.write_mask(good)
    with rasterio.open("image.tif") as raster:
        whole = raster.read(1, masked=True)
    cog_translate("image.tif", "copy.tif", cog_profiles.get("deflate"), quiet=True)
    with rasterio.open("copy.tif") as raster:
        copied = raster.read(1, masked=True)
    with Reader("image.tif") as reader:
        shown = reader.preview().array[0]
    seen[dtype] = [round(float(np.ma.getmaskarray(pixels).mean()), 2) for pixels in (whole, shown, copied)]
    seen[dtype].append(round(float(copied.mean()), 1))
print("rio-cogeo", version("rio-cogeo"), "rio-tiler", version("rio-tiler"), "rasterio", version("rasterio"))
print("a good guess for every type: a quarter is missing in the file, the preview and the copy; the copy's mean is 100")
for dtype, (whole, shown, copied, mean) in seen.items():
    print(f"seen, {dtype}: missing {whole} in the file, {shown} in rio-tiler's preview, {copied} in the copy; mean {mean}")
assert seen["uint8"] == seen["uint16"] == [0.25, 0.25, 0.25, 100.0]
assert seen["int16"] == seen["float32"] == [0.25, 0.25, 0.0, 75.0]
PY
