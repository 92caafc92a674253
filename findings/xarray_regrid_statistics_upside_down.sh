#!/bin/sh
# xarray-regrid brings fine pixels to a coarser grid: by weights (conservative, linear, nearest) or by a statistic of the
# pixels in a cell (mean, median, standard deviation). A good guess: a target grid whose rows run from north to south, as
# rasters' do, gives what the same grid from south to north gives. Seen: so it is by weights; statistics come out upside
# down, the north's under the south's coordinates, whatever the order of the source, and nothing says so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xarray-regrid==0.4.2 flox==0.11.2 xarray==2026.9.0 \
  dask==2026.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import xarray as xr
import xarray_regrid  # noqa: F401

NORTHINGS = np.arange(5, 120, 10.0)
values = np.repeat(np.arange(12.0)[:, None], 12, axis=1)  # 0 in the south, 11 in the north
raster = xr.DataArray(values, {"y": NORTHINGS, "x": NORTHINGS}, ("y", "x"), "cover").sortby("y", ascending=False)
METHODS = {
    "conservative": lambda grid: raster.regrid.conservative(grid),
    "nearest": lambda grid: raster.regrid.nearest(grid),
    "mean": lambda grid: raster.regrid.stat(grid, method="mean"),
    "median": lambda grid: raster.regrid.stat(grid, method="median"),
}
seen = {}
for method, regrid in METHODS.items():
    for order in ("south to north", "north to south"):
        grid = xr.Dataset(coords={"y": [20.0, 60.0, 100.0], "x": [20.0, 60.0, 100.0]})
        grid = grid.sortby("y", ascending=order == "south to north")
        column = regrid(grid).transpose("y", "x").isel(x=0)
        seen[method, order] = [float(column.sel(y=y)) for y in (20.0, 60.0, 100.0)]
print("xarray-regrid", version("xarray-regrid"), "flox", version("flox"), "xarray", version("xarray"))
print("a good guess for each method: south, middle and north do not depend on the order of the target's rows")
for (method, order), column in seen.items():
    print(f"seen, {method}, {order}: south {column[0]}, middle {column[1]}, north {column[2]}")
for method in ("conservative", "nearest"):
    assert seen[method, "north to south"] == seen[method, "south to north"]
for method in ("mean", "median"):
    assert seen[method, "south to north"] == [1.5, 5.5, 9.5]
    assert seen[method, "north to south"] == [9.5, 5.5, 1.5]
PY
