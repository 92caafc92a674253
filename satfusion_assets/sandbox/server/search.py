"""What a STAC search means: its parameters, which items match, their order, pages and fields."""

from __future__ import annotations

import json
import operator as operators
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

DEFAULT_LIMIT: Final = 10
GREATEST_LIMIT: Final = 267
"""More items of this catalogue do not fit into an answer: the service fails."""

Item = dict[str, Any]

_LISTS: Final = ("bbox", "collections", "ids")
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": operators.lt,
    "lte": operators.le,
    "gt": operators.gt,
    "gte": operators.ge,
}
_DAY: Final = re.compile(r"_(20\d{6})[_T]")
_DEFAULT_ORDER: Final = (("properties.datetime", True), ("id", True), ("collection", True))
_ALWAYS: Final = (
    "id",
    "type",
    "stac_version",
    "geometry",
    "bbox",
    "links",
    "assets",
    "collection",
    "properties.datetime",
)


class InvalidSearch(ValueError):
    """A parameter that the service answers with 400."""


class SearchTooLarge(ValueError):
    """A limit that the service breaks on with 500."""


@dataclass(frozen=True)
class Search:
    """A search as both GET and POST ask it.

    bounds: of ``geometry``, west, south, east, north in degrees. start, end: included, None = open.
    order: (dotted path, descending), the most significant first. after: page token, None = first page.
    """

    collections: tuple[str, ...] | None
    ids: frozenset[str] | None
    geometry: BaseGeometry | None
    start: datetime | None
    end: datetime | None
    query: Mapping[str, Mapping[str, Any]]
    order: tuple[tuple[str, bool], ...]
    fields: Mapping[str, list[str]] | None
    limit: int
    after: str | None

    @cached_property
    def bounds(self) -> tuple[float, float, float, float] | None:
        return None if self.geometry is None else self.geometry.bounds

    @property
    def window(self) -> tuple[datetime | None, datetime | None]:
        """When the items can have been sensed: the asked interval, or else the days that the ids name."""
        if self.start or self.end or self.ids is None:
            return self.start, self.end
        return sensing_days(self.ids)

    def matches(self, item: Item) -> bool:
        """Whether ``item`` is asked for; collection and rough bounds were asked of the archive already."""
        if self.ids is not None and item["id"] not in self.ids:
            return False
        taken = datetime.fromisoformat(item["properties"]["datetime"])
        if (self.start and taken < self.start) or (self.end and taken > self.end):
            return False
        if self.geometry is not None and not self.geometry.intersects(shape(item["geometry"])):
            return False
        return all(_satisfies(item["properties"].get(name), tests) for name, tests in self.query.items())

    def page(self, items: Iterable[Item]) -> tuple[list[Item], int, str | None]:
        """The items of this page, how many match at all, and the token of the next page.

        As the service does, every page that holds items names a next one; the last of them is empty.
        """
        found = [item for item in items if self.matches(item)]
        for path, descending in reversed((*self.order, *_DEFAULT_ORDER[1:])):
            found.sort(key=lambda item: _rank(_value(item, path), descending), reverse=descending)
        start = 0 if self.after is None else self._position(found)
        page = found[start : start + self.limit]
        return page, len(found), self._token(page[-1]) if page else None

    def _token(self, item: Item) -> str:
        paths = [path for path, _ in self.order if path not in ("id", "collection")]
        return ",".join(str(_value(item, path)) for path in [*paths, "id", "collection"])

    def _position(self, found: list[Item]) -> int:
        tokens = [self._token(item) for item in found]
        if self.after not in tokens:
            raise InvalidSearch(f"Unknown page token {self.after!r}")
        return tokens.index(self.after) + 1

    def selected(self, item: Item) -> Item:
        """``item`` with the fields that were asked for."""
        if self.fields is None:
            return item
        include = [*_ALWAYS, *self.fields.get("include", [])]
        exclude = self.fields.get("exclude", [])
        kept: Item = {}
        for path in include:
            if path not in exclude:
                _copy(item, kept, path.split("."))
        for path in exclude:
            _drop(kept, path.split("."))
        return kept


