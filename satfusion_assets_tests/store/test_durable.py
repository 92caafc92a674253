"""What a loss of power may undo is decided by the order of system calls: it is recorded here, of a real publication.

No power was cut. What is asserted is what POSIX and Linux' file systems ask for: contents before the rename that makes
them visible, the rename before anything that it replaces is deleted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PUBLISH = """
import sys
from pathlib import Path
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.store import Product, ProductStore
store = ProductStore(Path(sys.argv[1]))
with store.publish(Product("fused", SiteSeason("innsbruck", 2024), "aggressive_sigma20")) as draft:
    for number in range(40):
        draft.write_bytes(f"prepared_aggressive/fusion/REFL_{number}.tif", sys.argv[2].encode())
    draft.write_json("metrics.json", [])
"""
_CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<arguments>.*)\) += 0")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Call:
    """A system call that succeeded: its name and the paths it was about, a descriptor's path in its place."""

    name: str
    paths: tuple[str, ...]


def recorded(root: Path, text: str) -> list[Call]:
    """What a process that publishes ``text`` asks of the kernel, in order of its ends."""
    trace = root.parent / "trace"
    command = ["strace", "-f", "-y", "-o", str(trace), "-e"]
    calls = "trace=fsync,rename,renameat,renameat2,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir"
    subprocess.run([*command, calls, sys.executable, "-c", PUBLISH, str(root), text], check=True, timeout=120)
    found = []
    unfinished: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        process = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            unfinished[process] = line.removesuffix("<unfinished ...>")
            continue
        if "resumed>" in line:
            line = unfinished.pop(process, "") + line.split("resumed>", 1)[1]
        match = _CALL.match(line)
        if match and str(root) in line:
            paths = _TEXT.findall(match["arguments"]) or re.findall(r"<([^>]*)>", match["arguments"])
            found.append(Call(match["name"], tuple(paths)))
    return found


def positions(calls: list[Call], name: str, pattern: str) -> list[int]:
    """Where calls of a kind (``rename`` also as ``renameat``) have a last path that matches ``pattern``."""
    return [
        number
        for number, call in enumerate(calls)
        if call.name.startswith(name) and call.paths and re.search(pattern, call.paths[-1])
    ]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_files_are_on_the_disk_before_the_rename_and_the_rename_before_the_old_version_goes(tmp_path: Path) -> None:
    root = tmp_path / "data"
    subprocess.run([sys.executable, "-c", PUBLISH, str(root), "old"], check=True, timeout=120)
    calls = recorded(root, "new")

    (swap,) = positions(calls, "rename", r"/current$")
    files = positions(calls, "fsync", r"/versions/\w+/.*REFL_\d+\.tif$")
    assert len({calls[number].paths for number in files}) == 40
    (manifest,) = positions(calls, "fsync", r"/versions/\w+/manifest\.json$")
    folders = [
        *positions(calls, "fsync", r"/versions/\w+$"),
        *positions(calls, "fsync", r"/versions/\w+/prepared_aggressive$"),
        *positions(calls, "fsync", r"/versions/\w+/prepared_aggressive/fusion$"),
        *positions(calls, "fsync", r"/versions$"),
    ]
    assert len(folders) == 4
    home = positions(calls, "fsync", r"\.satfusion/fused\.aggressive_sigma20$")
    assert max(files) < manifest < min(folders), "contents, then the manifest, then their names"
    assert max(folders) < swap < max(home), "all of that, then the swap, and its name after it"

    (noted,) = positions(calls, "rename", r"/pending/innsbruck_2024\.fused\.aggressive_sigma20@\w+$")
    (note,) = positions(calls, "fsync", r"/pending/\.innsbruck_2024\.fused")
    (names_of_notes,) = positions(calls, "fsync", r"/pending$")
    version = positions(calls, "mkdir", r"/versions/\w+$")
    assert note < noted < names_of_notes < min(version), "the marker stands before anything that it speaks of"

    removed = [number for number in positions(calls, "unlink", "") if number > swap]
    (ended,) = positions(calls, "unlink", r"/pending/innsbruck_2024\.fused\.aggressive_sigma20@\w+$")
    assert max(home) < min(removed), "nothing of the old version goes before the new one is certain"
    assert ended == max(removed), "the marker goes last"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_contracts_new_names_are_on_the_disk_before_the_swap(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    calls = recorded(root, "first")
    (swap,) = positions(calls, "rename", r"/current$")
    links = positions(calls, "symlink", r"/2024/prepared_aggressive/fusion/REFL_\d+\.tif$")
    named = positions(calls, "fsync", r"/2024/prepared_aggressive/fusion$")
    base = positions(calls, "fsync", r"/2024$")
    assert len(links) == 40
    assert max(links) < min(named) < swap
    assert base
    assert max(base) < swap
