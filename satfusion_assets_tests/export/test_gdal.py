"""Published rasters in the distribution's GDAL, which is older than the one that wrote them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.scenarios import BANDS
from satfusion_assets.vocabulary.sites import SiteSeason

SYSTEM_PYTHON = "/usr/bin/python3"
GRID = GeoBox((20, 30), Affine(10, 0, 600_000, 0, -10, 5_000_000), "EPSG:32632")
NAME = "prepared_aggressive/fusion/REFL_20240501.tif"
IN_GDAL = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
raster = gdal.Open(sys.argv[1])
bands = [raster.GetRasterBand(i + 1) for i in range(raster.RasterCount)]
print(json.dumps({
    "epsg": raster.GetSpatialRef().GetAuthorityCode(None), "place": raster.GetGeoTransform(),
    "names": [band.GetDescription() for band in bands],
    "shown": [gdal.GetColorInterpretationName(band.GetColorInterpretation()) for band in bands],
    "units": raster.GetMetadataItem("UNITS"),
    "means": [band.ComputeStatistics(False)[2] for band in bands],
    "valid": bands[0].GetMetadataItem("STATISTICS_VALID_PERCENT"),
}))
"""


def in_gdal(path: Path) -> dict[str, object]:
    """What Debian's GDAL makes of a raster; skipped where it is not installed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    there = subprocess.run([SYSTEM_PYTHON, "-c", "import osgeo.gdal"], env=plain, capture_output=True, check=False)
    if there.returncode:
        reason = "GDAL is not installed; Debian has it in python3-gdal"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    command = [SYSTEM_PYTHON, "-W", "error", "-c", IN_GDAL, str(path)]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def test_a_fused_day_opens_with_its_place_names_colours_and_missing_pixels(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    season = SiteSeason("innsbruck", 2024)
    pixels = np.broadcast_to(np.array([0.1, 0.2, 0.3, 0.4], np.float32)[:, None, None], (4, 20, 30)).copy()
    pixels[:, :5] = np.nan
    with store.publish(Product("fused", season, "aggressive_sigma20")) as draft:
        draft.write_stack([NAME], pixels[None], GRID, band_names=BANDS)
    said = in_gdal(store.folder(season) / NAME)
    assert said["means"] == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=2**-14)
    del said["means"]
    assert said == {
        "epsg": "32632",
        "place": [600_000, 10, 0, 5_000_000, 0, -10],
        "names": list(BANDS),
        "shown": ["Blue", "Green", "Red", "Undefined"],
        "units": "1 (reflectance)",
        "valid": "75",
    }
