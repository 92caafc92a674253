"""The course of every pixel through a season: its clear scenes and their fusion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging import KrigingQuality, Support
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.phenology import (
    COURSE,
    Evidence,
    PhenologyMaps,
    anchored,
    blended_days,
    decaying_days,
    transition_maps,
)
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.inputs import read_stack
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.pipeline.provenance import lies_in_place
from satfusion_assets.screening.preparation import gcc_image
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.scenarios import Mode, Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason

LEAST_AMPLITUDE: Final = 0.02
"""GCC amplitude below which a pixel has no season."""


SEEN: Final = (Support.ONE_SIDE, Support.BOTH_SIDES, Support.OBSERVED)
"""What a kriged value rests on where it speaks of a season: scenes within the correlation length, and no snow, under
which the ground that is predicted is nothing that greens."""


@dataclass(frozen=True)
class Course:
    """GCC of every pixel through a season or several.

    days: (p,) ascending. evidence: each (p, H, W), the fusion drawn to its clear scenes; deviation: (p, H, W), the
    predictive standard deviation of the fusion alone.
    """

    days: NDArray[np.datetime64]
    evidence: Evidence
    deviation: NDArray[np.float32]

    def typical_deviation(self, pixel: tuple[int, int] | None) -> float:
        """Root mean square of the deviation at ``pixel``; 0 where none is known."""
        if pixel is None:
            return 0.0
        squared = np.square(self.deviation[:, *pixel])
        known = squared[np.isfinite(squared)]
        return float(np.sqrt(known.mean())) if known.size else 0.0


def course_maps(course: Course, year: int) -> PhenologyMaps:
    """Dates of every pixel of a course."""
    values, error, information = course.evidence
    return transition_maps(
        course.days, values, year, COURSE, error=error, information=information, least_amplitude=LEAST_AMPLITUDE
    )


def joined(seasons: list[Course]) -> Course:
    """Seasons one after another, in order of time."""
    ordered = sorted((season for season in seasons if season.days.size), key=lambda season: season.days[0])
    parts = ordered or seasons[:1]
    return Course(
        np.concatenate([part.days for part in parts]),
        Evidence(*(np.concatenate(layers) for layers in zip(*(part.evidence for part in parts), strict=True))),
        np.concatenate([part.deviation for part in parts]),
    )


def fused_gcc(fused: View, scenario: Scenario) -> tuple[NDArray[np.datetime64], NDArray[np.float32]]:
    """Days (p,) and GCC (p, H, W) of a fused season."""
    names = [name for name in fused.names(f"{FusedLayout(scenario).folder}/*.tif") if "/quality/" not in name]
    images = fused.read_stack(names)
    gcc = images if scenario.mode is Mode.ITB else gcc_image(images)
    return np.array([day_of(name) for name in names], "datetime64[D]"), gcc[:, 0]


def season_course(fused: View, bands: View, scenario: Scenario) -> Course:
    """One season's fused GCC, drawn to the scenes of ``bands`` (prepared_bti)."""
    days, gcc = fused_gcc(fused, scenario)
    return drawn_course(days, gcc, read_stack(bands, scenario.strategy, Mode.BTI), scenario)


def drawn_course(
    days: NDArray[np.datetime64], gcc: NDArray[np.float32], scenes: SeasonStack, scenario: Scenario
) -> Course:
    """Fused ``gcc`` (p, H, W) of ``days``, drawn to ``scenes`` with all bands.

    The bands' own deviations say little of GCC, since errors of brightness cancel in the index: GCC itself is fused for
    its predictive standard deviation, and this stands for both modes.
    """
    quality = scenes.gcc.fuse(scenario, days).quality
    deviation = quality.standard_deviation[:, 0]
    if isinstance(quality, KrigingQuality):
        gcc = np.where(np.isin(quality.support, SEEN), gcc, np.float32(np.nan))
        shared = decaying_days(float(quality.hyperparameters.correlation_days[0]))
    else:
        assert scenario.sigma is not None, "EFAST has a sigma"
        shared = blended_days(scenario.sigma)
    evidence = anchored(days, gcc, deviation, scenes.fine_days, scenes.fine, shared)
    return Course(days, evidence, deviation)


def neighbouring_courses(
    stack: ExitStack, store: Store, site: Site, site_season: SiteSeason, scenario: Scenario
) -> Iterator[tuple[View, View]]:
    """Fused images and scenes of the seasons before and after that have both where the site is now."""
    for year in (site_season.season - 1, site_season.season + 1):
        if year not in site.seasons:
            continue
        season = site.season(year)
        products = (
            FUSED.of(season, scenario),
            PREPARED_BTI.of(season, scenario.strategy),
        )
        if all(store.manifest(product) is not None for product in products):
            fused, bands = (stack.enter_context(store.read(product)) for product in products)
            if lies_in_place(fused, site) and lies_in_place(bands, site):  # else from before the site was moved
                yield fused, bands
