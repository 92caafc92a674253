"""The product ``gap_benchmark``."""
