#!/bin/sh
# geocube makes rasters of a vector layer's columns, of dates too: when a field was sown, when a stand burnt. The raster
# says `units: seconds from 1970-01-01T00:00:00`. A good guess: its numbers are seconds, and a field without a date is as
# missing as ground without a field. Seen: they are seconds only where the column has that unit in memory; dates given as
# text come out in nanoseconds, datetime64[us] in microseconds, under the same `units`. A field without a date is -9.2e18, a
# number like any other (in nanoseconds a day in 1677); only ground without a field is NaN.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check geocube==0.7.1 geopandas==1.2.0 pandas==2.3.3 \
  xarray==2026.9.0 rioxarray==0.19.0 rasterio==1.4.4 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version

import geopandas as gpd
import numpy as np
import pandas as pd
from geocube.api.core import make_geocube
from shapely.geometry import box

DATES = ["2024-05-01", None]
FIELDS = [box(0, 0, 30, 30), box(30, 30, 60, 60)]
MEANT = datetime(2024, 5, 1, tzinfo=UTC).timestamp()


def sown(column, **options):
    fields = gpd.GeoDataFrame({"sown": column}, geometry=FIELDS, crs=32632)
    cube = make_geocube(fields, measurements=["sown"], resolution=(-10, 10), **options).sown
    return cube.attrs["units"], *(float(cube.sel(x=x, y=y)) for x, y in ((15, 15), (45, 45), (15, 45)))


seen = {
    "text": sown(DATES, datetime_measurements=["sown"]),
    "datetime64[us]": sown(pd.to_datetime(DATES).astype("datetime64[us]")),
    "datetime64[s]": sown(pd.to_datetime(DATES).astype("datetime64[s]")),
}
print("geocube", version("geocube"), "pandas", version("pandas"))
print("a good guess:", MEANT, "for the field with a date, NaN for the field without and for the ground between")
for what, (units, with_date, without, ground) in seen.items():
    print(f"seen, {what}: {with_date:.7e} \"{units}\"; without a date {without:.4e}; no field {ground}")
assert {units for units, *_ in seen.values()} == {"seconds from 1970-01-01T00:00:00"}
assert [round(with_date / MEANT) for _, with_date, *_ in seen.values()] == [10**9, 10**6, 1]
assert [without for _, _, without, _ in seen.values()] == [float(np.iinfo("int64").min)] * 3
assert all(np.isnan(ground) for *_, ground in seen.values())
PY
