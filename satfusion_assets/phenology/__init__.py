"""Phenology: 10, 25 and 50 % rising and falling dates with intervals, of series and of every pixel of a stack."""

from satfusion_assets.vocabulary import kept_kernels as kept_kernels  # isort: skip
from satfusion_assets.phenology.evidence import Evidence, anchored, blended_days, decaying_days
from satfusion_assets.phenology.labels import Label
from satfusion_assets.phenology.maps import TRANSITIONS, PhenologyMaps, transition_maps
from satfusion_assets.phenology.series import (
    ContractDates,
    Phenology,
    Season,
    TransitionDate,
    contract_dates,
    transitions,
)
from satfusion_assets.phenology.smoothing import CAMERA, COURSE, SATELLITE, SCENES, Smoothing

__all__ = [
    "CAMERA",
    "COURSE",
    "SATELLITE",
    "SCENES",
    "TRANSITIONS",
    "ContractDates",
    "Evidence",
    "Label",
    "Phenology",
    "PhenologyMaps",
    "Season",
    "Smoothing",
    "TransitionDate",
    "anchored",
    "blended_days",
    "contract_dates",
    "decaying_days",
    "transition_maps",
    "transitions",
]
