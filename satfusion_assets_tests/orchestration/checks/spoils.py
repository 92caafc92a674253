"""Ways to make a good product bad in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.phenology.files import PhenologyLayout
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.raw_s2.files import S2_SCENES
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.orchestration.checks.products import BTI, SCENE_NOISE, Files, Picture, quality

Spoil = Callable[[Files], None]
PHENOLOGY = PhenologyLayout(BTI)


def scaled(name: str, factor: float) -> Spoil:
    def spoil(files: Files) -> None:
        picture: Picture = files[name]
        files[name] = replace(picture, values=(picture.values * factor).astype(picture.values.dtype))

    return spoil


def deviating(factor: float) -> Spoil:
    """Stated deviations ``factor`` times what scenes show."""

    def spoil(files: Files) -> None:
        files |= quality(BTI, factor * SCENE_NOISE)

    return spoil


def all_scaled(pattern: str, factor: float) -> Spoil:
    def spoil(files: Files) -> None:
        for name in [name for name in files if pattern in name and isinstance(files[name], Picture)]:
            scaled(name, factor)(files)

    return spoil


def each(names: Sequence[str], spoil: Callable[[str], Spoil]) -> Spoil:
    def spoil_all(files: Files) -> None:
        for name in names:
            spoil(name)(files)

    return spoil_all


def moved(name: str) -> Spoil:
    def spoil(files: Files) -> None:
        picture: Picture = files[name]
        files[name] = replace(picture, geobox=picture.geobox.translate_pix(1, 0))

    return spoil


def filled(name: str, value: float) -> Spoil:
    def spoil(files: Files) -> None:
        picture: Picture = files[name]
        files[name] = replace(picture, values=np.full_like(picture.values, value))

    return spoil


def rebanded(name: str) -> Spoil:
    def spoil(files: Files) -> None:
        picture: Picture = files[name]
        files[name] = replace(picture, bands=picture.bands[::-1])

    return spoil


def edited(name: str, edit: Callable[[Any], Any]) -> Spoil:
    """``edit`` changes the JSON content of ``name``, or returns a new one."""

    def spoil(files: Files) -> None:
        new = edit(files[name])
        if new is not None:
            files[name] = new

    return spoil


def scene(field: str, value: object) -> Spoil:
    return edited(S2_SCENES, lambda record: record["scenes"][2].update({field: value}))


def without(*names: str) -> Spoil:
    def spoil(files: Files) -> None:
        for name in names:
            del files[name]

    return spoil


def excluded(strategy: Strategy, keep: int) -> Spoil:
    """``strategy`` keeps the first ``keep`` Sentinel-2 scenes only."""
    return edited(
        preselection("s2", "json"),
        lambda rows: [row.update({f"excluded_{strategy}": True}) for row in rows[keep:]] and rows,
    )


def of_the_gap(**values: object) -> Spoil:
    return edited(GapLayout().metrics, lambda r: r["strategies"]["aggressive"]["gaps"][0].update(values))


def statistics(**values: float) -> Spoil:
    return edited(ProcessedLayout(BTI).scores, lambda record: record["temporal"].update(values))


def all_filled(transition: str, values: tuple[float, float, float]) -> Spoil:
    """A date map of one date with its interval."""

    def spoil(files: Files) -> None:
        picture: Picture = files[PHENOLOGY.dates(transition)]
        flat = np.array(values, np.float32)[:, None, None] + np.zeros_like(picture.values)
        files[PHENOLOGY.dates(transition)] = replace(picture, values=flat)

    return spoil
