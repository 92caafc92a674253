"""The product ``raw_s3``."""
