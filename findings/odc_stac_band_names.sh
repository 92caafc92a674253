#!/bin/sh
# odc-stac: a band's type and nodata are read from STAC 1.1's `bands`, its name is not.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet odc-stac==0.5.3 pystac==1.15.2
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from datetime import datetime, timezone
from importlib.metadata import version

import numpy as np
import odc.stac
import pystac
import rasterio
from pystac.extensions.eo import EOExtension
from pystac.extensions.projection import ProjectionExtension
from rasterio.transform import from_origin

profile = dict(driver="GTiff", width=64, height=64, count=2, dtype="float32", crs="EPSG:32632", nodata=np.nan)
with rasterio.open("scene.tif", "w", transform=from_origin(600000, 5200000, 10, 10), **profile) as raster:
    raster.write(np.stack([np.full((64, 64), 0.1), np.full((64, 64), 0.4)]).astype("float32"))
    west, south, east, north = rasterio.warp.transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]


def item(**extra):
    found = pystac.Item("scene", {"type": "Polygon", "coordinates": [ring]}, [west, south, east, north],
                        datetime(2024, 6, 1, tzinfo=timezone.utc), {"proj:code": "EPSG:32632"},
                        stac_extensions=[ProjectionExtension.get_schema_uri()])
    found.properties |= {"proj:shape": [64, 64], "proj:transform": [10, 0, 600000, 0, -10, 5200000]}
    found.add_asset("image", pystac.Asset("scene.tif", media_type=pystac.MediaType.COG, roles=["data"], extra_fields=extra))
    found.set_self_href("item.json")
    return found


BANDS = [{"name": "red", "eo:common_name": "red", "data_type": "float32", "nodata": "nan"},
         {"name": "nir", "eo:common_name": "nir", "data_type": "float32", "nodata": "nan"}]
now = odc.stac.load([item(bands=BANDS)])
try:
    odc.stac.load([item(bands=BANDS)], bands=["red"])
    refused = "nothing"
except ValueError as error:
    refused = str(error)
old = item(bands=BANDS, **{"eo:bands": [{"name": "red"}, {"name": "nir"}]})
old.stac_extensions.append(EOExtension.get_schema_uri())
both = odc.stac.load([old])

print("odc-stac", version("odc-stac"), "pystac", version("pystac"))
print("a good guess: the names in a 1.1 item's bands, as its data types are read: ['red', 'nir']")
print("seen:                        ", list(now), "| asked for red:", refused)
print("with the older eo:bands also:", list(both))
assert str(now["image.1"].dtype) == "float32"
assert list(now) == ["image.1", "image.2"], "names are no longer left unread"
assert "red" in refused
assert list(both) == ["red", "nir"]
PY
