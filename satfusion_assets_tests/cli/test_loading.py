"""Loading leaves the collector of cycles on, and works where the C library is another than glibc."""

from __future__ import annotations

import ctypes
import gc

import pytest

from satfusion_assets.cli.loading import HEAPS, LARGE, SELDOM, kept_for_good


class OtherLibrary:
    """One without options, as macOS has it."""


class Library:
    def __init__(self) -> None:
        self.told: dict[int, int] = {}

    def mallopt(self, option: int, value: int) -> int:
        self.told[option] = value
        return 1


@pytest.fixture(autouse=True)
def as_it_was():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


def test_the_collector_is_off_while_things_are_loaded_and_seldom_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: OtherLibrary())
    with kept_for_good():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_threshold()[0] == SELDOM


def test_the_c_library_is_told_to_give_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of M_ARENA_MAX and M_MMAP_THRESHOLD in glibc's malloc.h."""
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    with kept_for_good():
        pass
    assert library.told == {-8: HEAPS, -3: LARGE}
