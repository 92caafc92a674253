#!/bin/sh
# Rows and columns without a value are dropped of a raster to spare room (`dropna`): its coordinates still say where each
# pixel lies. A good guess: what is made of it, by odc-geo or rioxarray, lies where the coordinates say, or is refused as
# uneven. Seen: neither looks at the middle of an axis. odc-geo keeps the pixel's size and moves all columns after the gap
# up to it; rioxarray keeps both ends and stretches every pixel, so that it is the middle that moves. exactextract takes the
# stretched place. Nothing is said.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check odc-geo==0.5.3 rioxarray==0.19.0 rasterio==1.4.4 \
  exactextract==0.3.0 xarray==2026.9.0 dask==2026.8.0 shapely==2.1.2 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import odc.geo.xr  # noqa: F401
import rasterio
import rioxarray  # noqa: F401
import xarray as xr
from exactextract import exact_extract
from odc.geo.geobox import GeoBox
from shapely.geometry import box, mapping

FIELD = box(600090, 5200000, 600110, 5200100)
eastings, northings = np.arange(600005.0, 600200, 10), np.arange(5200095.0, 5200000, -10)
values = np.repeat(eastings[None] - 600000, northings.size, axis=0)  # of each pixel its easting
values[:, 5:9] = np.nan
whole = xr.DataArray(values, {"y": northings, "x": eastings}, ("y", "x"), "red").rio.write_crs(32632)
grid = GeoBox.from_bbox((600000, 5200000, 600200, 5200100), crs="EPSG:32632", resolution=10)
seen = {}
for name, raster in (("whole", whole), ("without empty columns", whole.dropna("x", how="all"))):
    raster.rio.to_raster("red.tif")
    with rasterio.open("red.tif") as written:
        columns = slice(written.index(600091, 5200050)[1], written.index(600109, 5200050)[1] + 1)
        found = {"rioxarray's GeoTIFF": written.read(1)[5, columns]}
    on_grid = {
        "odc-geo": raster.odc.reproject(grid),
        "rioxarray": raster.rio.reproject(grid.crs, transform=grid.affine, shape=grid.shape),
    }
    found |= {who: warped.values[5, 9:11] for who, warped in on_grid.items()}
    features = [{"type": "Feature", "properties": {}, "geometry": mapping(FIELD)}]
    found["exactextract"] = exact_extract(raster, features, "mean")[0]["properties"]["mean"]
    seen[name] = {who: round(float(np.mean(pixels)), 1) for who, pixels in found.items()}
print(*(f"{package} {version(package)}" for package in ("odc-geo", "rioxarray", "exactextract", "xarray")))
print("a good guess for the field's mean, where a pixel holds its easting: 100, with and without the empty columns")
for name, means in seen.items():
    print(f"seen, {name}:", ", ".join(f"{who} {mean}" for who, mean in means.items()))
assert set(seen["whole"].values()) == {100.0}
assert list(seen["without empty columns"].values()) == [120.0, 140.0, 120.0, 120.0]
PY
