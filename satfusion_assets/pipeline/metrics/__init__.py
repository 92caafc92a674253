"""The product ``metrics``."""
