"""Truth: everything that the platform says of itself, against a landscape that is known."""
