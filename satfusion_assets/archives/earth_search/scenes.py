"""Scenes: what a catalogue item says about one granule, and which items are the same acquisition.

An acquisition is platform + datatake + relative orbit + tile + datastrip. The datatake's start (in ``product_uri``)
is the sensing time that survives reprocessing; ``datetime`` does not (old baselines carry the datastrip's start).
Two datastrips of one datatake in one tile are a split granule: two scenes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from satfusion_assets.archives.common_metadata import said_of_source
from satfusion_assets.archives.earth_search.boxes import box_width, shared_area
from satfusion_assets.archives.retry import is_web_address, public_url
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets.vocabulary.settings import S2Collection

ASSETS: Final = {"blue": "B02", "green": "B03", "red": "B04", "nir08": "B8A", "scl": "SCL"}
"""Asset key in the catalogue -> band. ``nir`` is B08, another band; B8A is ``nir08``."""
METADATA_ASSET: Final = "granule_metadata"

_PRODUCT: Final = re.compile(
    r"(?P<platform>S2[A-Z])_MSIL2A_(?P<datatake>\d{8}T\d{6})_N(?P<baseline>\d{4})_R(?P<orbit>\d{3})_T(?P<tile>\w{5})_"
)
_DATASTRIP: Final = re.compile(r"_S(?P<start>\d{8}T\d{6})_N")
_SAME_GROUND: Final = 0.5
"""Two baselines of one datatake show the same ground when their boxes share this part of the smaller one."""

_SHOWN: Final = 20
_LONGEST_NAME: Final = 80
_Degrees = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
Box = tuple[_Degrees, _Degrees, _Degrees, _Degrees]


def _known_number(value: Any) -> float | None:
    """A finite number, or None: what is optional and odd is unknown, and costs no scene."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def _known_zenith(value: Any) -> float | None:
    zenith = _known_number(value)
    return zenith if zenith is not None and 0 <= zenith < 90 else None


class Scene(BaseModel):
    """One granule as its catalogue item describes it.

    sensed: the item's ``datetime``, UTC. datatake: start of the datatake, UTC. datastrip: start of the datastrip as
    the product names it. baseline: ``05.10``. boa_offset_applied: the catalogue's word on the pixels, None when it
    says nothing. bbox: degrees (west, south, east, north), west > east across 180 degrees. hrefs: asset key ->
    address. updated: as the item says. view_zenith: mean over the bands, degrees, when the item has it. found: keys
    of all assets that came with the item. providers, licence: as the item says, which few do.
    """

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
    collection: S2Collection
    platform: Annotated[str, Field(pattern=r"^sentinel-2[a-z]$")]
    sensed: datetime
    datatake: datetime
    datastrip: Annotated[str, Field(max_length=40)]
    relative_orbit: Annotated[int, Field(ge=1, le=143)] | None
    tile: Annotated[str, Field(pattern=r"^([1-9]|0[1-9]|[1-5]\d|60)[C-HJ-NP-X][A-Z]{2}$")]
    baseline: Annotated[str, Field(pattern=r"^\d{2}\.\d{2}$")] | None
    boa_offset_applied: bool | None
    generated: datetime | None
    updated: Annotated[str, Field(max_length=64)]
    epsg: int | None
    bbox: Box
    hrefs: dict[str, Annotated[str, Field(max_length=4096)]]
    view_zenith: Annotated[float | None, BeforeValidator(_known_zenith)] = None
    cloud_cover: Annotated[float | None, BeforeValidator(_known_number)] = None
    found: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    providers: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    licence: Annotated[str | None, Field(exclude=True)] = None

    @property
    def baseline_number(self) -> float:
        """Baseline for comparison: 5.1 for ``05.10``; -1 when the item has none."""
        return float(self.baseline) if self.baseline is not None else -1.0

    @property
    def missing_assets(self) -> tuple[str, ...]:
        """Asset keys that a scene needs and this item lacks."""
        return tuple(key for key in ASSETS if key not in self.hrefs)

    @property
    def unreachable_assets(self) -> tuple[str, ...]:
        """Asset keys that a scene needs and that lie where HTTP does not reach (``s3://``)."""
        return tuple(key for key in ASSETS if key in self.hrefs and not is_web_address(self.hrefs[key]))

    @property
    def lacks(self) -> str | None:
        """What keeps the scene from being fetched at all, as a sentence; None when nothing does."""
        if self.missing_assets:
            asset = self.missing_assets[0]
            found = ", ".join(key[:20] for key in self.found[:_SHOWN]) or "none"
            return f"Item {self.id} has no asset {asset!r} ({ASSETS[asset]}) among those that came with it: {found}."
        if self.unreachable_assets:
            asset = self.unreachable_assets[0]
            where = public_url(self.hrefs[asset])
            return f"Item {self.id} has its asset {asset!r} ({ASSETS[asset]}) at {where}, which cannot be fetched."
        return None

    def href(self, asset: str) -> str:
        """Address of an asset; ArchiveAnswerInvalid names item and asset."""
        if asset not in self.hrefs:
            raise ArchiveAnswerInvalid(
                f"Item {self.id} has no asset {asset!r} ({ASSETS.get(asset, asset)}); the archive's catalogue is "
                f"incomplete there, so the scene cannot be used."
            )
        return self.hrefs[asset]


