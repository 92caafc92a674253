"""The product ``fused``."""
