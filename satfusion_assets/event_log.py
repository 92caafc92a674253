"""The name by which ``dagster.yaml`` of version 0.1.0 knows ``orchestration.instance.event_log``."""

from satfusion_assets.orchestration.instance.event_log import PooledSqliteEventLog, PooledSqliteRuns

__all__ = ["PooledSqliteEventLog", "PooledSqliteRuns"]
