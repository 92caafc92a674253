"""A worker with hollow stages: ``celery --app benchmarks.hollow_worker worker``."""

import benchmarks.hollow  # noqa: F401  before the worker loads the assets
from satfusion_assets.orchestration.cluster.worker import app

__all__ = ["app"]
