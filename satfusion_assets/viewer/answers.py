"""What the viewer's server answers, field by field.

The front end's types are made from these (``make api-types``), and a test holds every answer against them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict

from satfusion_assets.viewer.layout import Source
from satfusion_assets.vocabulary.links import Stage

Status = Literal["none", "raw", "prepared", "fused", "processed", "scored"]
"""How far a season has come under a scenario."""
Columns = Annotated[dict[str, list[Any]], WithJsonSchema({"type": "object", "tsType": "Series"})]
"""``date`` and columns beside it (``gcc``, ``ndvi``, ``b02`` ...), None where missing."""
Scores = dict[str, float | None]


def _typed(text: str) -> Any:
    """The type in the front end's language, where JSON Schema has no word for it."""
    return Field(json_schema_extra={"tsType": text})


class SiteFacts(TypedDict):
    """A site as it is registered."""

    name: str
    latitude: float
    longitude: float
    elevation: float | None
    description: str
    vegetation_type: str
    registered: list[int]


class ScenarioStatus(TypedDict):
    """intervals: 95 % intervals of the calibrated scores."""

    status: Status
    scores: Scores | None
    intervals: dict[str, tuple[float, float] | None]


class SeasonStatus(TypedDict):
    """raw: whether there is a Sentinel-2 scene. fetched: whose raw products are there, phenocam, s2, s3. problem: files
    that cannot be used, in a sentence."""

    season: int
    raw: bool
    fetched: list[str]
    camera: Scores | None
    problem: str | None
    transitions: dict[str, str | None] | None
    scenarios: dict[str, ScenarioStatus]


class ListedSite(SiteFacts):
    """A site with how far its seasons have come."""

    seasons: list[SeasonStatus]


class ScenarioFacts(TypedDict):
    """What a scenario is."""

    key: str
    strategy: str
    mode: str
    method: str
    sigma: float | None


class Overview(TypedDict):
    """tables: files over all site-seasons."""

    sites: list[ListedSite]
    scenarios: list[ScenarioFacts]
    tables: list[str]


class Daily(TypedDict):
    """A folder's daily files: days and names side by side."""

    folder: str
    days: list[str]
    names: list[str]


class ScreenedScene(TypedDict):
    """One raw scene's window at the site; rules: which rule excluded it, by strategy."""

    date: str
    filename: str | None
    ndvi: float | None
    b02: float | None
    b03: float | None
    b04: float | None
    b8a: float | None
    rules: dict[str, str | None]


class Excluded(TypedDict):
    """Raw scenes of both sensors, each with what excluded it."""

    s2: list[ScreenedScene]
    s3: list[ScreenedScene]


class LayerAnswer(TypedDict):
    """A quality layer; bands: band number of each day."""

    key: str
    label: str
    unit: str
    explanation: str
    path: str
    days: list[str]
    bands: list[int]


class FoundFile(TypedDict):
    """A file to take away."""

    path: str
    bytes: int


class SiteWithSeasons(SiteFacts):
    """A site with its seasons."""

    seasons: list[int]


class SeasonAnswer(TypedDict):
    """Everything that exists of one site-season under a scenario.

    footprint: border of the ground that the camera shows, metres east and north; None where no camera is known.
    coarse_quantity: what Sentinel-3's numbers are, where its files say so. sources: what the archives say of their
    data, where files say so: that they are synthetic, for one.
    """

    site: SiteWithSeasons
    season: int
    scenario: str
    epsg: int
    marker: tuple[float, float]
    footprint: list[tuple[float, float]] | None
    extent: tuple[float, float, float, float]
    statuses: SeasonStatus
    stages: Annotated[dict[Stage, dict[Source, Daily]], _typed("Record<Stage, Partial<Record<Source, Daily>>>")]
    excluded: Excluded
    coarse_quantity: str | None
    sources: str | None
    quality: list[LayerAnswer]
    photos: Daily
    pack: bool
    tables: list[FoundFile]
    maps: list[FoundFile]


class CameraAnswer(TypedDict):
    """gcc_90 of a season and its dates of transition."""

    camera: Columns
    transitions: dict[str, str | None] | None


class SiteSeriesAnswer(CameraAnswer):
    """Curves at the site; origin: where they were read."""

    sources: Annotated[dict[Source, Columns], _typed("Partial<Record<Source, Series>>")]
    origin: str


class PixelSeason(TypedDict):
    """Curves of one pixel."""

    sources: Annotated[dict[Source, Columns], _typed("Partial<Record<Source, Series>>")]
    origin: str
    longitude: float
    latitude: float


class AreaSeason(TypedDict):
    """Curves of a drawn area: each quantity with its ``_spread`` over the pixels and their number ``_n``. pixels: how
    many lie in it."""

    sources: Annotated[dict[Source, Columns], _typed("Partial<Record<Source, Series>>")]
    pixels: int


class ScenarioSeries(CameraAnswer):
    """Published fused GCC at the site, by scenario."""

    scenarios: dict[str, Columns]


class Answers(TypedDict):
    """Every answer, by the address below ``/_api``."""

    catalog: Overview
    season: SeasonAnswer
    series: SiteSeriesAnswer
    pixel: PixelSeason
    area: AreaSeason
    scenarios: ScenarioSeries
    error: NotRequired[str]


def schema() -> dict[str, Any]:
    """JSON Schema of ``Answers`` in the words that generators of types know: tuples as lists of items, and names for
    objects alone."""
    return {"title": "Answers", **_plain(TypeAdapter(Answers).json_schema())}


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key != "title" or not isinstance(value, str)}
    return {"items" if key == "prefixItems" else key: _plain(value) for key, value in kept.items()}
