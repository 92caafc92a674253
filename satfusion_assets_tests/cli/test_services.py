"""Services end with the command that started them, also where a person will not wait for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from satfusion_assets.cli import services

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
time.sleep(600)
"""


def started(program: str, ready: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", program, str(ready)], start_new_session=True)
    while not ready.exists():
        time.sleep(0.05)
    return process


def test_a_second_ctrl_c_ends_a_service_that_does_not_end_by_itself_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "STOP_SECONDS", 120)
    stubborn = started(STUBBORN, tmp_path / "ready")
    impatience = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    impatience.start()
    services._stop(stubborn)
    assert stubborn.poll() == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_is_answered_with_a_word(capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
        services.wait_for_end([services.Service("Viewer", "http://127.0.0.1", ())])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "Stopping the services; Ctrl-C again ends them at once." in capsys.readouterr().err
