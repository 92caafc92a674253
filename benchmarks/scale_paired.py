"""What loading the code location and a tick of its automation take here and in another checkout, in turns.

    python -m benchmarks.scale_paired --reference CHECKOUT [--rounds 5]

Both have the partitions of ``benchmarks.scale``, 9 664 of them fused ones, every one of them materialised. CPU seconds,
which a busy machine lengthens less than the clock's; each side with the bytecode of its own modules, written in an
unmeasured round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FILLING: Final = """
import sys
from pathlib import Path
import dagster as dg
from benchmarks.scale import SITES, fill, register
from satfusion_assets.definitions import defs
try:
    keys = register(Path(sys.argv[1]), SITES, None)
except TypeError:
    keys = register(Path(sys.argv[1]))
with dg.DagsterInstance.get() as instance:
    instance.add_dynamic_partitions("site_season", keys)
    fill(instance, defs.resolve_asset_graph())
"""
TURN: Final = """
import json, time
from satfusion_assets.definitions import defs
defs.get_repository_def()
found = {"code location loads": time.process_time()}
import dagster as dg
try:
    from satfusion_assets.orchestration.automation import SENSORS
    from satfusion_assets.pipeline.platform import Platform
except ImportError:
    from satfusion_assets.automation import SENSORS
    from satfusion_assets.resources import Platform
def took(work):
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result
with dg.DagsterInstance.get() as instance:
    context = dg.build_sensor_context(instance, resources={"platform": Platform()})
    found["sites_file, nothing new"], _ = took(lambda: SENSORS[0](context))
    cursor, later = None, []
    for number in range(4):
        spent, result = took(lambda: dg.evaluate_automation_conditions(defs, instance, cursor=cursor))
        cursor = result.cursor
        later.append(spent)
    found["carry_downstream, first tick"], found["carry_downstream, later tick"] = later[0], min(later[1:])
print(json.dumps(found))
"""


@dataclass
class Side:
    """A checkout, its installation below ``folder`` and what each turn took, by what was done."""

    checkout: Path
    folder: Path
    turns: list[dict[str, float]] = field(default_factory=list)

    def run(self, program: str, *arguments: str) -> str:
        """What ``program`` says; CalledProcessError when it fails."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        own = {
            "DAGSTER_HOME": str(self.folder / "home"),
            "SATFUSION_DATA_ROOT": str(self.folder / "data"),
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
        }
        command = [str(self.checkout / ".venv" / "bin" / "python"), "-c", program, *arguments]
        done = subprocess.run(command, cwd=self.checkout, env=kept | own, capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(done.stderr)
            done.check_returncode()
        return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, help="checkout with an environment of its own")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sides = [
            Side(Path.cwd(), Path(scratch) / "this"),
            Side(options.reference.absolute(), Path(scratch) / "reference"),
        ]
        for side in sides:
            (side.folder / "bytecode").mkdir(parents=True)
            side.run(FILLING, str(side.folder))
        for _ in range(options.rounds + 1):
            for side in sides:
                side.turns.append(json.loads(side.run(TURN).splitlines()[-1]))
        sys.stdout.write(report(*(side.turns[1:] for side in sides)))


def report(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> str:
    """A table of medians; the ratio is the median of the ratios of each turn."""
    lines = ["| CPU seconds | this | reference | ratio |", "|---|---|---|---|"]
    for what in ours[0]:
        pairs = [(one[what], other[what]) for one, other in zip(ours, theirs, strict=True)]
        mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        lines.append(f"| {what} | {mine:.2f} | {other:.2f} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
