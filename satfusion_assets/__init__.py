"""satfusion: Sentinel-2 and Sentinel-3 fused to daily images, scored against PhenoCams, as a Dagster asset graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from satfusion_assets.fusion.methods import fuse

__all__ = ["fuse"]


def __getattr__(name: str) -> Any:
    """``fuse`` when it is first asked for: importing the package loads no engine."""
    if name == "fuse":
        from satfusion_assets.fusion.methods import fuse

        return fuse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
