#!/bin/sh
# xarray-spatial takes the size of a pixel from the coordinates and says its aspect is measured from due north. A good
# guess: a terrain model whose rows run from south to north, as those of NetCDF do, has the same aspects as with its rows
# turned over; by method="geodesic" it has. Seen: the default method takes the first row for the north: a slope that faces
# south faces north, northern and southern stands change places, and the hillshade is lit from below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xarray-spatial==0.5.3 xarray==2026.9.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import xarray as xr
from xrspatial import aspect, hillshade, slope

latitudes, longitudes = np.linspace(46.0, 46.01, 11), np.linspace(10.0, 10.01, 11)
metres = np.linspace(0, 1110, 11)
height = np.repeat(0.2 * metres[:, None], 11, axis=1)  # rises to the north, so it faces south
terrains = {
    "metres": xr.DataArray(height, {"y": metres, "x": metres}, ("y", "x")),
    "degrees": xr.DataArray(height, {"lat": latitudes, "lon": longitudes}, ("lat", "lon")),
}
seen = {}
for order in ("north to south", "south to north"):
    upwards = order == "south to north"
    turned = {unit: terrain.sortby(terrain.dims[0], ascending=upwards) for unit, terrain in terrains.items()}
    results = {
        "aspect": aspect(turned["metres"]),
        "aspect, geodesic": aspect(turned["degrees"], method="geodesic"),
        "slope": slope(turned["metres"]),
        "hillshade, sun in the south": hillshade(turned["metres"], azimuth=180, angle_altitude=30),
    }
    seen[order] = {what: round(float(result[5, 5]), 2) for what, result in results.items()}
print("xarray-spatial", version("xarray-spatial"), "xarray", version("xarray"))
print("a good guess for a slope that faces south: aspect 180 whatever the order of the rows")
for order, results in seen.items():
    print(f"seen, rows from {order}:", ", ".join(f"{what} {value}" for what, value in results.items()))
right, turned_over = seen.values()
assert right["aspect"] == right["aspect, geodesic"] == turned_over["aspect, geodesic"] == 180
assert turned_over["aspect"] == 0
assert right["slope"] == turned_over["slope"] == 11.31
assert turned_over["hillshade, sun in the south"] < right["hillshade, sun in the south"]
PY
