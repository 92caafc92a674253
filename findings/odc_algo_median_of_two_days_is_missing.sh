#!/bin/sh
# odc-algo makes composites of a season: quantiles along time, over what is not nodata. A good guess: a pixel that was seen
# on two days has a median, and where an even number of days is good the median is the mean of the middle two, as NumPy's
# nanmedian has it, or always the lower or the upper of them. Seen: pixels of one or two good days are missing in the
# composite, as though they had never been seen; of 4 and 8 days it takes the upper, of 6 and 10 the lower.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check odc-algo==1.2.2 xarray==2026.9.0 dask==2026.8.0 \
  numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import xarray as xr
from odc.algo import xr_quantile

DAYS = (1, 2, 3, 4, 5, 6, 8, 10)
season = np.full((10, 1, len(DAYS)), np.nan)
for column, days in enumerate(DAYS):
    season[:days, 0, column] = np.arange(1, days + 1)
dataset = xr.Dataset({"red": (("time", "y", "x"), season)}, {"y": [0], "x": list(DAYS)})
median = xr_quantile(dataset, [0.5], nodata=np.nan).red.isel(quantile=0, y=0).values
wanted = np.nanmedian(season, axis=0)[0]
print("odc-algo", version("odc-algo"), "xarray", version("xarray"), "numpy", version("numpy"))
for days, good, found in zip(DAYS, wanted, median, strict=True):
    print(f"good days {days}, with values 1 ... {days}: a good guess {good}, seen {found}")
assert np.isnan(median[:2]).all() and not np.isnan(wanted).any()
assert median[2:].tolist() == [2, 3, 3, 3, 5, 5]
PY
