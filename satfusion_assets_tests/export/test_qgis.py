"""QGIS itself opens a season's layer definition: true colour, one stretch, each layer on its own day, in any folder."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from satfusion_assets.export.qgis import DEFINITION, STRETCH, DayImage, season_layers
from satfusion_assets.store.rasters import write_raster
from satfusion_assets.vocabulary.scenarios import BANDS

SYSTEM_PYTHON = "/usr/bin/python3"
GRID = GeoBox((40, 40), Affine(10, 0, 600_000, 0, -10, 5_000_000), "EPSG:32632")
IMAGES = [DayImage("REFL_20240501.tif", date(2024, 5, 1)), DayImage("REFL_20240601.tif", date(2024, 6, 1))]
IN_QGIS = """
import json, sys
from qgis.core import *
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], False)
app.initQgis()
project = QgsProject.instance()
good, why = QgsLayerDefinition.loadLayerDefinition(sys.argv[1], project, project.layerTreeRoot())
said = {"good": good, "why": why, "layers": []}
for layer in sorted(project.mapLayers().values(), key=lambda layer: layer.name()):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(40, 40))
    settings.setBackgroundColor(QColor(255, 255, 255))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    colour = QColor(job.renderedImage().pixel(20, 20))
    range = layer.temporalProperties().fixedTemporalRange()
    said["layers"].append({
        "name": layer.name(), "valid": layer.isValid(), "colour": [colour.red(), colour.green(), colour.blue()],
        "active": layer.temporalProperties().isActive(),
        "from": range.begin().toString("yyyy-MM-dd"), "to": range.end().toString("yyyy-MM-dd"),
    })
print(json.dumps(said))
app.exitQgis()
"""


def in_qgis(definition: Path) -> dict[str, Any]:
    """What QGIS makes of a layer definition; skipped where it is not installed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment = plain | {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(definition.parent)}
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], env=environment, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        if "CI" in os.environ:
            pytest.fail("QGIS is missing: apt-get install python3-qgis")
        pytest.skip("QGIS is not installed: apt-get install python3-qgis")
    command = [SYSTEM_PYTHON, "-c", IN_QGIS, str(definition)]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.stdout, found.stderr[-2000:]
    said: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return said


def test_true_colour_with_one_stretch_on_its_own_day(tmp_path: Path) -> None:
    """Red 0.3 and 0.15 of a stretch to 0.3 are full and half red, in both layers, after the folder has moved."""
    for image, red in zip(IMAGES, (0.3, 0.15), strict=True):
        bands = np.stack([np.full((40, 40), value, np.float32) for value in (0.0, 0.075, red, 0.4)])
        bands[:, 0, 0] = np.nan
        write_raster(tmp_path / image.name, bands, GRID, nodata=np.nan, descriptions=BANDS)
    (tmp_path / DEFINITION).write_bytes(season_layers(IMAGES, BANDS))
    moved = tmp_path.rename(tmp_path.with_name("moved away"))
    said = in_qgis(moved / DEFINITION)
    assert said["good"], said["why"]
    first, second = said["layers"]
    assert (first["name"], second["name"]) == ("2024-05-01", "2024-06-01")
    for layer, red in ((first, 255), (second, 127)):
        assert layer["valid"]
        np.testing.assert_allclose(layer["colour"], (red, 64, 0), atol=2)
        assert layer["active"]
    assert (first["from"], first["to"]) == ("2024-05-01", "2024-05-02")


def test_greenness_is_dark_where_it_is_dense(tmp_path: Path) -> None:
    for image, gcc in zip(IMAGES, (0.3, 0.5), strict=True):
        write_raster(tmp_path / image.name, np.full((40, 40), gcc, np.float32), GRID, nodata=np.nan)
    (tmp_path / DEFINITION).write_bytes(season_layers(IMAGES, ("gcc",)))
    bare, dense = (layer["colour"] for layer in in_qgis(tmp_path / DEFINITION)["layers"])
    assert sum(bare) > 2 * sum(dense)


def test_the_definition_is_the_same_whatever_order_the_images_come_in() -> None:
    assert season_layers(IMAGES, BANDS) == season_layers(IMAGES[::-1], BANDS)


def test_names_that_xml_minds_are_escaped() -> None:
    odd = [DayImage("a&b <1>.tif", date(2024, 5, 1))]
    layer = fromstring(season_layers(odd, BANDS)).find("maplayers/maplayer")
    assert layer.findtext("datasource") == "./a&b <1>.tif"


def test_bands_that_cannot_be_shown_are_refused() -> None:
    with pytest.raises(ValueError, match="neither colours nor greenness"):
        season_layers(IMAGES, ("days",))
    assert set(STRETCH) == {"red", "green", "blue", "gcc"}
