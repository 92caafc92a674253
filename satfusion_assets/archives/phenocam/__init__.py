"""PhenoCam: cameras, regions of interest, daily summaries, midday pictures."""

from satfusion_assets.archives.phenocam.client import LICENCE, Camera, Forbidden, PhenoCam
from satfusion_assets.archives.phenocam.pictures import Picture, check_jpeg
from satfusion_assets.archives.phenocam.regions import (
    VEGETATION_NAMES,
    Region,
    RegionChoice,
    choose_region,
    other_regions,
)
from satfusion_assets.archives.phenocam.sifted import LeftOut, Sifted
from satfusion_assets.archives.phenocam.summaries import DailySummary, decode_summary, parse_one_day_summary

__all__ = [
    "LICENCE",
    "VEGETATION_NAMES",
    "Camera",
    "DailySummary",
    "Forbidden",
    "LeftOut",
    "PhenoCam",
    "Picture",
    "Region",
    "RegionChoice",
    "Sifted",
    "check_jpeg",
    "choose_region",
    "decode_summary",
    "other_regions",
    "parse_one_day_summary",
]
