#!/bin/sh
# A GeoTIFF may say which pixels are missing by a mask inside the file instead of a nodata value. A good guess: odc-stac
# takes such pixels for missing, as rasterio and rio-tiler do, or for data, but either at every resolution. Seen: loaded on
# the image's own grid, what lies under the mask is data; loaded on any other grid, the same pixels are missing. So a
# mosaic of one day takes the hidden pixels of the first scene instead of the good ones of the second, or it does not, by
# the resolution asked for.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check odc-stac==0.5.3 odc-loader==0.6.5 odc-geo==0.5.3 \
  pystac==1.15.2 rasterio==1.4.4 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import odc.stac
import pystac
import rasterio
from pystac.extensions.projection import ProjectionExtension
from rasterio.transform import from_origin

CLOUD, SECOND = 9000, 500
PROFILE = {"driver": "GTiff", "count": 1, "width": 64, "height": 64, "dtype": "uint16", "crs": "EPSG:32632",
           "transform": from_origin(600000, 5200000, 10, 10), "tiled": True, "blockxsize": 64, "blockysize": 64}
shown = np.ones((64, 64), bool)
shown[:32] = False  # the northern half is cloud
with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open("first.tif", "w", **PROFILE) as raster:
    raster.write(np.where(shown, 3000, CLOUD).astype("uint16"), 1)
    raster.write_mask(shown)
with rasterio.open("second.tif", "w", **PROFILE) as raster:
    raster.write(np.full((64, 64), SECOND, "uint16"), 1)


def item(name, hour):
    corners = [[10.3, 46.9], [10.4, 46.9], [10.4, 47.0], [10.3, 47.0], [10.3, 46.9]]
    properties = {"proj:code": "EPSG:32632", "proj:shape": [64, 64], "proj:transform": [10, 0, 600000, 0, -10, 5200000]}
    made = pystac.Item(name, {"type": "Polygon", "coordinates": [corners]}, [10.3, 46.9, 10.4, 47.0],
                       datetime(2024, 5, 5, hour, tzinfo=UTC), properties)
    ProjectionExtension.add_to(made)
    made.add_asset("red", pystac.Asset(str(Path(f"{name}.tif").resolve()), media_type=pystac.MediaType.COG))
    return made


def north_and_south(items, **grid):
    values = odc.stac.load(items, bands=["red"], groupby="solar_day", **grid)["red"].values
    assert len(values) == 1
    rows = [float(values[0, at, values.shape[2] // 2]) for at in (0, -1)]
    return [None if np.isnan(value) else value for value in rows]


with rasterio.open("first.tif") as raster:
    by_rasterio = raster.read(1, masked=True)[[0, -1], 32].tolist()
one, both = [item("first", 10)], [item("first", 10), item("second", 11)]
coarser = {"crs": "EPSG:32632", "resolution": 20, "resampling": "average"}
seen = {
    "one scene, own grid": north_and_south(one),
    "one scene, 20 m": north_and_south(one, **coarser),
    "two scenes of one day, own grid": north_and_south(both),
    "two scenes of one day, 20 m": north_and_south(both, **coarser),
}
print("odc-stac", version("odc-stac"), "odc-loader", version("odc-loader"), "rasterio", version("rasterio"))
print("hidden north and shown south; rasterio:", by_rasterio)
print("a good guess: None and 3000 for one scene, 500 and 3000 for two, at both resolutions")
for what, values in seen.items():
    print("seen,", what + ":", values)
assert by_rasterio == [None, 3000]
assert seen["one scene, own grid"] == [CLOUD, 3000]
assert seen["one scene, 20 m"] == [None, 3000]
assert seen["two scenes of one day, own grid"] == [CLOUD, 3000]
assert seen["two scenes of one day, 20 m"] == [SECOND, 3000]
PY
