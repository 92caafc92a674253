"""The vocabulary: sites, scenarios, days, grids, settings, errors."""
