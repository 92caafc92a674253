"""The product ``stac_catalogue``."""
