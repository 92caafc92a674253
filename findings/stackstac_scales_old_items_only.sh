#!/bin/sh
# stackstac turns stored numbers into reflectance by the scale and offset that a STAC item names for its asset, unless it is
# told not to. STAC 1.1 wrote the same two numbers in a new place (`raster:scale`, `raster:offset` of a band or an asset
# instead of `raster:bands`). A good guess: an archive's step to 1.1 changes no value, or stackstac says that it does not
# know the new form. Seen: items of 1.1 come out as stored, 3000 where those of 1.0 give 0.2, without a word; a series across
# the step holds both in one array. By neither form is the item's nodata taken: 0 becomes -0.1, or 0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check stackstac==0.5.1 pystac==1.15.2 rasterio==1.4.4 \
  xarray==2026.9.0 dask==2026.8.0 pandas==2.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pystac
import rasterio
import stackstac
from pystac.extensions.projection import ProjectionExtension
from rasterio.transform import from_origin

BOUNDS = (600000, 5199920, 600080, 5200000)
pixels = np.full((1, 8, 8), 3000, "uint16")
pixels[:, :2] = 0  # missing
with rasterio.open("red.tif", "w", driver="GTiff", count=1, width=8, height=8, dtype="uint16", crs="EPSG:32632",
                   transform=from_origin(600000, 5200000, 10, 10)) as raster:
    raster.write(pixels)
stored = {"scale": 0.0001, "offset": -0.1}
FORMS = {
    "1.0": {"raster:bands": [{"nodata": 0, "data_type": "uint16", **stored}]},
    "1.1, of the asset": {"nodata": 0, "data_type": "uint16", **{f"raster:{name}": n for name, n in stored.items()}},
    "1.1, of the band": {"bands": [{"name": "red", "nodata": 0, **{f"raster:{name}": n for name, n in stored.items()}}]},
}


def item(day, form):
    corners = [[10.3, 46.9], [10.4, 46.9], [10.4, 47.0], [10.3, 47.0], [10.3, 46.9]]
    made = pystac.Item(form, {"type": "Polygon", "coordinates": [corners]}, [10.3, 46.9, 10.4, 47.0],
                       datetime(2024, 5, day, tzinfo=UTC), {"proj:code": "EPSG:32632", "proj:shape": [8, 8],
                                                            "proj:transform": [10, 0, 600000, 0, -10, 5200000]})
    made.stac_extensions.append(ProjectionExtension.get_schema_uri())
    made.add_asset("red", pystac.Asset(str(Path("red.tif").absolute()), media_type="image/tiff", extra_fields=FORMS[form]))
    return made


series = stackstac.stack([item(day, form) for day, form in enumerate(FORMS, 1)], epsg=32632, resolution=10, bounds=BOUNDS)
seen = {form: [round(float(value), 4) for value in day] for form, day in zip(FORMS, series.values[:, 0, [4, 0], 0])}
print("stackstac", version("stackstac"), "pystac", version("pystac"))
print("a good guess, measured and missing pixel: 0.2 and nan by each form")
for form, values in seen.items():
    print(f"seen in one series, STAC {form}: {values}")
assert seen == {"1.0": [0.2, -0.1], "1.1, of the asset": [3000.0, 0.0], "1.1, of the band": [3000.0, 0.0]}
PY