def search_of_query(parameters: Mapping[str, str]) -> dict[str, Any]:
    """The body that a GET search's query string stands for."""
    body: dict[str, Any] = dict(parameters)
    for name in _LISTS:
        if name in body:
            body[name] = [part for part in body[name].split(",") if part]
    try:
        for name in ("intersects", "query"):
            if name in body:
                body[name] = json.loads(body[name])
        if "bbox" in body:
            body["bbox"] = [float(part) for part in body["bbox"]]
    except ValueError as error:
        raise InvalidSearch(f"Invalid query string: {error}") from error
    if "fields" in body:
        names = [name for name in body["fields"].split(",") if name]
        body["fields"] = {
            "include": [name.lstrip("+ ") for name in names if not name.startswith("-")],
            "exclude": [name[1:] for name in names if name.startswith("-")],
        }
    if "sortby" in body:
        body["sortby"] = [
            {"field": name.lstrip("+- "), "direction": "desc" if name.startswith("-") else "asc"}
            for name in body["sortby"].split(",")
        ]
    return body


def search_of_body(body: Mapping[str, Any]) -> Search:
    """The search that a POST body describes; InvalidSearch or SearchTooLarge when the service would refuse it."""
    if "filter" in body:
        raise InvalidSearch("The Filter extension (CQL2) is not supported; use query")
    try:
        start, end = _interval(body.get("datetime"))
        return Search(
            collections=_texts(body.get("collections")),
            ids=None if body.get("ids") is None else frozenset(body["ids"]),
            geometry=_geometry(body.get("bbox"), body.get("intersects")),
            start=start,
            end=end,
            query={name: dict(tests) for name, tests in (body.get("query") or {}).items()},
            order=_order(body.get("sortby")),
            fields=body.get("fields"),
            limit=_limit(body.get("limit")),
            after=body.get("next"),
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise InvalidSearch(f"Malformed search: {error}") from error


def sensing_days(ids: Collection[str]) -> tuple[datetime | None, datetime | None]:
    """A generous interval around the days that item ids state (``S2A_32TPT_20240101_0_L2A``); open when one does not.

    A database would have an index of ids; a world that is computed day by day has none.
    """
    stated = [found[1] for found in map(_DAY.search, ids) if found]
    if not stated or len(stated) < len(ids):
        return None, None
    try:
        first, last = (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) for day in (min(stated), max(stated)))
    except ValueError:
        return None, None
    return first - timedelta(days=1), last + timedelta(days=2)


def shape(geometry: dict[str, Any]) -> BaseGeometry:
    """The shapely geometry of a GeoJSON one (shapely is loaded with the first search)."""
    from shapely.errors import ShapelyError
    from shapely.geometry import shape as of_geojson

    try:
        return of_geojson(geometry)
    except (ShapelyError, ValueError, AttributeError) as error:
        raise InvalidSearch(f"Invalid intersects parameter, must be a GeoJSON geometry: {error}") from error


def _texts(values: Any) -> tuple[str, ...] | None:
    if values is None or (isinstance(values, list) and all(isinstance(value, str) for value in values)):
        return None if values is None else tuple(values)
    raise InvalidSearch("collections must be a list of ids")


def _limit(limit: Any) -> int:
    try:
        number = DEFAULT_LIMIT if limit is None else int(limit)
    except ValueError as error:
        raise InvalidSearch("Invalid limit value") from error
    if number < 1:
        raise InvalidSearch("Invalid limit value, must be between 1 and 10000 inclusive")
    if number > GREATEST_LIMIT:
        raise SearchTooLarge("Response exceeds the size the service can send")
    return number


def _geometry(bbox: Any, intersects: Any) -> BaseGeometry | None:
    if bbox is not None and intersects is not None:
        raise InvalidSearch("Expected bbox OR intersects, not both")
    if intersects is not None:
        return shape(intersects)
    if bbox is None:
        return None
    if len(bbox) not in (4, 6):
        raise InvalidSearch("Invalid bbox, must have 4 or 6 points")
    west, south, east, north = (float(bbox[at]) for at in ((0, 1, 2, 3) if len(bbox) == 4 else (0, 1, 3, 4)))
    if south > north:
        raise InvalidSearch("Invalid bbox, SW latitude must be less than NE latitude")
    from shapely.geometry import box

    return box(west, south, east, north)


