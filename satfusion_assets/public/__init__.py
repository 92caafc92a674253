"""The public face for people who work with arrays: the functions that ``satfusion_assets`` offers by name."""
