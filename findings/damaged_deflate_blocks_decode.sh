#!/bin/sh
# A GeoTIFF's deflate block ends with a checksum of its pixels. A good guess: reading a block whose bytes were changed on
# the way is an error, as it is for zlib. Seen: for a part of the changes the read succeeds and gives other pixels.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rasterio==1.4.4 numpy==2.3.5 affine==2.4.0
"$folder/venv/bin/python" - <<'PY'
import logging
import sys
import zlib

import numpy as np
import rasterio
from rasterio.io import MemoryFile

logging.disable(logging.CRITICAL)
rows, columns = np.indices((512, 512))
pixels = ((rows + columns) % 400 + 1100).astype("uint16")
profile = {"driver": "GTiff", "count": 1, "height": 512, "width": 512, "dtype": "uint16", "tiled": True,
           "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2, "crs": "EPSG:32632",
           "transform": rasterio.transform.from_origin(600000, 5200000, 10, 10)}
with MemoryFile() as memory:
    with memory.open(**profile) as dataset:
        dataset.write(pixels, 1)
    whole = bytes(memory.read())
with MemoryFile(whole) as memory, memory.open() as dataset:
    start = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    size = int(dataset.get_tag_item("BLOCK_SIZE_0_0", "TIFF", bidx=1))

dice = np.random.default_rng(0)
refused = errors = other = 0
for _ in range(200):
    changed = bytearray(whole)
    changed[start + 2 + int(dice.integers(0, size - 6))] ^= 1 << int(dice.integers(0, 8))
    try:
        zlib.decompress(bytes(changed[start : start + size]))
    except zlib.error:
        refused += 1
    try:
        with MemoryFile(bytes(changed)) as memory, memory.open() as dataset:
            other += not np.array_equal(dataset.read(1), pixels)
    except rasterio.errors.RasterioError:
        errors += 1
print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}: of 200 blocks with one bit changed")
print(f"zlib refuses {refused}; reading is an error {errors} times (the guess: 200) and gives other pixels {other} times")
sys.exit(0 if refused == 200 and other > 0 else 1)
PY
