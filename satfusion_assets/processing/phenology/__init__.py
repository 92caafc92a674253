"""Phenology: 10, 25 and 50 % rising and falling dates with intervals, of series and of every pixel of a stack."""

from satfusion_assets.processing.phenology.labels import Label
from satfusion_assets.processing.phenology.series import (
    ContractDates,
    Phenology,
    Season,
    TransitionDate,
    contract_dates,
    transitions,
)

__all__ = ["ContractDates", "Label", "Phenology", "Season", "TransitionDate", "contract_dates", "transitions"]
