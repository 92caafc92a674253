"""Fixtures that every room's tests share: where reference numbers and real data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parent / "goldens"
"""Reference numbers computed by the authors' public code (README there)."""

REAL_DATA = Path(os.environ.get("SATFUSION_REAL_DATA", "real_data"))
"""Real data whose licences forbid committing them; tests that need a file are collected only where it exists."""


@pytest.fixture(scope="session")
def goldens() -> Path:
    return GOLDENS
