"""``python -m satfusion_assets.sandbox.server --root DIR --sites FILE [--seed N] [--landscape L] [--port P] ...``"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.effects import Effects
from satfusion_assets.sandbox.server.run import LOOPBACK, serve
from satfusion_assets.sandbox.server.sites_file import SitesFile


def main() -> None:
    parser = argparse.ArgumentParser(prog="satfusion_assets.sandbox.server", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of everything that is built")
    parser.add_argument("--sites", type=Path, required=True, help="sites.geojson")
    parser.add_argument("--seed", type=int, default=1, help="seed of the landscape")
    parser.add_argument("--today", type=date.fromisoformat, help="the world's day, YYYY-MM-DD")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--address", default=LOOPBACK, help="of this machine, where others may ask")
    parser.add_argument("--landscape", default="plain", help="plain, hard, or effects with commas between them")
    options = parser.parse_args()
    file = SitesFile(options.sites)
    effects = Effects.parse(options.landscape)
    serve(
        lambda: SandboxWorld(
            options.root,
            file.sites,
            options.seed,
            options.today,
            news=file.news,
            effects=effects,
        ),
        options.root / "server",
        options.port,
        options.address,
    )


if __name__ == "__main__":
    main()
