"""What one machine makes of site-seasons in a folder: what a cluster's products are compared with.

``python -m benchmarks.single_machine SCENARIO SITE_SEASON...`` with the environment of an installation, which
``benchmarks.cluster`` gives it: that of its control host, so that commit, sites and addresses of the archives are the
same. A scene names where it came from, and whatever is made of it inherits that.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deploy.demo_cluster.cluster import CHECKOUT, Cluster
from deploy.demo_cluster.machine import start
from satfusion_assets.cli.materialize import run_plan
from satfusion_assets.cli.plans import plan
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import ServiceFailed
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason


def made_on_control(running: Cluster, seasons: Sequence[SiteSeason], scenario: Scenario) -> ProductStore:
    """Everything up to metrics of ``seasons`` and one scenario, in a folder and an instance of its own."""
    own = running.folder / "single_machine"
    home = own / "dagster_home"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text((CHECKOUT / "dagster_home" / "dagster.yaml").read_text())
    folder = {"DAGSTER_HOME": str(home), "SATFUSION_DATA_ROOT": str(own / "data")}
    environment = running.environment("control") | folder
    del environment["SATFUSION_STORE"]
    command = [sys.executable, "-m", "benchmarks.single_machine", scenario.key, *(season.key for season in seasons)]
    log = running.log("single-machine")
    if start(running.control, command, log, environment).wait():
        said = log.read_text().splitlines()
        raise ServiceFailed(f"One machine could not make what it is compared with: {said[-1] if said else log}")
    return ProductStore(own / "data")


def main() -> None:
    scenario = Scenario.parse(sys.argv[1])
    for key in sys.argv[2:]:
        season = SiteSeason.parse(key)
        run_plan(season, plan(season, scenarios=[scenario]))


if __name__ == "__main__":
    main()
