"""A landscape of a population, as the platform prepares it from its archives: made once, scored as often as wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from satfusion_assets.truth.population import Case
from satfusion_assets.vocabulary.errors import ServiceFailed

SITES: Final = "sites.geojson"


def prepared_case(case: Case, folder: Path) -> Path:
    """The data root that holds the case's ``prepared_bti``; served, fetched and prepared if it is not there.

    Nothing else of it is kept: some 25 MB a landscape. It appears whole or not at all.
    """
    from satfusion_assets.pipeline.prepared.product import PREPARED_BTI

    kept = folder / f"prepared_{PREPARED_BTI.code_version}" / case.name
    if kept.is_dir():
        return kept
    work = folder / "landscapes" / case.name
    shutil.rmtree(work, ignore_errors=True)
    (work / "dagster").mkdir(parents=True)
    _materialise(case, work)
    _keep(case, work / "data")
    kept.parent.mkdir(exist_ok=True)
    (work / "data").replace(kept)
    shutil.rmtree(work)
    return kept


def _materialise(case: Case, work: Path) -> None:
    """Run the platform on the served landscape up to its prepared images, below ``work / "data"``."""
    from satfusion_assets.sandbox.server.run import SandboxProcess

    (work / "data").mkdir()
    sites = _sites(case, work / "data" / SITES)
    with SandboxProcess(work / "sandbox", sites, seed=case.seed, landscape=case.landscape) as server:
        ours = {
            "SATFUSION_DATA_ROOT": str(work / "data"),
            "SATFUSION_SITES_FILE": str(sites),
            "DAGSTER_HOME": str((work / "dagster").absolute()),
        }
        command = [sys.executable, "-m", "satfusion_assets.cli", "materialize", case.site, str(case.season)]
        run = subprocess.run(
            [*command, "--until", "prepared"],
            env=os.environ | server.environment() | ours,
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode != 0:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise ServiceFailed(f"{case.name} was not prepared: {said[-1] if said else 'it said nothing'}")


def _sites(case: Case, path: Path) -> Path:
    """A sites file with nothing but the case's site."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.vocabulary.sites import SiteRegistry

    site = Platform().registry.site(case.site).model_copy(update={"seasons": (case.season,)})
    SiteRegistry(path, ()).add(site)
    return path


def _keep(case: Case, data: Path) -> None:
    """Remove all products but ``prepared_bti``."""
    from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
    from satfusion_assets.store import Product, ProductStore

    store = ProductStore(data)
    for manifest in store.products(case.site_season):
        if manifest.product != PREPARED_BTI.name:
            store.remove(Product(manifest.product, case.site_season, manifest.variant))
    # What was fetched lies beside the products.
    shutil.rmtree(store.cache(case.site_season, "s2").parent)
