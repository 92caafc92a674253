"""The tables of docs/phenology.md, computed anew: ``python -m benchmarks.phenology`` rewrites them in place.

SATFUSION_REAL_DATA names the folder with real data (phenocam/v1 below it); tables of data that are not there stay as
they are. The rest comes from synthetic series and the sandbox's truth, from fixed seeds.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import solveh_banded

from satfusion_assets.phenology import CAMERA, SATELLITE, TRANSITIONS, Label, transition_maps, transitions
from satfusion_assets.phenology.camera import flag_outliers
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets_tests.conftest import REAL_DATA
from satfusion_assets_tests.phenology.published import read_series, summaries, transition_file
from satfusion_assets_tests.phenology.synthetic import CANOPIES
from satfusion_assets_tests.phenology.test_maps import SITES, sandbox_case
from satfusion_assets_tests.phenology.test_noise import DAYS, mown

DOCUMENT = Path(__file__).parents[1] / "docs" / "phenology.md"
PERCENTS = (10, 25, 50)
THREE_YEARS = ("2022-01-01", "2024-12-31")
Rows = Iterator[dict[str, object]]


def published() -> Rows:
    """Three calendar years of raw gcc_90 in, all published dates of the middle year compared."""
    for summary in summaries(REAL_DATA):
        data = read_series(summary)
        table = pd.read_csv(transition_file(summary), comment="#")
        for direction in ("rising", "falling"):
            rows = table[(table.gcc_value == "gcc_90") & (table.direction == direction)]
            errors = np.array([_errors(data, row, direction) for _, row in rows.iterrows()])
            inside = [_inside(row, error[2]) for (_, row), error in zip(rows.iterrows(), errors, strict=True)]
            yield {
                "site": summary.stem.removesuffix("_1day"),
                "direction": direction,
                "seasons": len(rows),
                **{
                    f"{p} %: median abs. error [d]": _number(np.median(abs(errors[:, k])))
                    for k, p in enumerate(PERCENTS)
                },
                "50 %: largest [d]": _number(abs(errors[:, 2]).max()),
                "50 %: in the published interval ±5 d": f"{sum(inside)} of {len(inside)}",
            }


def _errors(data: pd.DataFrame, row: pd.Series, direction: str) -> list[float]:
    expected = [pd.Timestamp(row[f"transition_{p}"]) for p in PERCENTS]
    year = expected[2].year
    window = data[(data.date.dt.year >= year - 1) & (data.date.dt.year <= year + 1)]
    days, gcc = window.date.to_numpy(), window.gcc_90.to_numpy().copy()
    gcc[flag_outliers(days, gcc)] = np.nan
    wanted = [_day(when) for when in expected]
    seasons = [getattr(season, direction) for season in transitions(days, gcc).seasons]
    nearest = min((points for points in seasons if points[50].date), key=lambda points: abs(points[50].day - wanted[2]))
    return [round(nearest[p].day) - day for p, day in zip(PERCENTS, wanted, strict=True)]


def _inside(row: pd.Series, error: float) -> bool:
    middle, *bounds = (_day(row[f"transition_50{end}"]) for end in ("", "_lower_ci", "_upper_ci"))
    return min(bounds) - 5 <= middle + error <= max(bounds) + 5


def _day(when: Any) -> int:
    return (pd.Timestamp(when) - pd.Timestamp(0)).days


def curated_outliers() -> Rows:
    """Our flags against the curated ones, each percentile of GCC by itself."""
    for summary in summaries(REAL_DATA):
        data = read_series(summary)
        for percentile in ("gcc_mean", "gcc_50", "gcc_75", "gcc_90"):
            gcc = data[percentile].to_numpy()
            observed = np.isfinite(gcc)
            ours = flag_outliers(data.date.to_numpy(), gcc)[observed]
            curated = (data[f"outlierflag_{percentile}"] == 1).to_numpy()[observed]
            agreed, both, n = (ours == curated).mean(), (ours & curated).sum(), observed.sum()
            chance = (ours.sum() * curated.sum() + (n - ours.sum()) * (n - curated.sum())) / n**2
            yield {
                "site": summary.stem.removesuffix("_1day"),
                "series": percentile,
                "days": n,
                "curated": curated.sum(),
                "ours": ours.sum(),
                "both": both,
                "precision": _share(both, ours.sum()),
                "recall": _share(both, curated.sum()),
                "kappa": _kappa(agreed, chance),
                "agreement": f"{100 * agreed:.2f} %",
            }


def spoilt_days() -> Rows:
    """Every 33rd observed day lowered by a share of the year's amplitude, in real series."""
    for summary in summaries(REAL_DATA):
        data = read_series(summary)
        days, clean = data.date.to_numpy(), data.gcc_90.to_numpy()
        observed = np.flatnonzero(np.isfinite(clean))
        amplitude = np.nanquantile(clean, 0.95) - np.nanquantile(clean, 0.05)
        row: dict[str, object] = {"site": summary.stem.removesuffix("_1day")}
        for share in (0.2, 0.3, 0.5):
            gcc = clean.copy()
            spoilt = np.random.default_rng(1).choice(observed, observed.size // 33, replace=False)
            gcc[spoilt] -= share * amplitude
            flagged = flag_outliers(days, gcc)
            row[f"drop of {share:.0%}: found"] = f"{flagged[spoilt].mean():.0%}"
            row[f"drop of {share:.0%}: clean days flagged"] = (
                f"{(flagged.sum() - flagged[spoilt].sum()) / observed.size:.2%}"
            )
        yield row


def vegetation() -> Rows:
    """Synthetic cameras of every vegetation type, 30 each."""
    for name, canopy in CANOPIES.items():
        errors: dict[int, list[float]] = {percent: [] for percent in PERCENTS}
        covered = []
        cycles = [cycle for cycle in canopy.cycles if date.fromisoformat(cycle.down).year == 2023]
        for seed in range(30):
            seasons = transitions(*canopy.series(*THREE_YEARS, seed=seed)).of_year(2023)
            for cycle, season in zip(cycles, seasons, strict=True):
                for percent in PERCENTS:
                    for point, truth in (
                        (season.rising[percent], cycle.rising(percent)),
                        (season.falling[percent], cycle.falling(percent)),
                    ):
                        errors[percent].append(abs(point.day - truth))
                        covered.append(point.lower <= truth <= point.upper)
        yield {
            "vegetation": name,
            **{f"{p} %: median abs. error [d]": _number(np.median(errors[p])) for p in PERCENTS},
            "true date in the 95 % interval": f"{np.mean(covered):.0%}",
        }


def no_season() -> Rows:
    """Series without a season whose weather lasts: how often one is seen all the same, in 200 series."""
    for rho in (0.0, 0.3, 0.6, 0.8, 0.9):
        seen = {366: 0, 1096: 0}
        for seed in range(200):
            noise = np.random.default_rng(seed).normal(size=1096)
            for i in range(1, noise.size):
                noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
            for length in seen:
                seen[length] += transitions(np.arange(19000, 19000 + length), noise[:length]).label is Label.OK
        yield {
            "autocorrelation from day to day": rho,
            "one year": _share(seen[366], 200),
            "three years": _share(seen[1096], 200),
        }


def cuts() -> Rows:
    """Fields cut 1 to 8 times a year: how often the middle year's growing season is found, and how far off it ends."""
    for count in range(1, 9):
        found, off = [], []
        for stubble, noise, smoothing in product(
            (0.335, 0.345, 0.355, 0.365), (0.0, 0.004, 0.008), (CAMERA, SATELLITE)
        ):
            season = transitions(DAYS, mown(count, stubble, noise), smoothing).growing_season(2023)
            found.append(season is not None)
            if season is not None:
                off.append(abs(season.falling[50].day_of_year(2023) - 311.0))
        yield {
            "cuts a year": count,
            "season found": _share(sum(found), len(found)),
            "falling 50 %: median abs. error [d]": _number(np.median(off)),
            "falling 50 %: largest [d]": _number(max(off)),
        }


def sandbox() -> Rows:
    """True dates of the sandbox, per pixel: three years, a third of the days seen, noise of 0.004 GCC."""
    for name in SITES:
        case = sandbox_case(name)
        maps, clean, truths = case.maps, case.clean, case.truths
        for cover in np.unique(case.land_cover):
            pixels = (case.land_cover == cover) & (case.amplitude >= 0.04)
            if pixels.sum() < 20:
                continue
            row: dict[str, object] = {"site": name, "cover": Cover(cover).name.lower(), "pixels": pixels.sum()}
            inside = []
            for k, transition in enumerate(TRANSITIONS):
                error = np.fmin.reduce([abs(maps.day_of_year[k] - truth) for truth in truths[k]])[pixels]
                row[transition.replace("_", " ") + " %"] = _number(np.nanmedian(error))
                inside.append((maps.lower[k] <= clean.day_of_year[k]) & (clean.day_of_year[k] <= maps.upper[k]))
            dated = np.isfinite(maps.day_of_year[:, pixels]) & np.isfinite(clean.day_of_year[:, pixels])
            row["interval holds the noise-free date"] = f"{np.array(inside)[:, pixels][dated].mean():.0%}"
            yield row


def speed() -> Rows:
    """CPU seconds for 22 500 pixels, and as a multiple of one plain Whittaker solve a pixel (scipy's banded solver)."""
    canopy = CANOPIES["deciduous broadleaf"]
    for start, end in (("2023-01-01", "2023-12-31"), THREE_YEARS):
        days, values = canopy.series(start, end)
        noise = np.random.default_rng(0).normal(0, 0.004, (days.size, 150, 150))
        stack = (np.nan_to_num(values, nan=np.nan)[:, None, None] + noise).astype(np.float32)
        transition_maps(days, stack[:, :2, :2], 2023)
        ours = _cpu(partial(transition_maps, days, stack, 2023))
        n = days.size
        band = np.zeros((3, n))
        band[2] = 401.0 * 6
        band[1, 1:], band[0, 2:] = -1600.0, 400.0
        reference = _cpu(partial(_solve, band, 2250)) * 10
        yield {"days": n, "CPU [s]": f"{ours:.1f}", "multiple of the plain solves": f"{ours / reference:.1f}"}


def _solve(band: np.ndarray, times: int) -> None:
    for _ in range(times):
        solveh_banded(band, np.ones(band.shape[1]))


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def _kappa(agreed: float, chance: float) -> str:
    return f"{round((agreed - chance) / (1 - chance), 2) + 0.0:.2f}" if chance < 1 else "undefined"


def _number(value: float) -> str:
    return f"{value:.1f}"


TABLES: dict[str, Callable[[], Rows]] = {
    "published": published,
    "outliers": curated_outliers,
    "spoilt": spoilt_days,
    "vegetation": vegetation,
    "no-season": no_season,
    "cuts": cuts,
    "sandbox": sandbox,
    "speed": speed,
}


def markdown(rows: list[dict[str, object]]) -> str:
    header = list(rows[0])
    lines = [header, ["---"] * len(header), *([str(row[name]) for name in header] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    for name, table in TABLES.items():
        rows = list(table())
        if rows:
            write_table(name, rows)
        else:
            sys.stderr.write(f"{name}: no data below {REAL_DATA}, table left as it is\n")


def write_table(name: str, rows: list[dict[str, object]]) -> None:
    """Put ``rows`` in the document, in the place that bears ``name``."""
    text = DOCUMENT.read_text(encoding="utf-8")
    block = f"<!-- table: {name} -->\n{markdown(rows)}\n<!-- end -->"
    text, found = re.subn(rf"<!-- table: {name} -->.*?<!-- end -->", lambda _: block, text, flags=re.S)
    if found != 1:
        raise SystemExit(f"{DOCUMENT} has no place for the table {name!r}: put '<!-- table: {name} --><!-- end -->'")
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
