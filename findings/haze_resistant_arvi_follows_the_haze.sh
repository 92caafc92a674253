#!/bin/sh
# ARVI is NDVI with red made good for haze by blue: red - gamma (blue - red) stands for red (Kaufman & Tanre 1992), so that
# with gamma 1 haze which brightens blue twice as much as red changes nothing. A good guess: spyndex and xarray-spatial,
# which name that index, give one number. Seen: they give two, and neither is it. spyndex takes blue for red's place
# altogether, for the difference has the other sign: with gamma 1 red does not count, and haze lowers the index twice as much
# as NDVI; so does its SARVI. xarray-spatial has blue with the same sign above and below: its ARVI falls as NDVI does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check spyndex==0.12.0 xarray-spatial==0.5.3 xarray==2026.9.0 \
  numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import spyndex
import xarray as xr
from xrspatial import multispectral

CLEAR = {"N": 0.40, "R": 0.05, "B": 0.03}
HAZY = CLEAR | {"R": 0.07, "B": 0.07}  # haze adds to blue twice what it adds to red


def image(value):
    return xr.DataArray(np.full((3, 3), value, "float32"), dims=("y", "x"))


def of_the_paper(N, R, B, gamma=1.0):
    mended = R - gamma * (B - R)
    return (N - mended) / (N + mended)


def indices(bands):
    constants = {"gamma": 1.0, "L": 0.5}
    found = {
        "NDVI": (bands["N"] - bands["R"]) / (bands["N"] + bands["R"]),
        "ARVI of the paper": of_the_paper(**bands),
        "ARVI, spyndex": spyndex.computeIndex("ARVI", bands | constants),
        "ARVI, spyndex, other red": spyndex.computeIndex("ARVI", bands | constants | {"R": 0.3}),
        "SARVI, spyndex": spyndex.computeIndex("SARVI", bands | constants),
        "ARVI, xarray-spatial": multispectral.arvi(*(image(bands[name]) for name in "NRB"))[1, 1],
    }
    return {name: round(float(value), 3) for name, value in found.items()}


clear, hazy = indices(CLEAR), indices(HAZY)
print("spyndex", version("spyndex"), "xarray-spatial", version("xarray-spatial"), spyndex.indices.ARVI.formula)
print("a good guess, clear and hazy:", clear["ARVI of the paper"], hazy["ARVI of the paper"])
for name in clear:
    print(f"seen, {name}: clear {clear[name]}, hazy {hazy[name]}")
assert clear["ARVI of the paper"] == hazy["ARVI of the paper"] == 0.702
assert (clear["NDVI"], hazy["NDVI"]) == (0.778, 0.702)
assert (clear["ARVI, spyndex"], hazy["ARVI, spyndex"]) == (0.86, 0.702)
assert clear["ARVI, spyndex"] == clear["ARVI, spyndex, other red"]
assert (clear["SARVI, spyndex"], hazy["SARVI, spyndex"]) == (0.597, 0.51)
assert (clear["ARVI, xarray-spatial"], hazy["ARVI, xarray-spatial"]) == (0.623, 0.541)
PY
