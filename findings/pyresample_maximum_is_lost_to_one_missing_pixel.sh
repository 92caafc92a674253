#!/bin/sh
# pyresample gathers fine pixels, or those of a swath, in the cells of a grid and gives of each cell the mean, the sum, the
# minimum or the maximum, as a maximum value composite takes it; `skipna`, true if nothing is said, leaves missing pixels
# out. A good guess: of all four, and with it false a missing pixel shows in each. Seen: so do mean and sum alone. The
# maximum, and the value that is largest without its sign, is NaN in every cell with one missing pixel, whatever `skipna`
# says; the minimum never is before the whole cell is missing. A cloudy pixel of nine costs the cell.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyresample==1.35.0 dask==2026.8.0 xarray==2026.9.0 \
  pandas==2.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import dask.array as da
import numpy as np
from pyresample.bucket import BucketResampler
from pyresample.geometry import AreaDefinition

EXTENT = (600000, 5199940, 600060, 5200000)
fine, coarse = (AreaDefinition(name, name, name, 32632, size, size, EXTENT) for name, size in (("fine", 6), ("coarse", 2)))
ndvi = np.tile(np.array([[0.2, 0.4, 0.6]]), (6, 2))
ndvi[0, 3] = np.nan  # one pixel of nine, not the greatest, in the north-eastern cell
ndvi[3:, 3:] = np.nan  # all nine in the south-eastern
buckets = BucketResampler(coarse, *(da.from_array(degrees) for degrees in fine.get_lonlats()))
WAYS = {"mean": buckets.get_average, "sum": buckets.get_sum, "minimum": buckets.get_min, "maximum": buckets.get_max,
        "greatest without its sign": buckets.get_abs_max}
seen = {(name, skipna): way(da.from_array(ndvi), skipna=skipna).compute().ravel().round(3).tolist()
        for name, way in WAYS.items() for skipna in (True, False)}
print("pyresample", version("pyresample"))
print("cells: whole, one pixel of nine missing, whole, all missing")
print("a good guess for the second cell: a number with skipna, NaN without")
for (name, skipna), cells in seen.items():
    print(f"seen, {name}, skipna={skipna}: {cells}")
second = {key: cells[1] for key, cells in seen.items()}
assert all(cells[0] == cells[2] and np.isfinite(cells[0]) for cells in seen.values())
assert (second["mean", True], second["sum", True]) == (0.425, 3.4)
assert np.isnan([second["mean", False], second["sum", False]]).all()
assert second["minimum", True] == second["minimum", False] == 0.2
for name in ("maximum", "greatest without its sign"):
    assert seen[name, True][0] == 0.6 and np.isnan([second[name, True], second[name, False]]).all(), name
PY
