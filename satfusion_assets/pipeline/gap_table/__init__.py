"""The product ``gap_table``."""
