"""The one place that makes addresses of the viewer: Dagster's metadata, the command line and redirects use it.

An address is ``/{site}/{season}[/{scenario}][/{page}]?date=&stage=&style=&view=&pixel=``; the front end reads and
writes the same grammar (``webapp/src/state.ts``), so a link is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final, Literal, get_args
from urllib.parse import quote, urlencode

from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Mode, Scenario, Strategy

Page = Literal["explore", "preselection", "metrics", "gaps", "phenology"]
PAGES: Final[tuple[Page, ...]] = get_args(Page)
Stage = Literal["raw", "prepared", "fusion", "processed"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
Style = Literal["true", "false", "ndvi", "gcc", "b02", "b03", "b04", "b8a"]
View = Literal["side", "swipe", "blink", "difference"]

_YEAR: Final = re.compile(r"[0-9]{4}")

OLD_PAGES: Final[Mapping[str, tuple[Page, Stage | None]]] = {
    "index.html": ("explore", None),
    "preselection.html": ("preselection", None),
    "prepared.html": ("explore", "prepared"),
    "fusion.html": ("explore", "fusion"),
    "postprocessed.html": ("explore", "processed"),
    "metrics.html": ("metrics", None),
    "gap_validation.html": ("gaps", None),
    "phenology.html": ("phenology", None),
}
"""Pages of the thesis' viewer and where their contents are now."""


def viewer_url(
    base: str,
    site: str,
    season: int,
    scenario: str | Scenario | None = None,
    page: Page | None = None,
    date: date | str | None = None,
    *,
    stage: Stage | None = None,
    style: Style | None = None,
    view: View | None = None,
    pixel: tuple[float, float] | None = None,
    gap: str | None = None,
) -> str:
    """The address of one exact view.

    base: where the viewer runs (``settings.viewer_url``). pixel: easting and northing in metres in the site's UTM
    zone. gap: key of one gap experiment, on the page ``gaps``.
    """
    key = scenario.key if isinstance(scenario, Scenario) else scenario
    if key is not None:
        Scenario.parse(key)
    if page is not None and page not in PAGES:
        raise InvalidInput(f"{page!r} is not a page of the viewer; use one of {', '.join(PAGES)}.")
    parts = [quote(site, safe=""), str(season)]
    if key:
        parts.append(key)
    if page and page != "explore":
        parts.append(page)
    query = {
        "date": None if date is None else str(date),
        "stage": stage,
        "style": style,
        "view": view,
        "px": None if pixel is None else f"{pixel[0]:.0f},{pixel[1]:.0f}",
        "gap": gap,
    }
    tail = urlencode({name: value for name, value in query.items() if value is not None}, safe=",:")
    return f"{base.rstrip('/')}/{'/'.join(parts)}{'?' + tail if tail else ''}"


def redirect_of(old_page: str, query: Mapping[str, str]) -> str:
    """Where an address of the thesis' viewer leads now, relative to this server; ``/`` when it names no site.

    query: its parameters site, season, date, strategy, sigma, mode, exclusion; the unusable are dropped.
    """
    page, stage = OLD_PAGES[old_page]
    site, season = query.get("site"), query.get("season", "")
    if not site or not _YEAR.fullmatch(season):
        return "/"
    try:
        day: date | None = date.fromisoformat(query.get("date", ""))
    except ValueError:
        day = None
    return viewer_url("", site, int(season), _old_scenario(query), page, day, stage=stage)


def _old_scenario(query: Mapping[str, str]) -> Scenario | None:
    strategy = query.get("strategy") or query.get("exclusion")
    if strategy not in set(Strategy):
        return None
    mode = Mode.ITB if query.get("mode", "").lower() == "itb" else Mode.BTI
    return Scenario(Strategy(strategy), mode, 30 if query.get("sigma") == "30" else 20)
