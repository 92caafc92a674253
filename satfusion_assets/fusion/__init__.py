"""Fusion: EFAST and kriging, on arrays."""

from satfusion_assets.vocabulary import kept_kernels as kept_kernels
