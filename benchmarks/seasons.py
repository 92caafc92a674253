"""Site-seasons of the sandbox, prepared for fusion by the platform's own stages, and kept for the next benchmark.

A season lies in ``folder/{site}_{season}_seed{seed}``: the sandbox's archives, the data root, the site registry.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.scenarios import Mode, Strategy
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason


@dataclass(frozen=True)
class PreparedSeason:
    """A sandbox site-season whose prepared products are there, and the landscape that it shows."""

    site: Site
    site_season: SiteSeason
    seed: int
    store: Store

    @property
    def landscape(self) -> Landscape:
        return Landscape(self.site, self.seed)

    @property
    def title(self) -> str:
        return f"{self.site_season.key}, seed {self.seed}"


def prepared_season(key: str, seed: int, folder: Path) -> PreparedSeason:
    """The season ``key`` (``innsbruck_2024``) of the sandbox; what is missing is acquired and prepared."""
    site_season = SiteSeason.parse(key)
    home = folder / f"{key}_seed{seed}"
    platform = Platform(Settings(data_root=home / "data", sites_file=home / "sites.geojson"))
    registry = platform.registry
    registry.add(registry.site(site_season.site))
    season = PreparedSeason(platform.site(site_season), site_season, seed, platform.store)
    last = PREPARED[Mode.ITB].of(site_season, Strategy.NONAGGRESSIVE)
    if platform.store.manifest(last) is None:
        _prepare(season, platform, home)
    return season


def _prepare(season: PreparedSeason, platform: Platform, home: Path) -> None:
    site, site_season, store = season.site, season.site_season, season.store
    with SandboxProcess(home / "sandbox", platform.registry.path, seed=season.seed) as sandbox:
        os.environ.update(sandbox.environment())
        settings = Settings(data_root=platform.settings.data_root, sites_file=platform.settings.sites_file)
        acquire_sentinel2(site, site_season, store, settings)
        acquire_sentinel3(site, site_season, store, settings, today=platform.now().date())
    preselect(store, site, site_season)
    for strategy, mode in product(Strategy, Mode):
        prepare(store, site, site_season, strategy, mode, smoothing_days=settings.smoothing_days)
