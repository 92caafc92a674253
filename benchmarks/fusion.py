"""How fast the engine is, beside a plain evaluation of the same equation and the speed of memory.

Inputs are generated. The plain evaluation is the conformance mode: one day at a time, interpolating and upsampling
anew for each, with NumPy and SciPy; it runs on a few days and is scaled to all. The floor is the time in which the
bytes that must move (scenes once, products once) can be copied.

With ``--reference`` the cost of quality layers is measured beside another checkout with an environment of its own, in
turns. With ``--tile`` a folder is fused for one day and for a month in one pass, by both methods.

    python -m benchmarks.fusion [--write docs/fusion-benchmark.md] [--reference CHECKOUT] [--tile 3660 --folder SCRATCH]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from satfusion_assets.fusion.efast import fuse
from satfusion_assets.fusion.efast.compiled import available_threads
from satfusion_assets.vocabulary.scenarios import Method

Array = NDArray[Any]
START = np.datetime64("2024-01-01")
REPEATS = 7
ROUNDS: Final = 3
MONTH: Final = 31
LAYERS: Final = """
import json
from benchmarks.fusion import CASES, _seconds
case = CASES[{number}]
_seconds(case, 1, quality=True)
print(json.dumps([_seconds(case, 3)[1], _seconds(case, 1, quality=True)[1]]))
"""
"""Run in either checkout, whose benchmark has the same cases."""


@dataclass(frozen=True)
class Case:
    """A fusion to time: coarse pixels a side, ratio, scenes, prediction days."""

    name: str
    side: int
    ratio: int
    bands: int
    scenes: int
    days: int
    plain_days: int

    def inputs(self) -> dict[str, Any]:
        rng = np.random.default_rng(1)
        coarse_days = START + np.arange(-45, self.days + 45)
        reach = (-30, self.days + 30) if self.days > 1 else (-29, 30)
        fine_days = START + np.linspace(*reach, self.scenes).astype(int)
        fine_side = self.side * self.ratio
        return {
            "coarse": rng.random((len(coarse_days), self.bands, self.side, self.side), np.float32) * np.float32(0.3),
            "coarse_days": coarse_days,
            "fine": rng.random((self.scenes, self.bands, fine_side, fine_side), np.float32) * np.float32(0.3),
            "fine_days": fine_days,
            "cloud_distance": rng.uniform(0, 20, (self.scenes, self.side, self.side)).astype(np.float32),
            "ratio": self.ratio,
        }


CASES = (
    Case("a site's season, one scenario (5 x 5, ratio 30, 4 bands, 366 days)", 5, 30, 4, 85, 366, 6),
    Case("one date, 30 x 30, ratio 30, 4 bands, 12 scenes", 30, 30, 4, 12, 1, 1),
    Case("one date, 120 x 120, ratio 30, 4 bands, 12 scenes", 120, 30, 4, 12, 1, 1),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    parser.add_argument("--reference", type=Path, help="another checkout, beside which layers are timed")
    parser.add_argument("--tile", type=int, default=0, help="also stream a tile of so many pixels a side")
    parser.add_argument("--folder", type=Path, help="where the tile's images may lie (they are kept for the next run)")
    parser.add_argument("--first-call", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--stream", nargs=2, metavar=("METHOD", "DAYS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first_call:
        sys.stdout.write(f"{_seconds(CASES[0], 1)[1]:.3f}")
    elif options.stream:
        method, days = options.stream
        sys.stdout.write(json.dumps(_stream(options.folder, Method(method), int(days))))
    else:
        text = report(options.tile, options.folder, options.reference)
        if options.write:
            options.write.write_text(text)
        sys.stdout.write(text)


def report(tile: int, folder: Path | None, reference: Path | None) -> str:
    speed = copy_speed()
    lines = [
        "# Speed of the fusion",
        "",
        f"Written by `benchmarks/fusion.py` on {available_threads()} cores; memory copies at {speed / 1e9:.1f} GB/s",
        f"on one thread. Warm, best of {REPEATS}; ns: per pixel, band, day and scene in the window. The plain",
        "evaluation forms each day by itself (conformance mode); it is timed on a few days and scaled.",
        "",
        "| case | engine s | CPU s | ns | floor s | plain s | plain / engine |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        engine, cpu = _seconds(case, REPEATS)
        plain = _plain_seconds(case)
        pixels = (case.side * case.ratio) ** 2 * case.bands
        floor = 4 * pixels * (case.scenes + case.days) / speed
        window = min(case.scenes, case.scenes * 60 / (case.days + 60)) * case.days
        lines.append(
            f"| {case.name} | {engine:.3f} | {cpu:.3f} | {engine / pixels / window * 1e9:.2f} | "
            f"{floor:.3f} | {plain:.1f} | {plain / engine:.0f} |"
        )
    compile_first, compile_later = first_calls()
    lines += [
        "",
        f"The first call on a machine compiles: {compile_first:.1f} s CPU for the season above;",
        f"the first call of every later process loads the cache: {compile_later:.1f} s CPU.",
    ]
    lines += ["", *layers_beside(reference)]
    if tile and folder:
        lines += ["", *_tile_lines(tile, folder)]
    return "\n".join(lines) + "\n"


def copy_speed() -> float:
    """Bytes read and written per second by a memory copy, halved to count a byte once."""
    source = np.ones(2**26, np.float32)
    target = np.empty_like(source)
    best = min(_timed(lambda: np.copyto(target, source))[0] for _ in range(5))
    return source.nbytes / best


def first_calls() -> tuple[float, float]:
    """CPU seconds of the season's first call in a process, without and with a cache of compiled code."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, __file__, "--first-call"]
        times = [
            float(subprocess.run(command, env={"NUMBA_CACHE_DIR": cache}, check=True, capture_output=True).stdout)
            for _ in range(2)
        ]
    return times[0], times[1]


