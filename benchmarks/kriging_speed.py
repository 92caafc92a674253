"""Mean and deviation of a season by kriging beside EFAST with its quality layers, in turns, on the same inputs.

The reference may be another checkout with an interpreter of its own (its EFAST is timed): both run in turns, each in a
process that stays warm, and the best of every side is compared.

    python -m benchmarks.kriging_speed [--reference CHECKOUT] [--rounds 7] [--write docs/kriging-speed.md]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, default=Path.cwd(), help="checkout whose EFAST is timed")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    options = parser.parse_args()
    text = report(options.reference, options.rounds)
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(reference: Path, rounds: int) -> str:
    python = reference / ".venv" / "bin" / "python"
    sides = {
        "kriging, mean and deviation": Side(Path.cwd(), Path(sys.executable), "kriging"),
        "EFAST with quality layers": Side(reference, python if python.exists() else Path(sys.executable), "efast"),
    }
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, side in sides.items():
            wall, cpu = side.once()
            before = best.get(name, (np.inf, np.inf))
            best[name] = (min(before[0], wall), min(before[1], cpu))
    learning = sides["kriging, mean and deviation"].learning
    for side in sides.values():
        side.stop()
    ours, theirs = best.values()
    lines = [
        "# Speed of kriging",
        "",
        "A site's season (5 x 5 coarse pixels, ratio 30, 4 bands, 85 scenes, 366 days): mean and deviation of every",
        f"day, beside EFAST with its quality layers, in turns, the best of {rounds} each. Learning of the",
        "hyper-parameters comes once per season beside it. Written by `python -m benchmarks.kriging_speed`.",
        "",
        "| what | wall s | CPU s |",
        "|---|---|---|",
        *(f"| {name} | {wall:.2f} | {cpu:.2f} |" for name, (wall, cpu) in best.items()),
        f"| ratio | {ours[0] / theirs[0]:.2f} | {ours[1] / theirs[1]:.2f} |",
        f"| learning | {learning[0]:.2f} | {learning[1]:.2f} |",
    ]
    return "\n".join(lines) + "\n"


class Side:
    """A warm process that predicts the season each time it is asked."""

    def __init__(self, checkout: Path, python: Path, method: str) -> None:
        command = [str(python), "-c", PROGRAM, method]
        self._process = subprocess.Popen(
            command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.learning = self._read()

    def once(self) -> tuple[float, float]:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> tuple[float, float]:
        assert self._process.stdout is not None
        wall, cpu = self._process.stdout.readline().split()
        return float(wall), float(cpu)


PROGRAM: Final = """
import sys, time
import numpy as np
sys.path.insert(0, ".")
from benchmarks.fusion import CASES, START
inputs, days = CASES[0].inputs(), START + np.arange(CASES[0].days)
def timed(run):
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    print(time.perf_counter() - wall, time.process_time() - cpu, flush=True) if speak else None
    return result
speak = False
if sys.argv[1] == "kriging":
    from satfusion_assets.fusion.kriging import plan
    plan(**inputs)
    speak = True
    made = timed(lambda: plan(**inputs))
    run = lambda: made.fuse(days).quality
else:
    from satfusion_assets.processing.efast import fuse
    run = lambda: fuse(days, **inputs).quality
    print(0, 0, flush=True)
speak = False
timed(run)
speak = True
for line in sys.stdin:
    timed(run)
"""


if __name__ == "__main__":
    main()
