"""A signal ends ``satfusion materialize`` within seconds, with a word; a failure names its cause, whoever's it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from satfusion_assets.cli.plans import Run
from satfusion_assets.cli.runs import RunFailed, execute
from satfusion_assets.cli.stopping import GRACE_S, WORD, Stopped, stoppable
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

RAW = Product("raw_s2", SiteSeason("innsbruck", 2024))
ROOT = Path(__file__).parents[2]
WORK = {
    "python": "time.sleep(600)",
    "threads": "with ThreadPoolExecutor(2) as pool: list(pool.map(time.sleep, [600] * 4))",
}
PROGRAM = """
import signal, sys, time
from concurrent.futures import ThreadPoolExecutor
from satfusion_assets import cli
from satfusion_assets.cli import materialize
import satfusion_assets.pipeline.raw_s2.acquire
import satfusion_assets.pipeline.raw_s3.acquire
def acquire(*arguments, **options):
    print("at work", flush=True)
    {work}
satfusion_assets.pipeline.raw_s2.acquire.acquire_sentinel2 = acquire
satfusion_assets.pipeline.raw_s3.acquire.check_sentinel3_credentials = lambda *arguments, **options: None
sys.argv = ["satfusion", "materialize", "innsbruck", "2024"]
cli.main()
"""


SIGNALLED = {
    "SIGTERM": (signal.SIGTERM, os.kill),
    "SIGINT": (signal.SIGINT, os.kill),
    "Ctrl-C": (signal.SIGINT, os.killpg),  # a terminal tells every process of the command
}

USUAL = {("python", "SIGTERM"), ("threads", "Ctrl-C")}


@pytest.mark.parametrize(
    ("work", "number", "tell"),
    [
        pytest.param(work, *how, id=f"{work}-{name}", marks=() if (work, name) in USUAL else pytest.mark.slow)
        for work in WORK
        for name, how in SIGNALLED.items()
    ],
)
def test_a_signal_ends_a_run_with_a_word(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    tell: Callable[[int, int], None],
    work: str,
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_text((ROOT / "dagster_home/dagster.yaml").read_text())
    environment = os.environ | {"SATFUSION_DATA_ROOT": str(tmp_path / "data"), "DAGSTER_HOME": str(tmp_path / "home")}
    program = PROGRAM.format(work=WORK[work])
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        while b"at work" not in process.stdout.readline():
            assert process.poll() is None, process.stderr and process.stderr.read().decode()
        time.sleep(0.5)
        tell(process.pid, number)
        _, said = process.communicate(timeout=GRACE_S + 60)
    assert process.returncode == 128 + number, said.decode()
    assert b"Stopping: what is finished stays" in said
    assert b"Traceback" not in said
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.get() as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.CANCELED]


def test_the_word_is_said_and_the_signal_known_however_fast_the_block_ends(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        with pytest.raises(Stopped) as told, stoppable():
            signal.raise_signal(signal.SIGTERM)
        assert told.value.exit_code == 128 + signal.SIGTERM
        assert capfd.readouterr().err == WORD


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("stratum"), "KeyError: 'stratum' (at test_stopping.py, line"),
        (MemoryError(), "MemoryError"),
        (OSError(5, "Input/output error", "/disk/x.tif"), "Input/output error: '/disk/x.tif'"),
        (RuntimeError("outer"), "ValueError: inner"),
    ],
)
def test_a_failure_that_is_no_error_of_ours_is_named_with_its_place(
    tmp_path: Path, error: Exception, words: str
) -> None:
    key = RAW.site_season.key

    @dg.asset(name="raw_s2", partitions_def=dg.StaticPartitionsDefinition([key]))
    def failing() -> None:
        if isinstance(error, RuntimeError):
            raise error from ValueError("inner")
        raise error

    defs = dg.Definitions([failing], executor=dg.in_process_executor)
    platform = Platform(Settings(data_root=tmp_path))
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(RunFailed) as told:
        list(execute(defs, instance, platform, [Run(("raw_s2",), key, (RAW,))], rebuild=True))
    assert "raw_s2: " in str(told.value)
    assert words in str(told.value)
    assert "occurred while executing op" not in str(told.value)
