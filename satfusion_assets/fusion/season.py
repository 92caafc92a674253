"""One strategy's prepared season, and its fusion by a scenario: what the product fuses is what benchmarks score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion import efast
from satfusion_assets.fusion.efast import Fused, FusionPlan, Parameters, check_images
from satfusion_assets.fusion.efast.blocks import Block, around
from satfusion_assets.fusion.efast.fused import Begin, FusedRows
from satfusion_assets.vocabulary.scenarios import BANDS, Method, Scenario

if TYPE_CHECKING:  # EFAST's scenarios do not load the other method
    import xarray as xr

    from satfusion_assets.fusion.kriging import KrigingPlan, SnowFlags

Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
Days = NDArray[np.datetime64]
Engine = Callable[..., Fused]
"""Takes what ``efast.fuse`` takes, but for ``conformance``."""


@dataclass(frozen=True)
class SeasonStack:
    """The arrays of a labelled season, which is everything the fusion of one strategy takes, with a margin around it.

    fine: (n, b, H, W) of the merged days, NaN = missing; fine_days: (n,) ascending, unique. cloud_distance: (n, h, w)
    coarse pixels. coarse: (t, b, h, w) composites, NaN = missing, t = 0 = Sentinel-2 alone; coarse_days: (t,)
    ascending, unique. b is 4, reflectance of ``BANDS``, or 1, GCC. ratio: fine pixels per coarse pixel side, H = h *
    ratio. snow: where images show snow; of reflectance it is found in the bands. reflectance: the bands that GCC is of;
    None = it is not, or they are unknown. cut_from: the stack that this is a part of, and which.
    """

    fine: Float32Array
    fine_days: Days
    cloud_distance: Float32Array
    coarse: Float32Array
    coarse_days: Days
    ratio: int
    snow: SnowFlags | None = None
    reflectance: SeasonStack | None = field(default=None, repr=False, compare=False)
    cut_from: tuple[SeasonStack, Block] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, season: xr.Dataset, reflectance: SeasonStack | None = None) -> SeasonStack:
        """The arrays of what ``labelled.label_season`` labels; nothing is copied. reflectance: that of GCC."""
        from satfusion_assets.fusion.labelled import array_of, days_of

        return cls(
            fine=array_of(season, "fine"),
            fine_days=days_of(season, "time"),
            cloud_distance=array_of(season, "cloud_distance"),
            coarse=array_of(season, "coarse"),
            coarse_days=days_of(season, "time_coarse"),
            ratio=season.sizes["y"] // season.sizes["y_coarse"],
            snow=None if reflectance is None else reflectance.snow_flags,
            reflectance=reflectance,
        )

    @cached_property
    def gcc(self) -> SeasonStack:
        """The Index-then-Blend inputs: one band of GCC instead of four of reflectance."""
        from satfusion_assets.screening.preparation import gcc_image  # what EFAST's products are made of holds it

        whole = None if self.cut_from is None else (self.cut_from[0].gcc, self.cut_from[1])
        fine, coarse = gcc_image(self.fine), gcc_image(self.coarse)
        return replace(self, fine=fine, coarse=coarse, snow=self.snow_flags, reflectance=self, cut_from=whole)

    @cached_property
    def drift(self) -> Float32Array:
        """The coarse images that kriging takes: of GCC, that of the surface which its bands tell."""
        if self.cut_from is not None:
            whole, block = self.cut_from
            return whole.drift[..., block.rows, block.columns]
        if self.reflectance is None:
            return self.coarse
        from satfusion_assets.fusion.kriging import surface_coarse
        from satfusion_assets.fusion.kriging.surface_filter import within_seen
        from satfusion_assets.screening.preparation import gcc_image

        bands = self.reflectance
        images = (bands.coarse, bands.coarse_days, bands.fine, bands.fine_days)
        green = gcc_image(surface_coarse(*images, bands.ratio, bands.snow_flags)).astype(np.float32)
        return within_seen(green, self.fine)

    @cached_property
    def snow_flags(self) -> SnowFlags | None:
        """Where images show snow, as given or found in the bands; None where neither can be."""
        if self.snow is not None or self.fine.shape[1] != len(BANDS):
            return self.snow
        from satfusion_assets.fusion.kriging import snow_flags

        return snow_flags(self.coarse, self.coarse_days, self.fine, self.fine_days, self.ratio)

    @cached_property
    def clear(self) -> BoolArray:
        """Pixels (n, H, W) whose every band is there."""
        return np.isfinite(self.fine.sum(axis=1))

    @cached_property
    def kriging_plan(self) -> KrigingPlan:
        """Kriging of this season, learned once for all its days and parts."""
        return self._planned(finer=True)

    @cached_property
    def measured_plan(self) -> KrigingPlan:
        """The same, of the bands as they are measured: without the detail that sensors with larger pixels lack."""
        return self._planned(finer=False)

    def _planned(self, finer: bool) -> KrigingPlan:
        if self.cut_from is not None:
            whole, block = self.cut_from
            return (whole.kriging_plan if finer else whole.measured_plan).block(block)
        from satfusion_assets.fusion.kriging import plan

        coarse_snow, fine_snow = self.snow_flags or (None, None)
        return plan(
            self.drift,
            self.coarse_days,
            self.fine,
            self.fine_days,
            self.cloud_distance,
            ratio=self.ratio,
            coarse_snow=coarse_snow,
            fine_snow=fine_snow,
            finer=finer,
        )

    def fuse(
        self,
        scenario: Scenario,
        days: Days,
        engine: Engine = efast.fuse,
        max_days: float = 30,
        as_measured: bool = False,
    ) -> Fused:
        """Images of ``days`` by the method of ``scenario``. engine: EFAST's; max_days: its reach to either side, as the
        thesis ran it. as_measured: by kriging without the detail that sensors with larger pixels lack."""
        if scenario.method is Method.KRIGING:
            return (self.measured_plan if as_measured else self.kriging_plan).fuse(days)
        images = (self.coarse, self.coarse_days, self.fine, self.fine_days, self.cloud_distance)
        assert scenario.sigma is not None, "EFAST has a sigma"
        return engine(days, *images, ratio=self.ratio, sigma=scenario.sigma, max_days=max_days)

    def fuse_rows(self, scenario: Scenario, days: Days, begin: Begin, max_days: float = 30) -> FusedRows:
        """As ``fuse`` by EFAST with its quality layers, the same numbers, which the one that ``begin`` names is given a
        few rows at a time."""
        assert scenario.sigma is not None, "EFAST has a sigma"
        images = (self.coarse, self.coarse_days, self.fine, self.fine_days, self.cloud_distance)
        parameters = Parameters(self.ratio, scenario.sigma, max_days)
        return FusionPlan(check_images(*images, self.ratio)).fuse_rows(days, parameters, begin)

    def scenes(self, chosen: BoolArray) -> SeasonStack:
        """The stack with only the fine scenes (n,) that are chosen."""
        return replace(
            self,
            fine=self.fine[chosen],
            fine_days=self.fine_days[chosen],
            cloud_distance=self.cloud_distance[chosen],
            snow=None if self.snow is None else self.snow.scenes(chosen),
            reflectance=None if self.reflectance is None else self.reflectance.scenes(chosen),
            cut_from=None if self.cut_from is None else (self.cut_from[0].scenes(chosen), self.cut_from[1]),
        )

    def around(self, row: int, col: int, halo: int) -> tuple[SeasonStack, int, int]:
        """The coarse pixels under the 3x3 window at fine pixel ``row, col``, with ``halo`` more on every side.

        Returns that part of the stack and the pixel's place in it. A method that reads no farther than ``halo``
        coarse pixels predicts the same there as on the whole stack; kriging does, with what the whole has taught.
        """
        block = around(row, col, self.ratio, halo, *self.coarse.shape[2:])
        rows, columns = block.fine(self.ratio)
        part = replace(
            self,
            fine=np.ascontiguousarray(self.fine[..., rows, columns]),
            cloud_distance=np.ascontiguousarray(self.cloud_distance[..., block.rows, block.columns]),
            coarse=np.ascontiguousarray(self.coarse[..., block.rows, block.columns]),
            snow=None if self.snow is None else self.snow.part(block.rows, block.columns, rows, columns),
            cut_from=(self, block),
        )
        return part, row - rows.start, col - columns.start
