"""What the terminal shows of a command at work: one live line, unless somebody asks for more."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

ERRORS: Final = Console(stderr=True)
"""Logs and the live line share it, so that neither writes over the other."""


class Lines(logging.Handler):
    """One line a record, never wrapped, so that it can be searched and copied."""

    def emit(self, record: logging.LogRecord) -> None:
        text = Text(f"{time.strftime('%H:%M:%S')} {record.levelname.lower():<8} {self.format(record)}")
        ERRORS.print(text, soft_wrap=True, style="yellow" if record.levelno >= logging.WARNING else "")


LINES: Final = Lines()
"""The command's one log handler."""


def verbose() -> bool:
    """Whether the command was given ``-v``."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.find_root().params.get("verbose"))


@contextmanager
def stages_quiet() -> Iterator[None]:
    """What stages say of their work stays in the Dagster UI, warnings apart, unless the command was given ``-v``."""
    if not verbose():
        LINES.setLevel(logging.WARNING)
    try:
        yield
    finally:
        LINES.setLevel(logging.NOTSET)


class Steps:
    """The steps of a plan on one live line, with the time left; a line for each where nobody watches or with ``-v``.

    expected: seconds that each step should take. What is left is scaled by how the steps so far went.
    """

    def __init__(self, expected: Sequence[float]) -> None:
        self._expected = expected
        self._done = 0
        self._started = self._step_started = time.monotonic()
        self._live = ERRORS.is_terminal and not verbose()

    @contextmanager
    def shown(self, first: str) -> Iterator[None]:
        """Show the line, beginning with what step ``first`` is, until the block ends."""
        if not self._live:
            yield
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), _Left(self))
        with Progress(*columns, console=ERRORS, transient=True) as progress:
            self._progress = progress
            self._task = progress.add_task(self._named(first), total=len(self._expected))
            yield

    def advance(self, line: str, following: str | None) -> None:
        """A step is done: ``line`` says how; ``following`` is the next."""
        self._done += 1
        self._step_started = time.monotonic()
        if not self._live:
            seconds = self._step_started - self._started
            Console().print(
                f"[{self._done}/{len(self._expected)}] {line} ({seconds:.1f} s)",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
        elif following is not None:
            self._progress.update(self._task, description=self._named(following))

    def left(self) -> float | None:
        """Seconds still to go; None before anything is known."""
        now = time.monotonic()
        expected = sum(self._expected[: self._done])
        pace = (self._step_started - self._started) / expected if expected > 0 else 1.0
        todo = sum(self._expected[self._done :])
        return max(0.0, pace * todo - (now - self._step_started)) if todo else None

    def _named(self, step: str) -> str:
        return f"{self._done + 1}/{len(self._expected)} {step}"


class _Left(ProgressColumn):
    """How long the rest takes, in words."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps

    def render(self, task: Task) -> Text:
        left = self._steps.left()
        if left is None:
            return Text("")
        words = "nearly done" if left < 3 else f"about {left:.0f} s left" if left < 90 else f"{left / 60:.0f} min left"
        return Text(words, style="dim")
