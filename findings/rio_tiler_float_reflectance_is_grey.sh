#!/bin/sh
# rio-tiler: reflectance as float32 becomes one even grey when rendered without rescale, whatever the pixels hold.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet rio-tiler==9.4.12
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rio_tiler.io import Reader

ramp = np.linspace(0.0, 0.6, 64 * 64, dtype="float32").reshape(64, 64)
profile = dict(driver="GTiff", width=64, height=64, count=3, dtype="float32", crs="EPSG:32632")
with rasterio.open("scene.tif", "w", transform=from_origin(600000, 5200000, 10, 10), **profile) as raster:
    for band in (1, 2, 3):
        raster.write(ramp * band / 3, band)


def levels(png):
    with MemoryFile(png) as memory, memory.open() as picture:
        return [int(np.unique(picture.read(band)).size) for band in (1, 2, 3)]


with Reader("scene.tif") as reader:
    plain = levels(reader.preview().render(img_format="PNG"))
    image = reader.preview()
    image.rescale(((0, 0.6),) * 3)
    stretched = levels(image.render(img_format="PNG"))

print("rio-tiler", version("rio-tiler"))
print("a good guess: a picture of the ramp, or an error that asks for a range")
print("grey levels a band without rescale:", plain, "; with rescale 0 to 0.6:", stretched)
assert plain == [1, 1, 1], "float reflectance is no longer rendered as one grey"
assert min(stretched) > 50
PY
