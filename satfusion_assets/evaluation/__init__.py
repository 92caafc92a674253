"""Evaluation: scores, skill, calibration and the gap benchmark, on arrays."""

from satfusion_assets.vocabulary import kept_kernels as kept_kernels
