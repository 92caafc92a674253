"""The code location with hollow stages: the whole graph, partitions, checks and store."""

import benchmarks.hollow  # noqa: F401  before the assets meet the stages
from satfusion_assets.definitions import defs

__all__ = ["defs"]
