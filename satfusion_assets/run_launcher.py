"""The name by which ``dagster.yaml`` of version 0.1.0 knows ``orchestration.instance.run_launcher``."""

from satfusion_assets.orchestration.instance.run_launcher import WatchedRunLauncher

__all__ = ["WatchedRunLauncher"]
