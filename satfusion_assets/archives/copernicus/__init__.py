"""Sentinel-3 from the Copernicus Data Space's openEO back-end: products, jobs, cubes."""

from satfusion_assets.archives.copernicus.backend import BackEnd
from satfusion_assets.archives.copernicus.credentials import Credentials
from satfusion_assets.archives.copernicus.cubes import Cube, DroppedStep, Overpass, overpasses_on_grid, read_cube
from satfusion_assets.archives.copernicus.jobs import JobLedger, JobResult, run_requests
from satfusion_assets.archives.copernicus.requests import CUBE_PRODUCTS, CubeProduct, CubeRequest, quarterly_requests

__all__ = [
    "CUBE_PRODUCTS",
    "BackEnd",
    "Credentials",
    "Cube",
    "CubeProduct",
    "CubeRequest",
    "DroppedStep",
    "JobLedger",
    "JobResult",
    "Overpass",
    "overpasses_on_grid",
    "quarterly_requests",
    "read_cube",
    "run_requests",
]
