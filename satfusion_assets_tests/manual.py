"""The manual's pages as tests run them: what a reader would copy, block by block, as it stands.

A block of ``console`` holds commands behind ``$``; one of ``python`` is a program; ``<!-- slow -->`` in front of a
block leaves it to the long campaigns. Other languages are for reading.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1] / "docs"
_BLOCK: Final = re.compile(r"(?P<slow><!-- slow -->\n)?^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """Something on a page that a reader copies."""

    language: str
    text: str
    slow: bool

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command behind a prompt."""
        lines = [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]
        return [shlex.split(line, comments=True) for line in lines]


def blocks(page: str) -> list[Block]:
    """What is to be copied from ``docs/{page}``."""
    found = _BLOCK.finditer((DOCS / page).read_text())
    return [Block(block["language"], block["text"], block["slow"] is not None) for block in found]


def follow(
    page: str,
    folder: Path,
    run: Callable[[Sequence[str]], subprocess.CompletedProcess[str]],
    *,
    slow: bool = False,
) -> str:
    """Do in ``folder`` what the page says; run: how a ``satfusion`` command is given. Returns what was printed."""
    said = []
    for block in blocks(page):
        if block.slow and not slow:
            continue
        if block.language == "python":
            program = [sys.executable, "-c", block.text]
            done = [subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)]
        elif block.language == "console":
            assert all(command[0] == "satfusion" for command in block.commands), block.text
            done = [run(command[1:]) for command in block.commands]
        else:
            continue
        for finished in done:
            assert finished.returncode == 0, f"{page}: {finished.args}\n{finished.stderr[-3000:]}"
            said.append(finished.stdout)
    return "\n".join(said)
