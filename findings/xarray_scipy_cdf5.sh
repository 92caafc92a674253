#!/bin/sh
# A NetCDF in the third classic form (CDF-5, "64-bit data") and xarray without the netCDF4 package.
# A good guess: SciPy's reader knows the classic forms, and where it does not, xarray says that no engine reads the file.
# What happens: xarray picks the SciPy engine by the first three bytes, SciPy takes the version byte 5 for one that it
# knows and reads 64-bit counts as 32-bit ones, and the user gets an IndexError about an array of size 0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/writer"
python3 -m venv "$folder/reader"
"$folder/writer/bin/python" -m pip install --quiet --disable-pip-version-check netCDF4==1.7.5.1.post1
"$folder/reader/bin/python" -m pip install --quiet --disable-pip-version-check xarray==2026.9.0 scipy==1.17.1 h5netcdf==1.8.2
"$folder/writer/bin/python" - "$folder" <<'PY'
import sys
import netCDF4
for name, form in (("cdf1", "NETCDF3_CLASSIC"), ("cdf2", "NETCDF3_64BIT_OFFSET"), ("cdf5", "NETCDF3_64BIT_DATA")):
    with netCDF4.Dataset(f"{sys.argv[1]}/{name}.nc", "w", format=form) as file:
        file.createDimension("t", 3)
        file.createVariable("t", "i4", ("t",))[:] = [1, 2, 3]
PY
"$folder/reader/bin/python" - "$folder" <<'PY'
import sys
import scipy
import xarray
print("xarray", xarray.__version__, "SciPy", scipy.__version__)
seen = {}
for name in ("cdf1", "cdf2", "cdf5"):
    try:
        with xarray.open_dataset(f"{sys.argv[1]}/{name}.nc") as dataset:
            seen[name] = dataset["t"].values.tolist()
    except Exception as error:
        seen[name] = f"{type(error).__name__}: {error}"
    print(name, "->", seen[name])
print("guess for cdf5: the values, or an error that says that no engine reads this form")
expected = {"cdf1": [1, 2, 3], "cdf2": [1, 2, 3]}
same = all(seen[name] == value for name, value in expected.items()) and str(seen["cdf5"]).startswith("IndexError")
sys.exit(0 if same else 1)
PY
