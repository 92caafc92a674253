"""What Dagster emits is what the viewer opens: the link of every asset's materialisation, followed in Chromium."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from urllib.parse import urlsplit

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from satfusion_assets.pipeline import reporting
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.partitions import by_site_season, by_strategy, scenario_key, strategy_key
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Manifest
from satfusion_assets.vocabulary.scenarios import Scenario, Strategy
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

pytestmark = pytest.mark.browser

MODULES = tuple(import_module(f"{room}.asset") for room in REGISTRY.rooms)
PLACE = SiteSeason.parse("innsbruck_2024")
SCENARIO = Scenario.parse("aggressive_itb_sigma20")
OUTCOME = Outcome(
    Manifest(product="made", site_season=PLACE.key, version="1", software="test", files={}), numbers={"scenes": 3}
)


class Opens(NamedTuple):
    """What a link must open: the page, the stage on the page explore, and the scenario that the link names."""

    page: str
    stage: str | None = None
    scenario: str | None = None


EXPECTED = {
    "raw_s2": Opens("explore", "Raw"),
    "raw_s3": Opens("explore", "Raw"),
    "raw_phenocam": Opens("explore", "Raw"),
    "camera_phenology": Opens("phenology"),
    "preselected": Opens("preselection"),
    "prepared_bti": Opens("explore", "Prepared", "aggressive_sigma20"),
    "prepared_itb": Opens("explore", "Prepared", "aggressive_itb_sigma20"),
    "fused": Opens("explore", "Fusion", SCENARIO.key),
    "processed": Opens("explore", "Postprocessed", SCENARIO.key),
    "scenario_metrics": Opens("metrics", None, SCENARIO.key),
    "metrics": Opens("metrics"),
    "phenology": Opens("phenology", None, SCENARIO.key),
    "pack": Opens("explore", "Postprocessed", SCENARIO.key),
    "gap_benchmark": Opens("gaps"),
}


def assets_of(module: ModuleType) -> list[dg.AssetsDefinition]:
    return [value for value in vars(module).values() if isinstance(value, dg.AssetsDefinition)]


def link_of(asset: dg.AssetsDefinition, platform: Platform) -> str:
    """The address in the metadata of a materialisation."""
    if asset.partitions_def == by_site_season:
        key = PLACE.key
    elif asset.partitions_def == by_strategy:
        key = strategy_key(PLACE, Strategy.AGGRESSIVE)
    else:
        key = scenario_key(PLACE, SCENARIO)
    result = asset(dg.build_asset_context(partition_key=key), platform=platform)
    return result.metadata["viewer"].value  # type: ignore[attr-defined]


@pytest.fixture
def links(store: Path, viewer: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Address by asset: every asset runs with a stage that does nothing."""
    for module in MODULES:
        monkeypatch.setattr(
            module, "materialise", lambda stage, link=None, **_: reporting.materialise(lambda: OUTCOME, link=link)
        )
    platform = Platform(Settings(data_root=store, viewer_url=viewer))
    found = [asset for module in MODULES for asset in assets_of(module) if asset.partitions_def is not None]
    return {asset.key.to_user_string(): link_of(asset, platform) for asset in found}


def test_every_materialisation_links_to_the_view_of_its_product(links: dict[str, str], page: Page, viewer: str):
    assert links.keys() == EXPECTED.keys()
    for name, link in links.items():
        opens = EXPECTED[name]
        assert link.startswith(viewer), name
        page.goto(link)
        main = page.locator("main")
        expect(main, name).to_have_attribute("data-page", opens.page)
        expect(page.get_by_role("combobox", name="Site")).to_have_value("innsbruck")
        if opens.scenario:
            assert opens.scenario in urlsplit(link).path.split("/"), name
            expect(page.get_by_role("combobox", name="Scenario")).to_have_value(opens.scenario)
        if opens.stage:
            expect(page.get_by_role("button", name=opens.stage, exact=True)).to_have_attribute("aria-pressed", "true")
        expect(main.locator("h1")).to_be_attached()
        expect(page.locator(".failure, .empty"), name).to_have_count(0)
