"""The product ``preselected``."""