def _interval(text: Any) -> tuple[datetime | None, datetime | None]:
    """Both ends of a datetime parameter, included; a single time is both."""
    if text is None:
        return None, None
    ends = str(text).split("/")
    if len(ends) > 2:
        raise InvalidSearch("Invalid datetime value, must be an RFC3339 datetime or interval")
    times = [None if end in ("", "..") else _time(end) for end in ends]
    start, end = times[0], times[-1]
    if start is None and end is None:
        raise InvalidSearch("Invalid datetime value, at least one end of the interval must be closed")
    if start and end and start > end:
        raise InvalidSearch("Invalid datetime value, start must be before end")
    return start, end


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidSearch(f"Invalid datetime value {text!r}, must be RFC3339") from error
    if "T" not in text.upper() or time.tzinfo is None:
        raise InvalidSearch(f"Invalid datetime value {text!r}, must be RFC3339 with time and zone")
    return time.astimezone(UTC)


def _order(rules: Any) -> tuple[tuple[str, bool], ...]:
    if not rules:
        return _DEFAULT_ORDER
    return tuple((rule["field"], rule.get("direction", "asc") == "desc") for rule in rules)


def _rank(value: Any, descending: bool) -> tuple[bool, Any]:
    """Sort key of a value; items without one come last in either direction."""
    missing = value is None
    return (missing != descending, 0 if missing else value)


def _value(item: Item, path: str) -> Any:
    node: Any = item
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _copy(source: Item, target: Item, path: list[str]) -> None:
    head, *rest = path
    if head not in source:
        return
    if not rest:
        target[head] = source[head]
    elif isinstance(source[head], dict):
        inner = target.setdefault(head, {})
        if inner is not source[head]:
            _copy(source[head], inner, rest)


def _drop(item: Item, path: list[str]) -> None:
    head, *rest = path
    if not rest:
        item.pop(head, None)
    elif isinstance(item.get(head), dict):
        item[head] = dict(item[head])
        _drop(item[head], rest)


def _satisfies(value: Any, tests: Mapping[str, Any]) -> bool:
    """Whether a property passes every operator of the Query extension; a missing property passes only ``neq``."""
    return all(_passes(value, operator, operand) for operator, operand in tests.items())


def _passes(value: Any, operator: str, operand: Any) -> bool:
    if operator == "in":
        return any(value == _like(value, choice) for choice in operand)
    if operator in ("startsWith", "endsWith", "contains"):
        text = str(operand)
        return isinstance(value, str) and {
            "startsWith": value.startswith(text),
            "endsWith": value.endswith(text),
            "contains": text in value,
        }.get(operator, False)
    wanted = _like(value, operand)
    if operator in ("eq", "neq"):
        return bool((value == wanted) is (operator == "eq"))
    if operator not in _COMPARISONS:
        raise InvalidSearch(f"Operator {operator!r} is not supported")
    if value is None or wanted is None:
        return False
    if isinstance(value, str) and _moment(value) and _moment(wanted):
        value, wanted = _moment(value), _moment(wanted)
    try:
        return bool(_COMPARISONS[operator](value, wanted))
    except TypeError as error:
        raise InvalidSearch(f"{operand!r} cannot be compared with {value!r}") from error


def _like(value: Any, operand: Any) -> Any:
    """``operand`` as the type of ``value``: numbers may come as text (``eo:cloud_cover<30`` on a command line)."""
    if isinstance(value, int | float) and not isinstance(value, bool) and isinstance(operand, str):
        try:
            return float(operand)
        except ValueError as error:
            raise InvalidSearch(f"failed to create query: {operand!r} is not a number") from error
    return operand


def _moment(text: Any) -> datetime | None:
    """The time that a property's text states, None when it states none."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
