"""What one machine makes of site-seasons from nothing, with one scenario: what a cluster's bytes are compared with.

``python -m benchmarks.single_machine DATA SANDBOX SCENARIO SITE_SEASON...``: the products go to the folder DATA, the
archives are the sandbox's in SANDBOX. Then ``benchmarks.cluster`` with DATA and the trial ``from_nothing``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from satfusion_assets.cli.materialize import run_plan
from satfusion_assets.cli.runs import plan
from satfusion_assets.sandbox.server.run import SandboxProcess, archive_variables
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason


def main() -> None:
    data, sandbox = (Path(argument).absolute() for argument in sys.argv[1:3])
    scenario = Scenario.parse(sys.argv[3])
    home = data / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    registry = SiteRegistry.load(data / "sites.geojson")
    registry.add(registry.site("innsbruck"))  # a file of the sites that come with the package
    os.environ |= {"SATFUSION_DATA_ROOT": str(data), "DAGSTER_HOME": str(home)}
    os.environ["SATFUSION_SITES_FILE"] = str(registry.path)
    with SandboxProcess(sandbox, registry.path) as archives:
        os.environ |= archive_variables(archives.url)
        for key in sys.argv[4:]:
            season = SiteSeason.parse(key)
            run_plan(season, plan(season, scenarios=[scenario]))


if __name__ == "__main__":
    main()
