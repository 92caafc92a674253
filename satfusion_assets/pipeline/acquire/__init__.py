"""Acquisition: what the archives have of a site and season becomes the raw products."""

from satfusion_assets.pipeline.acquisition.report import Progress, SetAside
from satfusion_assets.pipeline.raw_phenocam.acquire import acquire_phenocam
from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3, check_sentinel3_credentials

__all__ = [
    "Progress",
    "SetAside",
    "acquire_phenocam",
    "acquire_sentinel2",
    "acquire_sentinel3",
    "check_sentinel3_credentials",
]
