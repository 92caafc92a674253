"""Edits of sites.geojson become partitions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg

from satfusion_assets.pipeline.partitions import SITE_SEASON, by_site_season
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.errors import InvalidInput, InvalidSitesFile
from satfusion_assets.vocabulary.sites import SiteSeason


@dataclass(frozen=True)
class Edits:
    """What makes the partitions those of the registry. refused: key -> why it is no partition of ours."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    refused: dict[str, str]

    def __str__(self) -> str:
        parts = [
            f"{verb} {', '.join(keys)}"
            for verb, keys in (("added", self.added), ("dropped (no products)", self.dropped))
            if keys
        ]
        parts += [f"refused {key!r}: {why}" for key, why in self.refused.items()]
        if self.kept:
            parts.append(f"kept {', '.join(self.kept)}: not in sites.geojson any more, but there are products")
        return "; ".join(parts)


def edits(registered: Collection[SiteSeason], existing: Collection[str], with_products: Collection[str]) -> Edits:
    """Compare ``existing`` partitions with the ``registered`` site-seasons; what has products is never dropped."""
    wanted = {item.key for item in registered}
    refused = {}
    for key in existing:
        try:
            SiteSeason.parse(key)
        except InvalidInput as error:
            refused[key] = str(error)
    gone = [key for key in existing if key not in wanted and key not in refused]
    return Edits(
        added=tuple(sorted(wanted - set(existing))),
        dropped=tuple(sorted(key for key in gone if key not in with_products)),
        kept=tuple(sorted(key for key in gone if key in with_products)),
        refused=refused,
    )


@dg.sensor(
    name="sites_file",
    minimum_interval_seconds=60,
    description=(
        "Turns edits of sites.geojson into partitions: adds the site-seasons that are new there, drops those that are "
        "gone and have no products, and refuses keys that can be no site-season (the UI accepts any text)."
    ),
)
def sites_file(context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]) -> dg.SensorResult:
    try:
        registered = platform.registry.site_seasons
    except InvalidSitesFile as error:
        return dg.SensorResult(skip_reason=f"{error} Partitions stay as they are.")
    existing = context.instance.get_dynamic_partitions(SITE_SEASON)
    wanted = {item.key for item in registered}
    found = edits(registered, existing, {key for key in existing if key not in wanted and _has_products(platform, key)})
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if found.added:
        requests.append(by_site_season.build_add_request(list(found.added)))
    gone = [*found.dropped, *found.refused]
    if gone:
        requests.append(by_site_season.build_delete_request(gone))
    says = str(found) or f"The {len(registered)} site-seasons of sites.geojson all have their partitions."
    return dg.SensorResult(skip_reason=says, dynamic_partitions_requests=requests)


def _has_products(platform: Platform, key: str) -> bool:
    try:
        return platform.store.holds_products(SiteSeason.parse(key))
    except InvalidInput:
        return False
