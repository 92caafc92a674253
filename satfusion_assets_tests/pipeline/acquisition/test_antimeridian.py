"""A site that 180 degrees of longitude cuts in two: no request belts the globe, and the season is whole."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3
from satfusion_assets.sandbox.server.credentials import PASSWORD, USER
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.rasters import read_raster
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets_tests.sandbox.server.conftest import fake_server

SEASON = SiteSeason("taveuni", 2024)


@pytest.mark.parametrize("longitude", [179.9995, -179.9995])
def test_the_season_is_whole_on_both_sides(tmp_path: Path, longitude: float) -> None:
    store = ProductStore(tmp_path / "data")
    site = Site(name="taveuni", latitude=-16.8, longitude=longitude, seasons=(2024,))
    with fake_server(tmp_path / "server") as server:
        settings = Settings(
            openeo_url=f"{server.url}/openeo/1.2",
            cdse_user=USER,
            cdse_password=PASSWORD,
            openeo_poll_s=0.2,
            _env_file=None,
        )
        outcome = acquire_sentinel3(site, SEASON, store, settings, today=date(2024, 1, 20))
    assert outcome.numbers["overpasses"] == (date(2024, 1, 20) - SEASON.raw_start).days + 1
    with store.read(Product("raw_s3", SEASON)) as view:
        for name in view.names("raw/s3/*.geotiff"):
            assert np.isfinite(read_raster(view.path(name)).values).all(), name
        quarters = view.read_json("raw/s3/overpasses.json")["quarters"]
    boxes = [quarter["process_graph"]["load"]["arguments"]["spatial_extent"] for quarter in quarters]
    assert len(boxes) == 4, json.dumps(boxes)
    assert all(0.008 < box["east"] - box["west"] < 0.05 for box in boxes)
