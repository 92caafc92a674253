"""TIMESAT beside the platform's own dates: only where its package is installed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from satfusion_assets.phenology import timesat
from satfusion_assets.phenology.timesat import timesat_dates, timesat_installed
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets_tests.phenology.synthetic import CANOPIES

SERIES = CANOPIES["deciduous broadleaf"].series("2022-01-01", "2024-12-31")
needs_timesat = pytest.mark.skipif(not timesat_installed(), reason="timesat is not installed (proprietary, optional)")


@needs_timesat
def test_its_half_amplitude_dates_are_near_the_true_ones() -> None:
    dates = timesat_dates(*SERIES, 2023)
    for found, truth in zip(dates.values(), (date(2023, 5, 8), date(2023, 10, 10)), strict=True):
        assert isinstance(found, str)
        assert abs((date.fromisoformat(found) - truth).days) <= 10


@needs_timesat
def test_too_few_years_are_refused() -> None:
    days, values = SERIES
    with pytest.raises(InvalidInput, match="3 calendar years"):
        timesat_dates(days[:300], values[:300], 2022)
    with pytest.raises(InvalidInput, match="3 calendar years"):
        timesat_dates(np.empty(0, np.int64), np.empty(0), 2022)


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timesat, "find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match="pip install timesat"):
        timesat_dates(*SERIES, 2023)
