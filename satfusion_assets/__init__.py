"""satfusion: Sentinel-2 and Sentinel-3 fused to daily images, scored against PhenoCams, as a Dagster asset graph."""
