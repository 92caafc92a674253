"""Fusion of a user's own folder of prepared images."""
