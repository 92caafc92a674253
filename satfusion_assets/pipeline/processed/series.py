"""Greenness at the site, read from a processed scenario."""

from __future__ import annotations

from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.sampling.series import DailySeries, read_series
from satfusion_assets.store import View
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sources import Source


def gcc_series(processed: View, scenario: Scenario, source: Source) -> DailySeries:
    """GCC at the site of one source of a processed scenario."""
    return read_series(processed.read_json(ProcessedLayout(scenario).series("gcc", source)))
