"""The product ``pack``."""
