"""A criterion is applied to a published product and gives a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.store import Product, Store, View
from satfusion_assets.store.rasters import Raster
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing, SatfusionError
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.scenarios import CHANNELS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets.vocabulary.sites import Site

if TYPE_CHECKING:
    from satfusion_assets.store.stacks import Images

OFFENDERS: Final = 20
"""Offending files or days that a verdict lists."""


@dataclass(frozen=True)
class Verdict:
    """Whether a criterion holds. says: one sentence. numbers: what was measured. offenders: what breaks it."""

    passed: bool
    says: str
    numbers: Mapping[str, float | int] = field(default_factory=dict)
    offenders: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class CheckedProduct:
    """A published product whose checks are evaluated; its rasters are read once for all criteria.

    site: None for a product of all site-seasons.
    """

    view: View
    site: Site | None
    store: Store

    @property
    def grid(self) -> SiteGrid:
        assert self.site is not None, "products on a grid belong to a site"
        return site_grid(self.site)

    @property
    def product(self) -> Product:
        return self.view.product

    @property
    def scenario(self) -> Scenario:
        return Scenario.parse(self.product.variant)

    @property
    def strategy(self) -> Strategy:
        return Strategy(self.product.variant)

    @property
    def mode(self) -> Mode:
        """Blend-then-Index or Index-then-Blend, of a prepared product or a scenario."""
        from satfusion_assets.pipeline.prepared.product import is_prepared, mode_of

        return mode_of(self.product) if is_prepared(self.product) else self.scenario.mode

    @property
    def channels(self) -> tuple[str, ...]:
        """Band descriptions of the images of this mode."""
        return tuple(CHANNELS[self.mode])

    @property
    def sentinel2_alone(self) -> bool:
        """Whether the season was made without Sentinel-3 on purpose."""
        from satfusion_assets.pipeline.raw_s3.product import RAW_S3

        raw = self.store.manifest(RAW_S3.of(self.product.site_season))
        return raw is not None and raw.parameters.get("product") == S3Product.NONE

    @cached_property
    def _rasters(self) -> dict[str, Raster]:
        return {}

    @cached_property
    def _together(self) -> dict[str, tuple[int, Images, Raster]]:
        """Place of rasters in the stack that they were read in, and what all of it have in common."""
        return {}

    def raster(self, name: str) -> Raster:
        if name in self._together:
            place, stack, alike = self._together[name]
            return replace(alike, values=stack[place])
        if name not in self._rasters:
            self._rasters[name] = self.view.read_raster(name)
        return self._rasters[name]

    def read_together(self, names: Sequence[str]) -> None:
        """Have rasters at hand that should be alike, at half of what one by one costs; where they are not, a criterion
        finds out which.
        """
        if not names:
            return
        try:
            stack, alike = self.view.read_alike(names)
        except (ProductCorrupt, ProductMissing):
            return
        self._together.update({name: (place, stack, alike) for place, name in enumerate(names)})


Rule = Callable[[CheckedProduct], Verdict]


def of_sentinel3(rule: Rule) -> Rule:
    """A rule about Sentinel-3, which a season of Sentinel-2 alone keeps."""

    @wraps(rule)
    def asked(checked: CheckedProduct) -> Verdict:
        if checked.sentinel2_alone:
            return Verdict(True, "The season is made from Sentinel-2 alone.")
        return rule(checked)

    return asked


@dataclass(frozen=True)
class Criterion:
    """A rule that a product is held to. blocking: a product that breaks it must not be used by anything downstream."""

    name: str
    meaning: str
    rule: Rule
    blocking: bool


def evaluate(store: Store, site: Site | None, product: Product, criteria: Sequence[Criterion]) -> dict[str, Verdict]:
    """The verdict of each criterion, by name, on the current version; ProductMissing when there is none.

    A criterion that cannot even be applied (unreadable file, missing field) is broken.
    """
    with store.read(product) as view:
        checked = CheckedProduct(view, site, store)
        return {criterion.name: _apply(criterion, checked) for criterion in criteria}


def _apply(criterion: Criterion, checked: CheckedProduct) -> Verdict:
    try:
        return criterion.rule(checked)
    except (SatfusionError, KeyError, TypeError, ValueError, IndexError) as error:
        return Verdict(False, f"Cannot be evaluated: {error!s}" if str(error) else f"Cannot be evaluated: {error!r}")


def verdict(bad: Sequence[Mapping[str, Any]], of: int, what: str, numbers: Mapping[str, float | int]) -> Verdict:
    """Holds when nothing is ``bad``; says how many of how many ``what`` are."""
    says = (
        f"All {of} {what} are as they should be."
        if not bad
        else f"{len(bad)} of {of} {what} are not as they should be."
    )
    return Verdict(not bad, says, numbers, bad[:OFFENDERS])


FEW: Final = 3


SHARE: Final = 0.1
"""More odd ones than a few, and than this share of all, speak against the product and not against themselves."""


def tolerated(odd: int, of: int, share: float = SHARE) -> bool:
    """Whether ``odd`` scenes, images or days ``of`` so many are single ones: the others still make the product."""
    return odd <= max(FEW, share * of) and (odd < of or not odd)


def mostly(
    odd: Sequence[Mapping[str, Any]], of: int, what: str, numbers: Mapping[str, float | int], share: float = SHARE
) -> Verdict:
    """Holds while only single ones are ``odd``; says how many are left. Not the worst scene decides."""
    says = f"{of - len(odd)} of {of} {what} are as they should be."
    return Verdict(tolerated(len(odd), of, share), says, {**numbers, "odd": len(odd)}, odd[:OFFENDERS])


def rounded(value: Any) -> float:
    """A measured value as metadata keeps it; NaN for an empty one."""
    import numpy as np

    return round(float(value), 5) if np.isfinite(value) else float("nan")


def whole_files(checked: CheckedProduct) -> Verdict:
    problems = checked.store.verify(checked.product)
    count = len(checked.view.manifest.files)
    return verdict([{"problem": text} for text in problems], count, "files", {"files": count})


FILES: Final = Criterion(
    "files",
    "Every file of the manifest is there, with the size and hash that it was published with.",
    whole_files,
    True,
)
