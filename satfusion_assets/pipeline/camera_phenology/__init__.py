"""The product ``camera_phenology``."""
