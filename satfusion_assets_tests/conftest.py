"""What all rooms' tests share: where reference numbers and real data lie, one certificate authority, who runs what."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import certifi
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


AUTHORITIES = "SSL_CERT_FILE"
AUTHORITIES_OF_THE_MACHINE = "AUTHORITIES_OF_THE_MACHINE"
"""Variable that keeps what the other one said outside the tests, for programs that ask a registry."""


def pytest_configure() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # workers share the cores, and more threads only wait for them
    _like_in_a_terminal()
    _trust_one_authority()


def _like_in_a_terminal() -> None:
    """What a script starts in the background ignores SIGINT; Dagster gives SIGTERM the same handler, and after each run
    waits a minute for the helpers that inherited it to end.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _trust_one_authority() -> None:
    """Every client of HTTP reads all authorities that it trusts, some 50 ms of CPU; here all servers are on loopback,
    and one authority will do. Workers, and the processes that tests start, have it from the first process.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        end = "-----END CERTIFICATE-----\n"
        one = Path(certifi.where()).read_text("utf-8").partition(end)[0] + end
        with tempfile.NamedTemporaryFile("w", prefix="authority_", suffix=".pem", delete=False) as file:
            file.write(one)
        os.environ[AUTHORITIES_OF_THE_MACHINE] = os.environ.get(AUTHORITIES, "")
        os.environ[AUTHORITIES] = file.name


def pytest_unconfigure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        Path(os.environ[AUTHORITIES]).unlink(missing_ok=True)


LONGEST = (
    "test_end_to_end.py",
    "test_wheel.py",
    "evaluation/gaps/test_benchmark.py",
    "orchestration/automation/test_conditions.py",
    "pipeline/acquisition/test_acquisition.py",
    "pipeline/acquisition/test_copernicus.py",
    "pipeline/test_fuse_folder.py",
    "viewer/test_browser_explore.py",
    "viewer/test_browser_pages.py",
    "orchestration/checks/test_criteria.py",
    "phenology/test_noise.py",
)
"""Modules that are begun first, so that no worker is left with one when the others have finished: xdist begins with
those of the most tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {module: number for number, module in enumerate(LONGEST)}
    here = Path(__file__).parent
    items.sort(key=lambda item: rank.get(item.path.relative_to(here).as_posix(), len(LONGEST)))


def real_cases(paths: Sequence[Path], what: str) -> list[ParameterSet]:
    """A case for each real file; where there is none one that is skipped and says where ``what`` is looked for."""
    if paths:
        return [pytest.param(path, id=path.stem) for path in paths]
    reason = f"no {what} below {REAL_DATA}; SATFUSION_REAL_DATA names the folder"
    return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=reason))]


@pytest.fixture(scope="session")
def goldens() -> Path:
    return GOLDENS


def program(name: str, package: str) -> str:
    """Where a Debian program is; a test that needs it is skipped without it, and fails in CI."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not installed; Debian has it in {package}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found
