#!/bin/sh
# Bands of a virtual raster (VRT) may have a nodata value each, as bands of several products have that are put side by
# side. A good guess: who reads band 2 masks what band 2 calls nodata; rasterio and exactextract do. Seen: rio-tiler and
# rasterstats mask every band by the nodata of the first: band 2's -9999 is measured, and its good zeros are missing.
# rio-tiler even scales it, for scale and offset it does take from each band.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rio-tiler==9.4.12 rasterstats==0.21.0 \
  exactextract==0.3.0 rasterio==1.4.4 numpy==2.4.6 shapely==2.1.2
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rasterio
from exactextract import exact_extract
from rasterio.transform import from_origin
from rasterstats import zonal_stats
from rio_tiler.io import Reader

PIXELS = {1: ([[0, 100], [200, 300]], 0, 0.0001, -0.1), 2: ([[-9999, 0], [200, 300]], -9999, 0.01, 5.0)}
bands = ""
for band, (pixels, nodata, scale, offset) in PIXELS.items():
    with rasterio.open(f"{band}.tif", "w", driver="GTiff", count=1, width=2, height=2, dtype="int16", nodata=nodata,
                       crs="EPSG:32632", transform=from_origin(600000, 5200000, 10, 10)) as raster:
        raster.write(np.array(pixels, "int16"), 1)
    bands += (f'<VRTRasterBand dataType="Int16" band="{band}"><NoDataValue>{nodata}</NoDataValue><Offset>{offset}</Offset>'
              f"<Scale>{scale}</Scale><SimpleSource><SourceFilename relativeToVRT=\"1\">{band}.tif</SourceFilename>"
              "</SimpleSource></VRTRasterBand>")
Path("both.vrt").write_text('<VRTDataset rasterXSize="2" rasterYSize="2"><SRS>EPSG:32632</SRS><GeoTransform>600000, 10, '
                            f"0, 5200000, 0, -10</GeoTransform>{bands}</VRTDataset>")
corners = [[600000, 5199980], [600020, 5199980], [600020, 5200000], [600000, 5200000], [600000, 5199980]]
field = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [corners]}}

with rasterio.open("both.vrt") as raster:
    by_rasterio = raster.read(2, masked=True).tolist()
by_exactextract = exact_extract("both.vrt", [field], ["count", "mean"])[0]["properties"]
with Reader("both.vrt") as reader:
    by_rio_tiler = reader.read().array[1].tolist()
    scaled = reader.read(unscale=True).array[1].astype(float).round(2).tolist()
by_rasterstats = zonal_stats([field["geometry"]], "both.vrt", band=2, stats="count mean")[0]

for package in ("rasterio", "exactextract", "rio-tiler", "rasterstats"):
    print(package, version(package))
print("a good guess for band 2, as rasterio reads it:", by_rasterio)
print("exactextract, count and scaled mean:", by_exactextract["band_2_count"], round(by_exactextract["band_2_mean"], 3))
print("seen, rio-tiler:", by_rio_tiler, "scaled:", scaled)
print("seen, rasterstats:", by_rasterstats)
assert by_rasterio == [[None, 0], [200, 300]]
assert by_exactextract["band_2_count"] == 3 and round(by_exactextract["band_2_mean"], 3) == 6.667
assert by_rio_tiler == [[-9999, None], [200, 300]]
assert scaled == [[-94.99, None], [7.0, 8.0]]
assert by_rasterstats["count"] == 3 and round(by_rasterstats["mean"], 3) == -3166.333
PY
