"""The product ``raw_phenocam``."""
