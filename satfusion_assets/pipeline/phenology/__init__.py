"""The product ``phenology``."""
