"""What runs need, loaded by importing this: done once, by the process that runs are forked from (``code_server``).

The list of stages is taken from the package itself; Dagster's modules are those that a code location does not import.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import Final

from satfusion_assets import pipeline as stages

DAGSTER: Final = (
    "dagster._core.storage.defs_state.blob_storage_state_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.schedules.sqlite",
    "dagster._grpc.impl",
    "satfusion_assets.orchestration.instance.code_server",
    "satfusion_assets.orchestration.instance.event_log",
    "satfusion_assets.orchestration.instance.run_launcher",
    "upath.implementations.local",
)
STAGES: Final = tuple(module.name for module in walk_packages(stages.__path__, f"{stages.__name__}."))

for name in (*DAGSTER, *STAGES):
    import_module(name)
