"""Where the tables over all site-seasons lie, below ``tables/`` of the data root."""

from __future__ import annotations

from typing import Literal


class TableLayout:
    """Files of the tables over all site-seasons, below ``tables/`` of the data root."""

    @staticmethod
    def scores(suffix: Literal["csv", "parquet", "tex"]) -> str:
        """Every scored series of every site-season."""
        return f"scores.{suffix}"

    @staticmethod
    def gaps(suffix: Literal["csv", "parquet"]) -> str:
        """Gap benchmark, spatial tier."""
        return f"gaps.{suffix}"

    @staticmethod
    def gap_seasons(suffix: Literal["csv", "parquet"]) -> str:
        """Gap benchmark, temporal and phenology tier."""
        return f"gaps_season.{suffix}"

    @staticmethod
    def gap_summary(suffix: Literal["csv", "tex"]) -> str:
        """Spatial tier by strategy, method, quantity and gap length."""
        return f"gaps_summary.{suffix}"

    @staticmethod
    def score_columns() -> str:
        """What the columns of the scores mean."""
        return "scores_columns.csv"

    @staticmethod
    def gap_columns() -> str:
        """What the columns of the gap benchmark's tables mean."""
        return "gaps_columns.csv"
