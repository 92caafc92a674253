"""What the archives' tests share: real files, an archive without a network, an archive that serves bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.patience import THROTTLED, Patience
from satfusion_assets_tests.conftest import REAL_DATA

FIXTURES = Path(__file__).parent / "fixtures"
IMPATIENT = Patience(attempts=3, first_wait_s=0, timeout_s=2, deadline_s=5)

Handler = Callable[[httpx.Request], httpx.Response]


def archive(handler: Handler, patience: Patience = IMPATIENT) -> HttpArchive:
    """An archive whose answers are ``handler``'s."""
    return HttpArchive("The archive", patience, transient=THROTTLED, transport=httpx.MockTransport(handler))


def item(name: str) -> dict[str, Any]:
    """A real catalogue item among the fixtures."""
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def real_items() -> list[Path]:
    """Every real item: those committed, and more where the real data are."""
    committed = list(FIXTURES.glob("S2*_L2A.json"))
    names = {path.name for path in committed}
    return sorted(committed + [p for p in REAL_DATA.glob("stac/items/**/S2*.json") if p.name not in names])
