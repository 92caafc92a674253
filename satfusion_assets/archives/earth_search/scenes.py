"""Scenes: what a catalogue item says about one granule, and which items are the same acquisition.

An acquisition is platform + datatake + relative orbit + tile + datastrip. The datatake's start (in ``product_uri``)
is the sensing time that survives reprocessing; ``datetime`` does not (old baselines carry the datastrip's start).
Two datastrips of one datatake in one tile are a split granule: two scenes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from satfusion_assets.errors import ArchiveAnswerInvalid
from satfusion_assets.settings import S2Collection

ASSETS: Final = {"blue": "B02", "green": "B03", "red": "B04", "nir08": "B8A", "scl": "SCL"}
"""Asset key in the catalogue -> band. ``nir`` is B08, another band; B8A is ``nir08``."""
METADATA_ASSET: Final = "granule_metadata"

_PRODUCT: Final = re.compile(
    r"(?P<platform>S2[A-Z])_MSIL2A_(?P<datatake>\d{8}T\d{6})_N(?P<baseline>\d{4})_R(?P<orbit>\d{3})_T(?P<tile>\w{5})_"
)
_DATASTRIP: Final = re.compile(r"_S(?P<start>\d{8}T\d{6})_N")
_SAME_GROUND: Final = 0.5
"""Two baselines of one datatake show the same ground when their boxes share this part of the smaller one."""

Box = tuple[float, float, float, float]


class Scene(BaseModel):
    """One granule as its catalogue item describes it.

    sensed: the item's ``datetime``, UTC. datatake: start of the datatake, UTC. datastrip: start of the datastrip as
    the product names it. baseline: ``05.10``. boa_offset_applied: the catalogue's word on the pixels, None when it
    says nothing. bbox: degrees (west, south, east, north). hrefs: asset key -> address. updated: as the item says.
    view_zenith: mean over the bands, degrees, when the item has it.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    collection: S2Collection
    platform: Annotated[str, Field(pattern=r"^sentinel-2[a-z]$")]
    sensed: datetime
    datatake: datetime
    datastrip: str
    relative_orbit: int | None
    tile: Annotated[str, Field(pattern=r"^\d{1,2}[A-Z]{3}$")]
    baseline: Annotated[str, Field(pattern=r"^\d{2}\.\d{2}$")] | None
    boa_offset_applied: bool | None
    generated: datetime | None
    updated: str
    epsg: int | None
    bbox: Box
    hrefs: dict[str, str]
    view_zenith: float | None = None
    cloud_cover: float | None = None

    @property
    def baseline_number(self) -> float:
        """Baseline for comparison: 5.1 for ``05.10``; -1 when the item has none."""
        return float(self.baseline) if self.baseline is not None else -1.0

    @property
    def missing_assets(self) -> tuple[str, ...]:
        """Asset keys that a scene needs and this item lacks."""
        return tuple(key for key in ASSETS if key not in self.hrefs)

    def href(self, asset: str) -> str:
        """Address of an asset; ArchiveAnswerInvalid names item and asset."""
        if asset not in self.hrefs:
            raise ArchiveAnswerInvalid(
                f"Item {self.id} has no asset {asset!r} ({ASSETS.get(asset, asset)}); the archive's catalogue is "
                f"incomplete there, so the scene cannot be used."
            )
        return self.hrefs[asset]


