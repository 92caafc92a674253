"""What good means for the table of all scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, verdict
from satfusion_assets.pipeline.metrics.files import METRICS_FILE as METRICS_FILE
from satfusion_assets.pipeline.table_files import TableLayout

if TYPE_CHECKING:
    import pandas as pd


def series_once(checked: CheckedProduct) -> Verdict:
    """Each series of each region of each site-season is one row, and no site-season with scores is missing."""
    frame = _scores(checked)
    keys = ["site", "season", "region", "series"]
    twice = frame.loc[frame.duplicated(keys), keys].to_dict("records")
    there = {f"{site}_{season}" for site, season in zip(frame["site"], frame["season"], strict=True)}
    gathered = {reference.partition("/")[0] for reference in checked.view.manifest.inputs}
    bad = [{str(name): value for name, value in row.items()} for row in twice]
    bad += [{"site_season": key} for key in sorted(gathered ^ there)]
    return verdict(bad, len(frame), "rows", {"rows": len(frame), "site_seasons": len(there)})


def scored_series(checked: CheckedProduct) -> Verdict:
    own = _scores(checked).query("own_region")
    bad = [
        {"site": row.site, "season": row.season, "series": row.series} for row in own[own["nse_pc"].isna()].itertuples()
    ]
    return verdict(bad, len(own), "series", {"scored": len(own) - len(bad)})


def _scores(checked: CheckedProduct) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(checked.view.path(TableLayout.scores("parquet")))


CRITERIA: Final = (
    Criterion("rows", "Every series of every site-season with metrics is there once.", series_once, True),
    Criterion("scored", "Every series has a score against the camera.", scored_series, False),
)
