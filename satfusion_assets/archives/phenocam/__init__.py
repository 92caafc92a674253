"""PhenoCam: cameras, regions of interest, daily summaries, midday pictures."""

from satfusion_assets.archives.phenocam.client import LICENCE, Camera, PhenoCam
from satfusion_assets.archives.phenocam.pictures import Picture, check_jpeg
from satfusion_assets.archives.phenocam.regions import Region, RegionChoice, choose_region, other_regions
from satfusion_assets.archives.phenocam.summaries import DailySummary, parse_one_day_summary

__all__ = [
    "LICENCE",
    "Camera",
    "DailySummary",
    "PhenoCam",
    "Picture",
    "Region",
    "RegionChoice",
    "check_jpeg",
    "choose_region",
    "other_regions",
    "parse_one_day_summary",
]
