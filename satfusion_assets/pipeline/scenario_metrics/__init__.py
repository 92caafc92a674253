"""The product ``scenario_metrics``."""
