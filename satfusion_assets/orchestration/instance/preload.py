"""What runs need, loaded by importing this: done once, by the process that runs are forked from (``code_server``).

The list of stages is taken from the package itself. What Dagster loads for a run beside the code is loaded by opening
an instance as a run does, and closing it: no name of Dagster's inside stands here.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from tempfile import TemporaryDirectory
from typing import Final

import dagster as dg

from satfusion_assets import pipeline as stages

INSTANCE: Final = (
    "satfusion_assets.orchestration.instance.code_server",
    "satfusion_assets.orchestration.instance.event_log",
    "satfusion_assets.orchestration.instance.run_launcher",
    "upath.implementations.local",
)
STAGES: Final = tuple(module.name for module in walk_packages(stages.__path__, f"{stages.__name__}."))

for name in (*INSTANCE, *STAGES):
    import_module(name)
with TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
    assert instance.compute_log_manager is not None, "looked at, because it is loaded only then"
