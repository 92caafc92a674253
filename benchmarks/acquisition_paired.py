"""What acquiring a season's Sentinel-2 scenes takes here and in another checkout, in turns, from the same archive.

    python -m benchmarks.acquisition_paired --reference CHECKOUT [--root sandbox_data] [--latency 0.05] [--rounds 2]

The archive is this checkout's sandbox on loopback with a delay before every answer; a first, unmeasured acquisition has
its scenes built. Each run is a process of its own that says what the acquisition alone took.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.acquisition import SEASON, SITES, TODAY
from satfusion_assets.sandbox.server.run import SandboxProcess

PROGRAM: Final = """
import json, sys, time
from pathlib import Path
try:
    from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
    from satfusion_assets.vocabulary.settings import Settings
    from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason
except ImportError:
    from satfusion_assets.settings import Settings
    from satfusion_assets.sites import SiteRegistry, SiteSeason
    from satfusion_assets.stages.acquire import acquire_sentinel2
from satfusion_assets.store import ProductStore
season, settings = SiteSeason.parse(sys.argv[1]), Settings(_env_file=None)
site, store = SiteRegistry.load(Path(sys.argv[2])).site(season.site), ProductStore(Path(sys.argv[3]))
wall, cpu = time.perf_counter(), time.process_time()
outcome = acquire_sentinel2(site, season, store, settings)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall_s": wall, "cpu_s": cpu, "scenes": outcome.numbers["scenes"]}))
"""
SHOWN: Final = {
    "wall_s": "wall s",
    "cpu_s": "CPU s",
    "per_scene": "requests of the usual scene",
    "requests": "requests",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, help="checkout with an environment of its own")
    parser.add_argument("--root", type=Path, default=Path("sandbox_data"), help="folder of the sandbox")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before every answer")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    sides = {"this": Path.cwd(), "reference": options.reference.absolute()}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    with SandboxProcess(options.root, SITES, today=TODAY) as sandbox:
        acquire(sandbox, sides["this"])
        delay = {"path": "^/", "kind": "delay", "seconds": options.latency}
        httpx.post(f"{sandbox.url}/_faults", json=delay).raise_for_status()
        for _ in range(options.rounds):
            for name, checkout in sides.items():
                found[name].append(acquire(sandbox, checkout))
    sys.stdout.write(report(found, options.latency))


def acquire(sandbox: SandboxProcess, checkout: Path) -> dict[str, Any]:
    """What one acquisition from nothing took; CalledProcessError when it fails."""
    httpx.delete(f"{sandbox.url}/_faults?log").raise_for_status()
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run(
            [str(checkout / ".venv" / "bin" / "python"), "-c", PROGRAM, SEASON.key, str(SITES), folder],
            cwd=checkout,
            env={**os.environ, **sandbox.environment()},
            stdout=subprocess.PIPE,
            check=True,
        )
    measured: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    log: list[dict[str, Any]] = httpx.get(f"{sandbox.url}/_faults?log").json()
    scenes: dict[str, int] = {}
    for request in log:
        if request["path"].startswith("/data/"):
            scene = request["path"].rpartition("/")[0]
            scenes[scene] = scenes.get(scene, 0) + 1
    return measured | {"requests": len(log), "per_scene": statistics.median(scenes.values())}


def report(found: dict[str, list[dict[str, Any]]], latency: float) -> str:
    """A table of medians."""
    lines = [
        f"Sentinel-2 of {SEASON.key}, {found['this'][0]['scenes']} scenes, {1e3 * latency:.0f} ms before every answer, "
        f"the median of {len(found['this'])} in turns.",
        "",
        "| what | this | reference | ratio |",
        "|---|---|---|---|",
    ]
    for key, what in SHOWN.items():
        ours, theirs = (statistics.median(one[key] for one in found[name]) for name in ("this", "reference"))
        lines.append(f"| {what} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
