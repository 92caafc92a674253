#!/bin/sh
# xvec takes values of a cube at points (stations, cameras) whose geometry knows its CRS, and the cube knows its own. A
# good guess: a point in longitude and latitude is brought to the raster's metres or refused, and one off the raster gets
# no value, as from rasterio's sample and from xvec's own zonal statistics. Seen: neither. Every point gets the pixel that is
# nearest in bare numbers: a camera in degrees, of any place on Earth, gets the raster's corner nearest to the origin, and a
# station hundreds of kilometres away the border next to it. The result carries the points' CRS.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xvec==0.5.2 xproj==0.2.1 geopandas==1.2.0 \
  rioxarray==0.19.0 rasterio==1.4.4 xarray==2026.9.0 joblib==1.6.0 numpy==2.4.6 shapely==2.1.2
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import geopandas as gpd
import numpy as np
import rasterio
import rioxarray
import xvec  # noqa: F401
from rasterio.transform import from_origin
from shapely.geometry import Point

with rasterio.open("ndvi.tif", "w", driver="GTiff", count=1, width=20, height=20, dtype="float32", crs="EPSG:32632",
                   nodata=np.nan, transform=from_origin(600000, 5200000, 10, 10)) as raster:
    raster.write((np.arange(400).reshape(1, 20, 20) / 400).astype("float32"))
ndvi = rioxarray.open_rasterio("ndvi.tif").squeeze("band", drop=True)
places = gpd.GeoSeries({"inside": Point(600055, 5199955), "300 km to the east": Point(900055, 5199955)}, crs=32632)
in_degrees = gpd.GeoSeries({"inside, in degrees": places.to_crs(4326).iloc[0], "Sydney": Point(151.2, -33.9)}, crs=4326)
seen = {}
for points, reach in ((places, 8), (in_degrees, 0.0001)):
    got = ndvi.xvec.extract_points(points, x_coords="x", y_coords="y")
    around = ndvi.xvec.zonal_stats(points.buffer(reach), x_coords="x", y_coords="y",
                                   stats="mean", method="iterate")
    with rasterio.open("ndvi.tif") as raster:
        sampled = [value[0] for value in raster.sample([(point.x, point.y) for point in points])]
    for name, *values in zip(points.index, got.values, around.values, sampled, strict=True):
        seen[name] = dict(zip(("extract_points", "zonal_stats", "rasterio"), (round(float(v), 4) for v in values)))
    assert got.xindexes["geometry"].crs == points.crs
print(*(f"{name} {version(name)}" for name in ("xvec", "rioxarray", "geopandas", "rasterio")))
print("a good guess: a value for the first alone, or for the first and the same place in degrees")
for name, values in seen.items():
    print(f"seen, {name}: {values}")
corner, border = float(ndvi[19, 0]), float(ndvi[4, 19])
assert seen["inside"]["extract_points"] == seen["inside"]["rasterio"] == round(float(ndvi[4, 5]), 4)
for name, value in (("300 km to the east", border), ("inside, in degrees", corner), ("Sydney", corner)):
    assert seen[name]["extract_points"] == round(value, 4), name
    assert np.isnan([seen[name]["zonal_stats"], seen[name]["rasterio"]]).all(), name
PY
