"""Series at the site and their JSON records."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from satfusion_assets.sampling.series import (
    DailySeries,
    band_records,
    export_records,
    index_records,
    read_series,
    sample_series,
)


def images() -> np.ndarray:
    spectrum = np.array([0.1, 0.2, 0.1, 0.3], dtype=np.float32)[None, :, None, None]
    stack = np.repeat(np.tile(spectrum, (2, 1, 5, 5)), 1, axis=0)
    stack[1] = np.nan
    return stack


DAYS = np.array(["2024-05-02", "2024-05-01"], dtype="datetime64[D]")
NAMES = ["20240502_0.geotiff", "20240501_0.geotiff"]


def test_records_hold_null_and_never_nan() -> None:
    series = sample_series(images(), DAYS, NAMES, 2, 2)
    records = index_records(series, "greenness_index")
    assert records[0] == {
        "date": "2024-05-02T00:00:00",
        "filename": "20240502_0.geotiff",
        "greenness_index": pytest.approx(0.5),
    }
    assert records[1]["greenness_index"] is None
    assert index_records(series, "ndvi")[0]["ndvi"] == pytest.approx(0.5)
    assert band_records(series)[0]["b8a"] == pytest.approx(0.3)
    json.dumps([records, band_records(series), export_records(series)], allow_nan=False)


def test_the_export_is_in_order_of_days() -> None:
    records = export_records(sample_series(images(), DAYS, NAMES, 2, 2))
    assert [record["filename"] for record in records] == NAMES[::-1]
    assert list(records[0]) == ["date", "filename", "ndvi", "greenness_index", "b02", "b03", "b04", "b8a"]


def test_index_then_blend_rasters_give_only_gcc() -> None:
    series = sample_series(np.full((1, 1, 5, 5), 0.4), DAYS[:1], NAMES[:1], 2, 2)
    assert series.gcc.values.tolist() == [0.4]
    assert len(series.ndvi) == 0


def test_what_is_written_can_be_read_again() -> None:
    series = sample_series(images(), DAYS, NAMES, 2, 2)
    again = read_series(index_records(series, "greenness_index"))
    np.testing.assert_array_equal(again.days, series.gcc.days)
    np.testing.assert_array_equal(again.values, series.gcc.values)


def test_kept_images_only() -> None:
    kept = sample_series(images(), DAYS, NAMES, 2, 2).keep([False, True])
    assert kept.filenames == ("20240501_0.geotiff",)
    assert len(kept.gcc) == 0


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length: 2, 2, 1"):
        sample_series(images(), DAYS, NAMES[:1], 2, 2)


def test_a_day_given_twice_keeps_the_first_or_the_last() -> None:
    days, values = ["2024-05-01", "2024-05-01T12:00", date(2024, 4, 1)], [1.0, 2.0, None]
    assert DailySeries.of(days, values).values.tolist() == [1.0]
    assert DailySeries.of(days, values, keep="last").values.tolist() == [2.0]


def test_part_of_a_series_and_its_value_on_other_days() -> None:
    series = DailySeries.of(["2024-01-01", "2024-01-03", "2024-01-09"], [1, 3, 9])
    assert series.between(date(2024, 1, 3), date(2024, 1, 9)).values.tolist() == [3, 9]
    days = np.array(["2023-12-31", "2024-01-01", "2024-01-02", "2024-01-10"], dtype="datetime64[D]")
    np.testing.assert_array_equal(series.on(days), [np.nan, 1, np.nan, np.nan])
    assert np.isnan(DailySeries.of([], []).on(days)).all()
