"""Fixtures that every room's tests share: where reference numbers and real data lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

# How long a case takes says how busy the machine is. A change is judged by the same cases each time; `make test-slow`
# looks for new ones.
settings.register_profile("same cases", deadline=None, derandomize=True)
settings.register_profile("new cases", deadline=None)
settings.load_profile(os.environ.get("SATFUSION_TEST_CASES", "same cases"))

GOLDENS = Path(__file__).parent / "goldens"
"""Reference numbers computed by the authors' public code (README there)."""

REAL_DATA = Path(os.environ.get("SATFUSION_REAL_DATA", "real_data"))
"""Real data whose licences forbid committing them; tests that need a file are collected only where it exists."""


def real_cases(paths: Sequence[Path], what: str) -> list[ParameterSet]:
    """A case for each real file; where there is none one that is skipped and says where ``what`` is looked for."""
    if paths:
        return [pytest.param(path, id=path.stem) for path in paths]
    reason = f"no {what} below {REAL_DATA}; SATFUSION_REAL_DATA names the folder"
    return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=reason))]


@pytest.fixture(scope="session")
def goldens() -> Path:
    return GOLDENS
