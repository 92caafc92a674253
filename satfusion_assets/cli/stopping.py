"""Ctrl-C and SIGTERM end a command within seconds, with a word, whatever it is doing.

Python tells the main thread of a signal between two of its steps, which can be long in coming: compiled kernels, a
disk, downloads in other threads that are waited for. So another thread is notified as well, and ends the process when
the main thread has not done so in time. That is safe at any moment: products are published whole or not at all.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psutil
from dagster import DagsterExecutionInterruptedError

from satfusion_assets.vocabulary.errors import SatfusionError

GRACE_S: Final = 4.0
"""How long the main thread has for ending by itself."""
LAST_S: Final = 3.0
"""How long what is done before the process is cut off may take, as on a disk that hangs."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
END: Final = 0
"""What the block's end writes where the signals' numbers are written; no signal has this number."""
WORD: Final = "Stopping: what is finished stays, what is half done is dropped; the same command goes on from there.\n"


class Stopped(SatfusionError):
    """The command was asked to stop by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Stopped by {signal.Signals(number).name}.")
        self.exit_code = 128 + number


class Stop:
    """Which signal has come, and what to do before the process is cut off."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.before_cut: Callable[[], None] | None = None
        """Called in a thread of its own, which has LAST_S for it."""

    @property
    def word(self) -> str:
        """By what the command was stopped; empty as long as it was not."""
        return f"Stopped by {signal.Signals(self.received[0]).name}." if self.received else ""

    def cut_off(self) -> None:
        """End the process and those that it began, now."""
        if self.before_cut is not None:
            last = threading.Thread(target=self.before_cut, name="last words", daemon=True)
            last.start()
            last.join(LAST_S)
        for child in psutil.Process().children(recursive=True):
            child.terminate()
        os._exit(128 + self.received[0])


@contextmanager
def stoppable() -> Iterator[Stop]:
    """A block that a signal ends with Stopped, or with the whole process where that takes too long."""
    stop = Stop()
    received = stop.received
    ended = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while not received:
            number = os.read(reading, 1)[0]
            if number == END:
                return
            if number in SIGNALS:
                received.append(number)
        sys.stderr.write(WORD)
        sys.stderr.flush()
        if not ended.wait(GRACE_S):
            stop.cut_off()

    def end() -> None:
        """Wait for the other thread: what came before the block's end is known and said once this returns."""
        ended.set()
        os.write(writing, bytes([END]))
        watcher.join(LAST_S)

    watcher = threading.Thread(target=watch, name="signals", daemon=True)
    watcher.start()
    descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    try:
        yield stop
    except (KeyboardInterrupt, DagsterExecutionInterruptedError) as error:
        end()
        raise Stopped(received[0] if received else signal.SIGINT) from error
    except SatfusionError as error:  # what was interrupted may say so in its own way
        end()
        if received:
            raise Stopped(received[0]) from error
        raise
    finally:
        end()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(descriptor)
        os.close(writing)
        os.close(reading)
