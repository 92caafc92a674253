"""The product ``raw_s2``."""
