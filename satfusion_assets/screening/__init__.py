"""Screening: which scenes and pixels are used, and what becomes of them."""
