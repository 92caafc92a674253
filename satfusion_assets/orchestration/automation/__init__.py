"""What starts by itself: sensors, schedules and the conditions that carry raw updates downstream.

Everything is off until somebody switches it on, on the automation page of the UI; but failures are reported as soon as
a setting says whom to tell.
"""

from satfusion_assets.orchestration.automation.conditions import automated, carry_downstream
from satfusion_assets.orchestration.automation.failures import tell_failures
from satfusion_assets.orchestration.automation.freshness import freshness_checks, freshness_schedule
from satfusion_assets.orchestration.automation.registry import sites_file
from satfusion_assets.orchestration.automation.seasons import new_seasons
from satfusion_assets.orchestration.automation.sentinel3 import ask_sentinel3
from satfusion_assets.orchestration.automation.watching import watch_phenocam_archive, watch_sentinel2_archive

SENSORS = [sites_file, watch_sentinel2_archive, watch_phenocam_archive, carry_downstream, tell_failures]
SCHEDULES = [ask_sentinel3, new_seasons]

__all__ = ["SCHEDULES", "SENSORS", "automated", "freshness_checks", "freshness_schedule"]
