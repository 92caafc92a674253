"""The product ``processed``."""
