"""What the viewer expects of the JSON files that it reads; what else they hold passes unread."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Number = float | None


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow")


class Scores(_Shape):
    """Scores of one scenario against the camera, as the contract names them."""

    nse_pc: Number = None
    r_squared: Number = None
    pearson_r: Number = None
    pearson_r2: Number = None
    nrmse: Number = None
    rmse: Number = None
    mae: Number = None
    n_samples: Number = None


class Metrics(_Shape):
    """``metrics.json``; temporal: scores by the contract's key of a scenario."""

    phenocam_stats: dict[str, Number] | None = None
    temporal: dict[str, Scores | None] | None = None


class Calibrated(_Shape):
    """Scores without the camera's own colours, each with its 95 % interval."""

    nse: Number = None
    rmse: Number = None
    nse_interval: list[Number] | None = None
    rmse_interval: list[Number] | None = None


class Skilled(_Shape):
    """Skill of one scenario."""

    calibrated: Calibrated | None = None


class ShownRegion(_Shape):
    """Skill against one of the camera's regions, by scenario."""

    scenarios: dict[str, Skilled | None] | None = None


class Skill(_Shape):
    """``skill.json``; the first region is the one of metrics.json."""

    regions: dict[str, ShownRegion | None] | None = None


class DrawnRegion(_Shape):
    """A region of interest of the camera. vegetation: PhenoCam's code."""

    name: str = ""
    vegetation: str | None = None


class CameraRecord(_Shape):
    """``rois.json``: where the camera looks, in the archive's word, and the region that is read."""

    orientation: str | None = None
    chosen: str = ""
    regions: list[DrawnRegion] = []


class Dated(_Shape):
    """One day of a series."""

    date: str = Field(min_length=10)
    greenness_index: Number = None
    ndvi: Number = None
    gcc: Number = None
    b02: Number = None
    b03: Number = None
    b04: Number = None
    b8a: Number = None


class Screened(Dated):
    """One scene of the pre-selection."""

    filename: str | None = None
