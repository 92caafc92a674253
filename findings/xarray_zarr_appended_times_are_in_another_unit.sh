#!/bin/sh
# A Zarr store grows scene by scene (`append_dim="time"`), and the store says in which unit its times are. A good guess: a
# scene that is appended has the time that it had when it was written, as it has when all are written at once; or, where
# the store's unit is too coarse for it, it is refused. Seen: xarray picks the unit by the first scenes (days for one scene
# or composites, minutes for whole minutes), counts a later scene in the finer unit that it needs, and leaves the store's
# unit as it was: a pass of three days later lies in 2036, one after May's composites in 2073, and half a second moves a
# scene by 13 years. The warning says that times are serialized in the finer unit "instead"; none is read in it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.1.6 numpy==2.4.6 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np
import xarray as xr

CASES = {
    # first scenes, a later one, and how many of its units the store's unit has
    "scene by scene": (["2024-05-01T10:31"], "2024-05-04T10:21", 24 * 60),
    "composites, then a scene": (["2024-05-01", "2024-05-11"], "2024-05-13T10:31", 24 * 60),
    "whole minutes, then seconds": (["2024-05-01T10:31", "2024-05-04T10:21"], "2024-05-06T10:31:07", 60),
    "seconds, then half a second": (["2024-05-01T10:31:07", "2024-05-04T10:21:09"], "2024-05-06T10:31:07.500", 1000),
}


def cube(times):
    return xr.Dataset({"ndvi": ("time", np.zeros(len(times), "float32"))}, {"time": np.array(times, "datetime64[ns]")})


def read(store):
    with xr.open_zarr(store, consolidated=False) as opened:
        return opened.time.values[-1].astype("datetime64[ms]"), opened.time.encoding["units"]


print(*(f"{name} {version(name)}" for name in ("xarray", "zarr", "numpy", "pandas")))
for form in (2, 3):
    for case, (first, later, finer) in CASES.items():
        options = {"zarr_format": form, "consolidated": False, "mode": "w"}
        cube([*first, later]).to_zarr("whole.zarr", **options)
        cube(first).to_zarr("grown.zarr", **options)
        cube(first).to_zarr("told.zarr", encoding={"time": {"units": "milliseconds since 1970-01-01"}}, **options)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            cube([later]).to_zarr("grown.zarr", append_dim="time", consolidated=False)
            cube([later]).to_zarr("told.zarr", append_dim="time", consolidated=False)
        seen = {name: read(f"{name}.zarr") for name in ("whole", "told", "grown")}
        good, start = np.datetime64(later, "ms"), np.datetime64(first[0], "ms")
        print(f"Zarr {form}, {case}: a good guess: {good}; seen: {seen['grown'][0]} in {seen['grown'][1]}")
        print(*(f"  said: {one.message}" for one in said), sep="\n")
        assert seen["whole"][0] == seen["told"][0] == good
        assert seen["grown"][0] == start + finer * (good - start)
        assert len(said) == 1 and "instead" in str(said[0].message)
PY
