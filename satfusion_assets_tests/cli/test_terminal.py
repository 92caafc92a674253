"""One live line for people, a line a step for logs; the time left follows the steps' pace."""

from __future__ import annotations

import logging

import pytest

from satfusion_assets.cli.terminal import LINES, Steps, stages_quiet


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def strftime(self, pattern: str) -> str:
        return "12:00:00"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("satfusion_assets.cli.terminal.time", clock)
    return clock


def test_the_time_left_is_scaled_by_how_the_steps_so_far_went(clock: Clock) -> None:
    steps = Steps([10.0, 20.0, 5.0])
    assert steps.left() == 35.0
    clock.now = 20.0
    steps.advance("first done", "second")
    assert steps.left() == 50.0, "half as fast as expected"
    clock.now = 30.0
    assert steps.left() == 40.0
    clock.now = 300.0
    assert steps.left() == 0.0, "a step that takes longer than expected leaves nothing, not less"


def test_what_is_up_to_date_says_nothing_of_the_pace(clock: Clock) -> None:
    steps = Steps([0.0, 20.0])
    clock.now = 3.0
    steps.advance("first up to date", "second")
    assert steps.left() == 20.0


def test_a_log_gets_a_whole_line_a_step(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    long = "innsbruck_2024: " + ", ".join(f"product_{number}" for number in range(20)) + " done"
    steps = Steps([1.0])
    with steps.shown("first"):
        steps.advance(long, None)
    assert capsys.readouterr().out == f"[1/1] {long} (0.0 s)\n"


def test_stages_are_quiet_but_for_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("satfusion_assets.test")
    log.propagate = False
    log.addHandler(LINES)
    log.setLevel(logging.INFO)
    try:
        with stages_quiet():
            log.info("fused")
            log.warning("one scene is bad %s", "x" * 200)
        log.info("told")
    finally:
        log.removeHandler(LINES)
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in said] == ["warning", "info"], "each on one line"
