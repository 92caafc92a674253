"""Every answer is what it is declared to be, and the front end's types are made from the declaration."""

from __future__ import annotations

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from satfusion_assets.viewer.answers import (
    AreaSeason,
    Overview,
    PixelSeason,
    ScenarioSeries,
    SeasonAnswer,
    SiteSeriesAnswer,
)
from satfusion_assets_tests.viewer import api_types

PARTITION = "innsbruck/2024/aggressive_sigma20"
PLACE = "x=675990&y=5220690"
OUTLINE = "675900,5220600,676100,5220600,676100,5220800"
ANSWERS = [
    ("catalog", Overview),
    (f"season/{PARTITION}", SeasonAnswer),
    (f"series/{PARTITION}/processed", SiteSeriesAnswer),
    (f"series/{PARTITION}/prepared", SiteSeriesAnswer),
    (f"pixel/{PARTITION}/fusion?{PLACE}", PixelSeason),
    (f"area/{PARTITION}?ring={OUTLINE}", AreaSeason),
    ("scenarios/innsbruck/2024", ScenarioSeries),
]


@pytest.mark.parametrize(("path", "shape"), ANSWERS, ids=[path.split("?")[0] for path, _ in ANSWERS])
def test_an_answer_is_what_it_is_declared_to_be(viewer: str, path: str, shape: type) -> None:
    declared: TypeAdapter[object] = TypeAdapter(shape)
    answer = httpx.get(f"{viewer}/_api/{path}").raise_for_status()
    declared.validate_json(answer.content, extra="forbid")
    with pytest.raises(ValidationError):
        declared.validate_python({**answer.json(), "undeclared": 1}, extra="forbid")


def test_the_front_ends_types_are_those_of_the_declaration() -> None:
    written = (api_types.WEBAPP / "src" / "answers.ts").read_text("utf-8")
    assert api_types.typescript() == written, "run `make api-types`"