def shown(name: object) -> str:
    """A name from outside as messages and tables may hold it: short, on one line, plain characters."""
    return ascii(str(name))[1:-1][:_LONGEST_NAME]


def scene_from_item(item: Mapping[str, Any]) -> Scene:
    """The scene that a STAC item (legacy or collection 1) describes; ArchiveAnswerInvalid names item and field."""
    name = shown(item.get("id", "without an id")) if isinstance(item, Mapping) else "of an unknown shape"
    try:
        return _scene(item)
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise ArchiveAnswerInvalid(f"Item {name}: field {field} is missing or malformed in the catalogue.") from error
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
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
            "bbox": _flat_box(item["bbox"]),
            "hrefs": _hrefs(assets),
            "view_zenith": properties.get("view:incidence_angle"),
            "cloud_cover": properties.get("eo:cloud_cover"),
            "found": tuple(map(str, assets)),
            **said_of_source(properties),
        }
    )


def tile_epsg(tile: str) -> int:
    """EPSG code of the UTM zone that a tile (``32TPT``) lies in: bands N to X are northern."""
    return (32600 if tile[-3] >= "N" else 32700) + int(tile[:-3])


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
    smaller = min(box_width(box) * (box[3] - box[1]) for box in (one, other))
    return shared_area(one, other) / smaller if smaller > 0 else 0.0


def _merit(scene: Scene) -> tuple[float, datetime, str, str]:
    return scene.baseline_number, scene.generated or datetime.min.replace(tzinfo=UTC), scene.updated, scene.id


def _order(scene: Scene) -> tuple[datetime, str, str]:
    return scene.sensed, scene.tile, scene.id


def _hrefs(assets: Mapping[str, Any]) -> dict[str, str]:
    """Where the assets that we know of lie: by key, else by the band that they say they are."""
    by_band = {str(name): asset for key, asset in reversed([*assets.items()]) for name in (key, *_band_names(asset))}
    wanted = {key: assets.get(key, by_band.get(band, by_band.get(key))) for key, band in ASSETS.items()}
    wanted[METADATA_ASSET] = assets.get(METADATA_ASSET)
    return {key: _address(asset) for key, asset in wanted.items() if asset is not None}


def _band_names(asset: Any) -> list[str]:
    """Names of the one band of a GeoTIFF asset (``bands`` of STAC 1.1, ``eo:bands`` before)."""
    if not isinstance(asset, Mapping) or "tiff" not in str(asset.get("type")):
        return []
    bands = asset.get("bands") or asset.get("eo:bands") or []
    return [str(bands[0].get("name"))] if len(bands) == 1 and isinstance(bands[0], Mapping) else []


def _address(asset: Mapping[str, Any]) -> str:
    """The asset's address that can be fetched: its own, or one of its alternates; its own when none can."""
    alternates = asset.get("alternate") or {}
    others = [other.get("href") for other in alternates.values() if isinstance(other, Mapping)]
    texts = [href for href in (asset["href"], *others) if isinstance(href, str)]
    return next((href for href in texts if is_web_address(href)), asset["href"])


def _flat_box(box: Any) -> tuple[Any, ...]:
    """West, south, east, north of a box with or without heights."""
    return (box[0], box[1], box[3], box[4]) if len(box) == 6 else tuple(box)


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
