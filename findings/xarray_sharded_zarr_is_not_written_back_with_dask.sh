#!/usr/bin/env bash
# xarray opens a sharded Zarr store with one dask chunk a Zarr chunk, and then refuses to write the dataset back.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xarray==2026.9.0 zarr==3.1.6 dask==2026.8.0
cd "$folder"
venv/bin/python - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np
import xarray as xr

warnings.filterwarnings("ignore")
season = xr.Dataset({"ndvi": (("time", "y", "x"), np.random.default_rng(1).random((40, 60, 60), dtype="f4"))})
season.to_zarr("season.zarr", encoding={"ndvi": {"chunks": (8, 30, 30), "shards": (40, 60, 60)}})


def written_back(name, **opened):
    dataset = xr.open_zarr("season.zarr", **opened)
    if "plain" in name:
        dataset = dataset.drop_encoding()
    try:
        dataset.to_zarr(f"{name}.zarr")
    except ValueError as error:
        return f"{type(error).__name__}: {str(error).partition(' would')[0]} would ..."
    return "written"


with_dask = written_back("with_dask")
without = written_back("without_dask", chunks=None)
dropped = written_back("plain")
print("xarray", version("xarray"), "zarr", version("zarr"), "dask", version("dask"))
print("a good guess: a dataset is written back with the encoding that it was read with")
print("dask chunks as opened:  ", xr.open_zarr("season.zarr").ndvi.chunks)
print("seen, with dask:        ", with_dask)
print("seen, with chunks=None: ", without)
print("after drop_encoding():  ", dropped)
assert with_dask.startswith("ValueError")
assert without == dropped == "written"
PY
