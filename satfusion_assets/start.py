"""The ``satfusion`` command's first step, loaded before anything else of it.

Loading the command takes long enough for a person to think better of it. A Ctrl-C meanwhile would be a traceback out
of whichever module is being imported, or be swallowed there; nothing has begun yet, so the process may end at once.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Final

WORD: Final = b"Stopped by SIGINT while loading; nothing was begun.\n"
_STANDARD_ERROR: Final = 2


def main() -> None:
    """Load the command and run it."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # else somebody has us ignore it
        signal.signal(signal.SIGINT, _leave)
    from satfusion_assets.cli import main as run

    signal.signal(signal.SIGINT, usual)
    run()


def _leave(number: int, _frame: FrameType | None) -> None:
    os.write(_STANDARD_ERROR, WORD)
    os._exit(128 + number)
