"""Where Dagster keeps its records: commands that begin together in a new home do not get in each other's way."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from satfusion_assets.cli.home import dagster_instance
from satfusion_assets.vocabulary.installation import INSTANCE, beside_package

TOGETHER = 4


def test_commands_that_begin_together_in_a_new_home_all_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(beside_package(INSTANCE), tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    ready = Barrier(TOGETHER)

    def command(number: int) -> bool:
        ready.wait()
        with dagster_instance() as instance:
            instance.add_dynamic_partitions("sites", [str(number)])
            return instance.has_dynamic_partition("sites", str(number))

    with ThreadPoolExecutor(TOGETHER) as commands:
        assert all(commands.map(command, range(TOGETHER)))
