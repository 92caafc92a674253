"""The products ``prepared_bti`` and ``prepared_itb``."""
