#!/bin/sh
# rio-tiler: every band of a preview carries the description of the last band that was read.
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
from rasterio.transform import from_origin
from rio_tiler.io import Reader

NAMES = ["blue", "green", "red", "nir"]
profile = dict(driver="GTiff", width=64, height=64, count=4, dtype="float32", crs="EPSG:32632")
with rasterio.open("scene.tif", "w", transform=from_origin(600000, 5200000, 10, 10), **profile) as raster:
    for band, name in enumerate(NAMES, 1):
        raster.write(np.full((64, 64), 0.05 * band, "float32"), band)
        raster.set_band_description(band, name)

with Reader("scene.tif") as reader:
    told = [name for _, name in reader.info().band_descriptions]
    everything = reader.preview().band_descriptions
    colours = reader.preview(indexes=(3, 2, 1)).band_descriptions

print("rio-tiler", version("rio-tiler"))
print("a good guess: the descriptions of the bands asked for, as info() gives them:", told)
print("seen for all four bands:  ", everything)
print("seen for red, green, blue:", colours)
assert told == NAMES
assert everything == ["nir"] * 4, "all four bands no longer carry the last description"
assert colours == ["blue"] * 3, "the three bands no longer carry the last description"
PY
