"""What a run of the fused asset takes here and in another checkout, in turns, from the same prepared products.

    python -m benchmarks.fused_paired --reference CHECKOUT [--root data] [--rounds 3]

CPU seconds of one thread: the stage in a process that has fused before; the same in a process that begins; and the
run of the partition by Dagster with its checks, less the loading of the code location, which
``benchmarks.scale_paired`` measures. With the pack's run beside it, for what both write of the quality layers may lie
in either.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import cost
from benchmarks.scale_paired import Side, report

TURN: Final = """
import json, sys, time
key, names = sys.argv[1], sys.argv[2].split(",")
import dagster as dg
from satfusion_assets.definitions import defs
try:
    from satfusion_assets.pipeline.fused.fuse import fuse_season
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.vocabulary.scenarios import Scenario
    from satfusion_assets.vocabulary.sites import SiteSeason
except ImportError:
    from satfusion_assets.resources import Platform
    from satfusion_assets.scenarios import Scenario
    from satfusion_assets.sites import SiteSeason
    from satfusion_assets.stages.fuse import fuse_season
season, platform, found = SiteSeason.parse(key), Platform(), {}
def took(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun
def fuse(name):
    fuse_season(platform.store, platform.site(season), season, Scenario.parse(name))
job = defs.get_implicit_global_asset_job_def()
with dg.DagsterInstance.get() as instance:
    instance.add_dynamic_partitions("site_season", [key])
    def run(asset, name):
        partition = dg.MultiPartitionKey({"site_season": key, "scenario": name})
        job.execute_in_process(asset_selection=[dg.AssetKey(asset)], partition_key=partition, instance=instance)
    found["first of a process, " + names[0]] = took(lambda: fuse(names[0]))
    for name in names:
        fuse(name)
        found["stage, " + name] = min(took(lambda: fuse(name)) for _ in range(2))
    for name in names:
        run("fused", name)
        run("processed", name)
        whole = {asset: took(lambda: run(asset, name)) for asset in ("fused", "pack")}
        found["run with checks, " + name] = whole["fused"]
        found["runs of fused and pack, " + name] = sum(whole.values())
print("\\n" + json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, help="checkout with an environment of its own")
    parser.add_argument("--root", type=Path, default=Path("data"), help="data root with raw and prepared products")
    parser.add_argument("--site-season", default="innsbruck_2024")
    parser.add_argument("--scenarios", default="aggressive_sigma20,aggressive_itb_sigma20", help="keys of EFAST")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        sides = [
            Side(Path.cwd(), Path(scratch) / "this"),
            Side(options.reference.absolute(), Path(scratch) / "reference"),
        ]
        for side in sides:
            cost.Side("", side.checkout, side.folder).begin(options.root)
        for _ in range(options.rounds + 1):
            for side in sides:
                said = side.run(TURN, options.site_season, options.scenarios)
                side.turns.append(json.loads(said.splitlines()[-1]))
        sys.stdout.write(report(*(side.turns[1:] for side in sides)))


if __name__ == "__main__":
    main()
