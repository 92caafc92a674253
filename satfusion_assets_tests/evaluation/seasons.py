"""What a season's series score."""

from __future__ import annotations

from satfusion_assets.evaluation.scores import Scores, SeasonSeries, season_metrics, series_scores


def metrics_of(season: SeasonSeries) -> Scores:
    """metrics.json of a season whose scenarios were scored one by one."""
    temporal = {scenario.score_key: series_scores(series, season.camera) for scenario, series in season.fused.items()}
    return season_metrics(season, temporal)
