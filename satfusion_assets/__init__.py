"""satfusion: Sentinel-2 and Sentinel-3 fused to daily images, scored against PhenoCams, as a Dagster asset graph.

The public face, loaded when it is first asked for (docs/library.md); what is not named here may change in any release:

- ``fuse``: EFAST and kriging, of arrays or labelled arrays;
- ``open_season``: a materialised season as an xarray.Dataset;
- ``transitions``, ``scores``: dates of green-up and green-down of a series; how well one series follows another;
- ``__version__``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from satfusion_assets.public.labelled import fuse
    from satfusion_assets.public.seasons import open_season
    from satfusion_assets.public.series import scores, transitions

    __version__: str

__all__ = ["__version__", "fuse", "open_season", "scores", "transitions"]
_ROOMS: Final = {"fuse": "labelled", "open_season": "seasons", "scores": "series", "transitions": "series"}


def __getattr__(name: str) -> Any:
    """A public name when it is first asked for: importing the package loads no engine."""
    if name == "__version__":
        from importlib.metadata import version

        return version("satfusion")
    if name in _ROOMS:
        return getattr(import_module(f"satfusion_assets.public.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
