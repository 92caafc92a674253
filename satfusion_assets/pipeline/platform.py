"""What assets, sensors and checks work with: settings, the product store, the site registry, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from satfusion_assets.store import Store
from satfusion_assets.store.opening import open_store
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteRegistry, SiteSeason


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Platform:
    """One installation: where it reads, where it writes, and what time it is.

    The registry is read afresh on each use, because people edit sites.geojson while services run.
    """

    settings: Settings = field(default_factory=lambda: Settings())
    now: Callable[[], datetime] = utc_now

    @property
    def store(self) -> Store:
        return open_store(self.settings)

    @property
    def registry(self) -> SiteRegistry:
        return SiteRegistry.load(self.settings.sites_path)

    def site(self, site_season: SiteSeason) -> Site:
        """The registered site of a partition; UnknownSite or UnknownSeason when it is not registered."""
        site = self.registry.site(site_season.site)
        site.season(site_season.season)
        return site
