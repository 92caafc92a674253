"""One small world for the tests of the sandbox, built once a session."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.vocabulary.sites import Site, SiteRegistry

TODAY = date(2025, 3, 1)


def default_sites() -> dict[str, Site]:
    path = Path(str(resources.files("satfusion_assets") / "default_sites.geojson"))
    return {site.name: site for site in SiteRegistry.load(path).sites}


SITES = default_sites()
SOUTHERN = Site(name="tumbarumba", latitude=-35.6566, longitude=148.1517, seasons=(2023,), vegetation_type="Grassland")
"""An invented site of the southern hemisphere, far from the others."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> SandboxWorld:
    """All six sites and a southern one, as of 1 March 2025."""
    return SandboxWorld(tmp_path_factory.mktemp("world"), [*SITES.values(), SOUTHERN], seed=1, today=TODAY)
