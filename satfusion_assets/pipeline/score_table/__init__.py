"""The product ``score_table``."""
