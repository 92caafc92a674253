"""What good means for the table of all gap benchmarks."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, verdict
from satfusion_assets.pipeline.table_files import TableLayout


def gathered_once(checked: CheckedProduct) -> Verdict:
    """Each gap, method and quantity of each site-season is one row."""
    import pandas as pd

    frame = pd.read_parquet(checked.view.path(TableLayout.gaps("parquet")))
    keys = ["site", "season", "strategy", "transition", "gap_days", "method", "quantity"]
    bad = [
        {str(name): value for name, value in row.items()}
        for row in frame.loc[frame.duplicated(keys), keys].to_dict("records")
    ]
    numbers = {"rows": len(frame), "site_seasons": len(frame[["site", "season"]].drop_duplicates())}
    return verdict(bad, len(frame), "rows", numbers)


CRITERIA: Final = (Criterion("rows", "Every gap, method and quantity is there once.", gathered_once, True),)
