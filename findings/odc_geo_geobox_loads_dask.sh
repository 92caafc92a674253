#!/bin/sh
# odc-geo's GeoBox is a grid: size, affine and projection. A good guess: dask, an option of odc-geo for arrays in parts, is
# loaded by who makes such arrays. Seen: where dask is installed, importing odc.geo.geobox loads it, with toolz, yaml and
# cloudpickle, whether anybody uses it or not; so a program grows slower to start when something beside it brings dask.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip="$folder/venv/bin/pip --quiet --disable-pip-version-check"
$pip install odc-geo==0.5.3 numpy==2.3.5 affine==2.4.0 shapely==2.1.2 pyproj==3.7.2
cat >"$folder/count.py" <<'PY'
import sys

from odc.geo.geobox import GeoBox

box = GeoBox.from_bbox((600000, 5200000, 600300, 5200200), crs="EPSG:32632", resolution=10)
assert box.shape == (20, 30)
print(sum(name.split(".")[0] == "dask" for name in sys.modules))
PY
without=$("$folder/venv/bin/python" "$folder/count.py")
$pip install dask==2026.7.1
with=$("$folder/venv/bin/python" "$folder/count.py")
echo "odc-geo 0.5.3: a GeoBox is made; a good guess says that no module of dask is loaded, installed or not"
echo "modules of dask that are loaded: $without without it, $with with dask 2026.7.1 installed"
test "$without" -eq 0
test "$with" -ge 10
