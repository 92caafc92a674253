#!/bin/sh
# rioxarray and odc-geo note twice where a raster lies: in its coordinates, and as `GeoTransform` beside the CRS. A good
# guess: a site cut out of it by xarray and written as NetCDF lies where its coordinates say, in every reader, as the
# GeoTIFF does that rioxarray writes of the same site. Seen: the note is not cut. GDAL, and with it rasterio, believes it
# and lays the site into the corner of the whole, with the pixels of the whole if every second was taken. It goes by the
# coordinates once they have their CF names, which neither library gives them unasked; rasterix never does, and replaces
# the coordinates that were right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rioxarray==0.19.0 odc-geo==0.5.3 rasterix==0.2.4 \
  rasterio==1.4.4 xarray==2026.9.0 h5netcdf==1.8.2 h5py==3.16.0 dask==2026.8.0 pyproj==3.7.2 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import odc.geo.xr
import rasterio
import rasterix
import rioxarray
import xarray as xr
from odc.geo.geobox import GeoBox
from rasterio.transform import from_origin

with rasterio.open("whole.tif", "w", driver="GTiff", count=1, width=100, height=100, dtype="float32", crs="EPSG:32632",
                   transform=from_origin(600000, 5200000, 10, 10)) as raster:
    raster.write(np.arange(10000, dtype="float32").reshape(1, 100, 100))
grid = GeoBox.from_bbox((600000, 5199000, 601000, 5200000), crs="EPSG:32632", resolution=10)
wholes = {
    "rioxarray": rioxarray.open_rasterio("whole.tif").squeeze("band", drop=True),
    "odc-geo": odc.geo.xr.xr_zeros(grid, "float32"),
}
cuts = {"site": {"x": slice(40, 60), "y": slice(30, 50)}, "every second": dict.fromkeys("xy", slice(None, None, 2))}


def place(affine):
    return affine.c, affine.f, affine.a


seen = {}
for source, whole in wholes.items():
    for cut, pixels in cuts.items():
        part = whole.isel(pixels).rename("red")
        part.to_netcdf("part.nc", engine="h5netcdf")
        part.rio.to_raster("part.tif")
        with xr.open_dataset("part.nc", engine="h5netcdf", decode_coords="all") as read:
            read = read.load()
        places = {"odc-geo": place(read.red.odc.geobox.affine)}
        indexed = rasterix.assign_index(read)
        x, y = indexed["x"].values, indexed["y"].values
        places["rasterix"] = (x[0] - (x[1] - x[0]) / 2, y[0] - (y[1] - y[0]) / 2, x[1] - x[0])
        part.rio.write_coordinate_system().to_netcdf("named.nc", engine="h5netcdf")
        for reader, path in (("GDAL", "part.nc"), ("GDAL, axes named", "named.nc"), ("GDAL, of a GeoTIFF", "part.tif")):
            with rasterio.open(path) as raster:
                places[reader] = place(raster.transform)
        seen[source, cut] = {reader: tuple(float(number) for number in found) for reader, found in places.items()}
print(*(f"{name} {version(name)}" for name in ("rioxarray", "odc-geo", "rasterix", "rasterio")), "GDAL",
      rasterio.__gdal_version__)
true = {"site": (600400.0, 5199700.0, 10.0), "every second": (599995.0, 5200005.0, 20.0)}
for (source, cut), places in seen.items():
    print(f"{cut} of {source}: a good guess for its corner and pixel: {true[cut]}; seen:")
    print("\n".join(f"  {reader}: {found}" for reader, found in places.items()))
    for reader in ("odc-geo", "GDAL, axes named", "GDAL, of a GeoTIFF"):
        assert places[reader] == true[cut], (source, cut, reader)
    for reader in ("GDAL", "rasterix"):
        assert places[reader] == (600000.0, 5200000.0, 10.0), (source, cut, reader)
PY
