"""Ctrl-C while the command is still loading is a word, not a traceback."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import builtins, os, signal, sys
usual = builtins.__import__
def importing(name, *arguments, **options):
    module = usual(name, *arguments, **options)
    if {when}:
        builtins.__import__ = usual
        os.kill(os.getpid(), signal.SIGINT)
    return module
builtins.__import__ = importing
{before}
from satfusion_assets.start import main
sys.argv = ["satfusion", "sites", "list"]
main()
"""
WHILE_LOADING = "'satfusion_assets.cli.sites' in sys.modules"


def run(when: str, before: str = "") -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", PROGRAM.format(when=when, before=before)]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)


def test_ctrl_c_while_modules_load_ends_the_command_with_one_sentence() -> None:
    ended = run(WHILE_LOADING)
    assert (ended.returncode, ended.stderr) == (130, "Stopped by SIGINT while loading; nothing was begun.\n")


def test_ctrl_c_in_a_command_without_a_word_of_its_own_ends_it_with_one() -> None:
    ended = run("name == 'satfusion_assets.vocabulary.utm' and 'satfusion_assets.cli.view' in sys.modules")
    assert (ended.returncode, ended.stderr) == (130, "Stopped by SIGINT.\n")


def test_who_is_told_to_ignore_ctrl_c_does_so_while_modules_load() -> None:
    ended = run(WHILE_LOADING, "signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert "Stopped" not in ended.stderr
