"""What EFAST scenarios of a site-season cost beside another checkout, from the same prepared inputs; by default all.

Both sides start from copies of one data root that holds raw and prepared products; everything made from them is taken
away first. They run in turns, each command in a process of its own with its own Dagster home and with compiled modules
kept between rounds; one unmeasured round comes first. A rerun is the same command again, with nothing to do.

    python -m benchmarks.cost --reference CHECKOUT [--root data] [--site-season innsbruck_2024] [--rounds 2] [--write F]
        [--scenarios aggressive_sigma20,aggressive_itb_sigma20]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from satfusion_assets.vocabulary.scenarios import SCENARIOS, Method

KEPT: Final = ("raw_", "preselected", "prepared_", "camera_phenology", "cache")
"""How the folders of the store begin that both sides start from."""
EFAST: Final = tuple(scenario.key for scenario in SCENARIOS if scenario.method is Method.EFAST)
PROGRAM: Final = """
import sys
from satfusion_assets.cli.materialize import run_plan
try:
    from satfusion_assets.cli.plans import plan
    from satfusion_assets.vocabulary.sites import SiteSeason
except ImportError:
    from satfusion_assets.cli.runs import plan
    from satfusion_assets.sites import SiteSeason
season = SiteSeason.parse(sys.argv[1])
derived = {"fused", "processed", "pack", "scenario_metrics", "metrics", "score_table"}
scenarios = sys.argv[2].split(",")
def chosen(run):
    scenario = (run.partition_key or "").partition("|")[0]
    return derived & set(run.assets) and (scenario in scenarios or scenario in ("", season.key))
run_plan(season, [run for run in plan(season) if chosen(run)])
"""


@dataclass(frozen=True)
class Spent:
    """What one command took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass
class Side:
    """A checkout with its data root."""

    name: str
    checkout: Path
    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "data"

    def begin(self, source: Path) -> None:
        """A root of raw and prepared products alone, and a Dagster home without runs."""
        for path in (self.root, self.folder / "home"):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(source, self.root, symlinks=True, ignore=_derived)
        for season in self.root.glob("*/*/.satfusion"):
            _forget_names(season.parent)
        (self.folder / "home").mkdir(parents=True)
        shutil.copy(self.checkout / "dagster_home" / "dagster.yaml", self.folder / "home")

    def run(self, key: str, scenarios: str) -> Spent:
        """The command; CalledProcessError when it fails."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {
            "SATFUSION_DATA_ROOT": str(self.root),
            "DAGSTER_HOME": str(self.folder / "home"),
            "PYTHONPYCACHEPREFIX": str(self.folder / "compiled"),
        }
        command = [str(self.checkout / ".venv" / "bin" / "python"), "-c", PROGRAM, key, scenarios]
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=self.checkout, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command[:1])
        return Spent(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def disk(self) -> tuple[int, int]:
        """Bytes that the derived products' files add to the kept ones, and how many files, each content once however
        many names it has.
        """
        kept: dict[int, int] = {}
        derived: dict[int, int] = {}
        for product in self.root.glob("*/*/.satfusion/*"):
            files = (path for path in product.rglob("*") if path.is_file() and not path.is_symlink())
            found = {path.stat().st_ino: path.stat().st_size for path in files}
            (kept if product.name.startswith(KEPT) else derived).update(found)
        added = [size for number, size in derived.items() if number not in kept]
        return sum(added), len(added)


def _derived(folder: str, names: list[str]) -> set[str]:
    """What a copy of a data root leaves out: every product but the kept ones."""
    if Path(folder).name == ".satfusion":
        return {name for name in names if not name.startswith(KEPT)}
    return {"tables"} & {*names}


def _forget_names(season: Path) -> None:
    """Take away the names that lead to nothing without the derived products."""
    for path in season.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, help="checkout with an environment of its own")
    parser.add_argument("--root", type=Path, default=Path("data"), help="data root with raw and prepared products")
    parser.add_argument("--site-season", default="innsbruck_2024")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--scenarios", default=",".join(EFAST), help="keys, with commas between")
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sides = [
            Side("this", Path.cwd(), Path(scratch) / "this"),
            Side("reference", options.reference.absolute(), Path(scratch) / "reference"),
        ]
        text = report(sides, options.root, options.site_season, options.scenarios, options.rounds)
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(sides: list[Side], source: Path, key: str, scenarios: str, rounds: int) -> str:
    first: dict[str, list[Spent]] = {side.name: [] for side in sides}
    again: dict[str, list[Spent]] = {side.name: [] for side in sides}
    for number in range(rounds + 1):
        for side in sides:
            side.begin(source)
            spent = side.run(key, scenarios), side.run(key, scenarios)
            if number:
                first[side.name].append(spent[0])
                again[side.name].append(spent[1])
    disk = {side.name: side.disk() for side in sides}
    rows = {
        "MB of derived products": {name: size / 1e6 for name, (size, _) in disk.items()},
        "files": {name: float(count) for name, (_, count) in disk.items()},
        "CPU s, prepared to metrics": {name: _median(spent, "cpu_s") for name, spent in first.items()},
        "wall s": {name: _median(spent, "wall_s") for name, spent in first.items()},
        "peak MB": {name: _median(spent, "peak_mb") for name, spent in first.items()},
        "CPU s, nothing to do": {name: _median(spent, "cpu_s") for name, spent in again.items()},
        "wall s, nothing to do": {name: _median(spent, "wall_s") for name, spent in again.items()},
    }
    lines = [
        f"{key}, {scenarios.count(',') + 1} EFAST scenarios, the median of {rounds} in turns.",
        "",
        "| what | this | reference | ratio |",
    ]
    lines += ["|---|---|---|---|"]
    for what, of in rows.items():
        ours, theirs = of["this"], of["reference"]
        lines.append(f"| {what} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |")
    return "\n".join(lines) + "\n"


def _median(spent: list[Spent], what: str) -> float:
    return statistics.median(getattr(one, what) for one in spent)


if __name__ == "__main__":
    main()
