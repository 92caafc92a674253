"""Puts into the wheel what stands beside the package in a checkout: viewer, instance, workspace and units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = ("webapp/dist", "dagster_home/dagster.yaml", "deploy", "workspace.yaml")
INSIDE = "satfusion_assets/installed"


class CarryBesides(BuildHookInterface):  # type: ignore[type-arg,misc]
    """An editable installation is the checkout itself and carries nothing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """RuntimeError when the viewer is not built: a wheel without it would only say so when it is used."""
        if version == "editable" or self.target_name != "wheel":
            return
        if not (Path(self.root) / "webapp" / "dist" / "index.html").is_file():
            raise RuntimeError("the viewer is not built: run 'make webapp', then build the wheel again")
        build_data["force_include"] |= {str(Path(self.root) / name): f"{INSIDE}/{name}" for name in CARRIED}
