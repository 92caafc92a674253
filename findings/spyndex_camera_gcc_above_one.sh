#!/bin/sh
# spyndex computes spectral indices of arrays by name. Camera images are uint8, Sentinel-2 numbers uint16. A good guess:
# whole numbers give the index that the same numbers give as floats, as in rio-tiler's expressions. Seen: the parts of the
# formula wrap around at the type's end, so that the green chromatic coordinate of an ordinary photograph is 2.2, above 1,
# where it cannot be, and NDVI of snow 345; no warning, and where nothing wraps the answer is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check spyndex==0.12.0 rio-tiler==9.4.12 numpy==2.4.6
cd "$folder"
venv/bin/python -W error - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spyndex
    from rio_tiler.models import ImageData


def gcc(dtype, red, green, blue):
    bands = {"R": red, "G": green, "B": blue}
    return round(float(spyndex.computeIndex("GCC", {name: np.array([v], dtype) for name, v in bands.items()})[0]), 3)


def ndvi(dtype):
    return round(float(spyndex.computeIndex("NDVI", {"N": np.array([90], dtype), "R": np.array([100], dtype)})[0]), 3)


tile = ImageData(np.array([[[100]], [[120]], [[90]]], "uint8"), band_names=["b1", "b2", "b3"])
expression = round(float(tile.apply_expression("b2/(b1+b2+b3)").array[0, 0, 0]), 3)
seen = {
    "GCC of (100, 120, 90), float32": gcc("float32", 100, 120, 90),
    "GCC of (100, 120, 90), uint8": gcc("uint8", 100, 120, 90),
    "GCC of (80, 90, 60), uint8": gcc("uint8", 80, 90, 60),
    "NDVI of (90, 100), float32": ndvi("float32"),
    "NDVI of (90, 100), uint16": ndvi("uint16"),
}
print("spyndex", version("spyndex"), "numpy", version("numpy"))
print("a good guess: the numbers of float32; rio-tiler", version("rio-tiler"), "gives for uint8", expression)
for what, value in seen.items():
    print("seen,", what + ":", value)
assert expression == 0.387
assert list(seen.values()) == [0.387, 2.222, 0.391, -0.053, 344.874]
PY