def _seconds(case: Case, repeats: int, *, quality: bool = False) -> tuple[float, float]:
    inputs = case.inputs()
    days = START + np.arange(case.days)

    def run() -> None:
        fused = fuse(days, **inputs)
        if quality:
            _ = fused.quality

    return min(_timed(run) for _ in range(repeats))


def _plain_seconds(case: Case) -> float:
    inputs = case.inputs()
    days = START + np.linspace(0, case.days - 1, case.plain_days).astype(int)
    return _timed(lambda: fuse(days, **inputs, conformance=True))[0] * case.days / case.plain_days


def _timed(run: Any) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def layers_beside(reference: Path | None) -> list[str]:
    """CPU of values with quality layers over that of values alone, here and in the reference, in turns."""
    checkouts = {"here": Path.cwd(), **({"reference": reference.resolve()} if reference else {})}
    lines = [f"CPU seconds of values, with quality layers, and their ratio; in turns, best of {ROUNDS}:", ""]
    lines += [f"| case | {' | '.join(checkouts)} |", "|---" * (len(checkouts) + 1) + "|"]
    for number, case in enumerate(CASES):
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in checkouts}
        for _ in range(ROUNDS):
            for name, checkout in checkouts.items():
                command = [str(checkout / ".venv/bin/python"), "-c", LAYERS.format(number=number)]
                found = subprocess.run(command, cwd=checkout, check=True, capture_output=True).stdout
                times[name].append(tuple(json.loads(found)))
        cells = [[min(column) for column in zip(*pairs, strict=True)] for pairs in times.values()]
        written = (f"{values:.3f}, {layers:.2f} ({layers / values:.2f})" for values, layers in cells)
        lines.append(f"| {case.name} | {' | '.join(written)} |")
    return lines


def _tile_lines(side: int, folder: Path) -> list[str]:
    small = folder / "small"
    generate(folder, side, 30, 12)
    generate(small, 300, 30, 12)
    lines = [
        f"A folder of {side} x {side} pixels (ratio 30, 4 bands, 12 scenes) by `satfusion fuse`, within 2 GB; EFAST",
        f"without layers, kriging with deviation and learning. CPU a day of {MONTH} in one pass over that of one day:",
        "",
        f"| method | one day, CPU s | {MONTH} days, CPU s | a day, ratio | peak GB |",
        "|---|---|---|---|---|",
    ]
    for method in Method:
        _streamed(small, method, 1)  # What is compiled once a machine is in no row.
        one, many = (_streamed(folder, method, days) for days in (1, MONTH))
        ratio, peak = many["cpu"] / MONTH / one["cpu"], max(one["peak"], many["peak"]) / 1e9
        lines.append(f"| {method} | {one['cpu']:.1f} | {many['cpu']:.1f} | {ratio:.2f} | {peak:.2f} |")
    return lines


def _streamed(folder: Path, method: Method, days: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.fusion", "--folder", str(folder), "--stream", method, str(days)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def generate(folder: Path, side: int, ratio: int, scenes: int) -> None:
    """A folder of prepared images around 15 June 2024, in the layout's names; existing files are kept."""
    rng = np.random.default_rng(1)
    target = np.datetime64("2024-06-15")
    small = side // ratio
    for day in target + np.linspace(-28, 28, scenes).astype(int):
        stem = f"S2A_MSIL2A_{str(day).replace('-', '')}"
        pattern = rng.random((64, side), np.float32) * np.float32(0.3)
        _generate(folder / "s2" / f"{stem}_REFL.tif", 4, side, 10, lambda n, p=pattern: p[:n])
        distance = rng.uniform(0, 20, (small, small)).astype(np.float32)
        _generate(folder / "s2" / f"{stem}_DIST_CLOUD.tif", 1, small, 10 * ratio, lambda n, d=distance: d[:n])
    for day in target + np.arange(-45, 46):
        values = rng.random((small, small), np.float32) * np.float32(0.3)
        path = folder / "s3" / f"composite_{str(day).replace('-', '')}.tif"
        _generate(path, 4, small, 10 * ratio, lambda n, v=values: v[:n])


def _generate(path: Path, bands: int, side: int, pixel: float, rows: Any) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "count": bands, "height": side, "width": side, "dtype": "float32", "nodata": np.nan}
    grid = {"crs": "EPSG:32632", "transform": from_origin(600_000, 5_200_020, pixel, pixel)}
    with rasterio.open(path, "w", **profile, **grid, tiled=side > 512, bigtiff="if_safer") as raster:
        step = len(rows(side))
        for row in range(0, side, step):
            size = min(step, side - row)
            window = rasterio.windows.Window(0, row, side, size)
            raster.write(np.broadcast_to(rows(size), (bands, size, side)), window=window)


def _stream(folder: Path, method: Method, days: int) -> dict[str, float]:
    from satfusion_assets.own_images.fuse_folder import FuseFolder, fuse_folder

    wanted = tuple(date(2024, 6, 1) + timedelta(14 if days == 1 else day) for day in range(days))
    wall, cpu = _timed(lambda: fuse_folder(FuseFolder(folder, wanted, method=method)))
    return {"wall": wall, "cpu": cpu, "peak": _peak_bytes()}


def _peak_bytes() -> int:
    """Largest resident set of this program (Linux); getrusage would count the parent's before it started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