def scene_from_item(item: Mapping[str, Any]) -> Scene:
    """The scene that a STAC item (legacy or collection 1) describes; ArchiveAnswerInvalid names item and field."""
    name = item.get("id", "without an id") if isinstance(item, Mapping) else "of an unknown shape"
    try:
        return _scene(item)
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise ArchiveAnswerInvalid(f"Item {name}: field {field} is missing or malformed in the catalogue.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArchiveAnswerInvalid(f"Item {name} is not a Sentinel-2 item as the catalogue describes them.") from error


def _scene(item: Mapping[str, Any]) -> Scene:
    properties = item["properties"]
    product = _PRODUCT.match(properties.get("s2:product_uri") or "")
    sensed = _utc(properties["datetime"])
    strip = _DATASTRIP.search(properties.get("s2:datastrip_id") or "")
    generated = properties.get("s2:generation_time")
    assets = item["assets"]
    return Scene.model_validate(
        {
            "id": item["id"],
            "collection": item.get("collection"),
            "platform": properties["platform"],
            "sensed": sensed,
            "datatake": _compact(product["datatake"]) if product else sensed,
            "datastrip": strip["start"] if strip else f"{sensed:%Y%m%dT%H%M%S}",
            "relative_orbit": product["orbit"] if product else properties.get("sat:relative_orbit"),
            "tile": product["tile"] if product else _tile(properties),
            "baseline": properties.get("s2:processing_baseline") or properties.get("processing:version"),
            "boa_offset_applied": properties.get("earthsearch:boa_offset_applied"),
            "generated": _utc(generated) if generated else None,
            "updated": properties.get("updated") or "",
            "epsg": _epsg(properties),
            "bbox": tuple(item["bbox"]),
            "hrefs": {key: assets[key]["href"] for key in (*ASSETS, METADATA_ASSET) if key in assets},
            "view_zenith": properties.get("view:incidence_angle"),
            "cloud_cover": properties.get("eo:cloud_cover"),
        }
    )


def resolve_reprocessings(scenes: Iterable[Scene]) -> tuple[list[Scene], dict[str, str]]:
    """One scene per acquisition, oldest first, and for each item dropped the id of the one that replaces it.

    The highest baseline wins, then the newest generation. Split granules, overlapping tiles and orbits are other
    acquisitions and stay.
    """
    groups: dict[tuple[object, ...], list[Scene]] = {}
    for scene in scenes:
        key = (scene.platform, scene.datatake, scene.relative_orbit, scene.tile)
        groups.setdefault(key, []).append(scene)
    kept: list[Scene] = []
    replaced: dict[str, str] = {}
    for group in groups.values():
        winners: list[Scene] = []
        for scene in sorted(group, key=_merit, reverse=True):
            winner = next((better for better in winners if _same_acquisition(scene, better)), None)
            if winner is None:
                winners.append(scene)
            else:
                replaced[scene.id] = winner.id
        kept += winners
    return sorted(kept, key=_order), replaced


def name_scenes(scenes: Iterable[Scene], day_of: Callable[[datetime], date] = datetime.date) -> dict[str, Scene]:
    """``{YYYYMMDD}_{n}`` for each scene: n = rank within its day by sensing time, then tile.

    day_of: the day of a moment in UTC; the site's own (``SiteGrid.local_day``), so that a day is one morning's scenes.
    """
    named: dict[str, Scene] = {}
    ranks: dict[date, int] = {}
    for scene in sorted(scenes, key=_order):
        day = day_of(scene.sensed)
        rank = ranks.get(day, 0)
        ranks[day] = rank + 1
        named[f"{day:%Y%m%d}_{rank}"] = scene
    return named


def _same_acquisition(scene: Scene, other: Scene) -> bool:
    """Both are of one datatake and tile here: the same datastrip, or the same ground in another baseline."""
    if scene.datastrip == other.datastrip:
        return True
    return scene.baseline != other.baseline and _shared_part(scene.bbox, other.bbox) > _SAME_GROUND


def _shared_part(one: Box, other: Box) -> float:
    """Area that two boxes share, as a part of the smaller one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(width, 0.0) * max(height, 0.0) / smaller if smaller > 0 else 0.0


def _merit(scene: Scene) -> tuple[float, datetime, str, str]:
    return scene.baseline_number, scene.generated or datetime.min.replace(tzinfo=UTC), scene.updated, scene.id


def _order(scene: Scene) -> tuple[datetime, str, str]:
    return scene.sensed, scene.tile, scene.id


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _compact(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def _tile(properties: Mapping[str, Any]) -> str:
    if "grid:code" in properties:
        return str(properties["grid:code"]).removeprefix("MGRS-")
    return f"{properties['mgrs:utm_zone']:02d}{properties['mgrs:latitude_band']}{properties['mgrs:grid_square']}"


def _epsg(properties: Mapping[str, Any]) -> int | None:
    code = properties.get("proj:code") or properties.get("proj:epsg")
    return int(str(code).removeprefix("EPSG:")) if code else None
