#!/bin/sh
# openEO's process aggregate_temporal takes intervals whose start belongs to them and whose end does not: May is
# ["05-01", "06-01"]. openeo-processes-dask carries such processes out on xarray cubes. A good guess: daily images at
# midnight, as composites and fused series are, fall into their own interval, as they do with aggregate_temporal_period by
# month. Seen: the first day is not in it and the end is: May misses the 1st, and June's 1st counts for May. So it is with
# each dekad, ten-day period, of aggregate_temporal_period.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openeo-pg-parser-networkx==2026.3.3 openeo==0.53.0 \
  dask-geopandas==0.5.0 geopandas==1.2.0 odc-stac==0.5.3 rioxarray==0.19.0 xvec==0.5.2 stac-validator==4.1.2 \
  planetary-computer==1.0.0 scipy==1.17.1 xarray==2026.9.0 pandas==2.3.3 dask==2026.8.0 numpy==2.4.6
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps openeo-processes-dask==2026.9.1
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import logging
from importlib.metadata import version

import numpy as np
import pandas as pd
import xarray as xr

logging.disable(logging.CRITICAL)
from openeo_processes_dask.process_implementations.cubes.aggregate import aggregate_temporal, aggregate_temporal_period

days = pd.date_range("2024-05-01", "2024-06-30", freq="D")
number = days.month * 100.0 + days.day  # of each image its month and day: 501 is 1 May
cube = xr.DataArray(np.broadcast_to(np.array(number)[:, None, None], (days.size, 1, 1)), {"t": days}, ("t", "y", "x"))
MONTHS = [["2024-05-01", "2024-06-01"], ["2024-06-01", "2024-07-01"]]


def first(data, axis=None, **_):
    return np.min(data, axis=axis)


def last(data, axis=None, **_):
    return np.max(data, axis=axis)


def spans(aggregate):
    """Of each period its label, first and last day."""
    begin, end = aggregate(first), aggregate(last)
    return list(zip((str(label)[:10] for label in begin.t.values), begin.values.ravel().astype(int).tolist(),
                    end.values.ravel().astype(int).tolist(), strict=True))


seen = {
    "by month": spans(lambda reducer: aggregate_temporal_period(data=cube, reducer=reducer, period="month")),
    "intervals": spans(lambda reducer: aggregate_temporal(data=cube, intervals=MONTHS, reducer=reducer)),
    "by dekad": spans(lambda reducer: aggregate_temporal_period(data=cube, reducer=reducer, period="dekad")),
}
print("openeo-processes-dask", version("openeo-processes-dask"), "xarray", version("xarray"))
print("a good guess, first and last day: May 501 to 531, June 601 to 630; dekads 501 to 510, 511 to 520, 521 to 531 ...")
for how, periods in seen.items():
    print(f"seen, {how}:", ", ".join(f"{label}: {begin} to {end}" for label, begin, end in periods))
assert [period[1:] for period in seen["by month"]] == [(501, 531), (601, 630)]
assert seen["intervals"] == [("2024-05-01", 502, 601), ("2024-06-01", 602, 630)]
assert seen["by dekad"][:4] == [("2024-12", 502, 511), ("2024-13", 512, 521), ("2024-14", 522, 601), ("2024-15", 602, 611)]
PY
