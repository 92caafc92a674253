"""Costs of the main parts as ratios of CPU time, beside those that were recorded before.

Each is a ratio of two things that are measured in turns in the same process or command, so that machines compare.

    python -m benchmarks.history [--record WHAT]
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np

from benchmarks.fusion import CASES, START
from benchmarks.own_parts import pairs
from satfusion_assets.fusion import efast, kriging

HISTORY: Final = Path(__file__).parent / "history.csv"
ROUNDS: Final = 3
SHOWN: Final = 5
"""Records that are shown beside the new one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", metavar="WHAT", help="add the figures to the history, with a word on the change")
    options = parser.parse_args()
    ratios = measured()
    past = _read()
    sys.stdout.write(table(past[-SHOWN:], ratios))
    if options.record:
        _write([*past, {"day": f"{datetime.now(UTC):%Y-%m-%d}", "change": options.record, **_as_text(ratios)}])


def measured() -> dict[str, float]:
    """Ratio by name, the smaller the better."""
    case = CASES[0]
    inputs, days = case.inputs(), START + np.arange(case.days)
    season = kriging.plan(**inputs)
    seconds = _best(
        {
            "values": lambda: efast.fuse(days, **inputs),
            "layers": lambda: efast.fuse(days, **inputs).quality,
            "kriging": lambda: season.fuse(days).quality,
            "learning": lambda: kriging.plan(**inputs),
            "command": lambda: _started("-m", "satfusion_assets.cli", "--help"),
            "numpy": lambda: _started("-c", "import numpy"),
        }
    )
    smoothing = next(iter(pairs()))
    curves = _best({"ours": smoothing.ours, "library": smoothing.theirs})
    return {
        "EFAST with quality layers / values": seconds["layers"] / seconds["values"],
        "kriging with deviation / EFAST with quality layers": seconds["kriging"] / seconds["layers"],
        "learning / kriging with deviation": seconds["learning"] / seconds["kriging"],
        "Whittaker curves / solveh_banded": curves["ours"] / curves["library"],
        "start of the command / import of numpy": seconds["command"] / seconds["numpy"],
    }


def _best(jobs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """CPU seconds of each job, the best of some rounds in turns after one that warms up."""
    best = dict.fromkeys(jobs, np.inf)
    for turn in range(ROUNDS + 1):
        for name, job in jobs.items():
            seconds = _seconds(job)
            if turn:
                best[name] = min(best[name], seconds)
    return best


def _seconds(job: Callable[[], object]) -> float:
    begun = process_time()
    found = job()
    return found if isinstance(found, float) else process_time() - begun


def _started(*arguments: str) -> float:
    """CPU seconds of an interpreter with ``arguments``."""
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3, check=True); "
    script += "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime)"
    command = [sys.executable, "-c", script, sys.executable, *arguments]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def table(past: list[dict[str, str]], now: dict[str, float]) -> str:
    """The last records and today's figures, one ratio a line."""
    heads = [f"{record['day']} {record['change']}" for record in past]
    lines = [f"{'':<52}" + "".join(f"{head[:24]:>26}" for head in [*heads, "now"])]
    for name, ratio in now.items():
        cells = [*(record.get(name) or "-" for record in past), f"{ratio:.2f}"]
        lines.append(f"{name:<52}" + "".join(f"{cell:>26}" for cell in cells))
    return "\n".join(lines) + "\n"


def _as_text(ratios: dict[str, float]) -> dict[str, str]:
    return {name: f"{ratio:.2f}" for name, ratio in ratios.items()}


def _read() -> list[dict[str, str]]:
    if not HISTORY.exists():
        return []
    with HISTORY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(records: list[dict[str, str]]) -> None:
    names = list(dict.fromkeys(name for record in records for name in record))
    with HISTORY.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


if __name__ == "__main__":
    main()
