"""Which Sentinel-2 products exist of a site, and which of the archive's known defects each of them has.

Defects are assigned per calendar year from the seed, so that every season has each of them at known dates; ``Quirk``
records say where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np

from satfusion_assets.sandbox.geometry import Tile, generator, tile_at, zone_of
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.orbits import Pass, baseline_at, passes, relative_orbits

LEGACY: Final = "sentinel-2-l2a"
COLLECTION_1: Final = "sentinel-2-c1-l2a"

OFFSET_SINCE: Final = "04.00"
_BULK_LOAD: Final = datetime(2022, 11, 6, 13, 21, 5, 728000, UTC)
"""When the archive's version 1 loaded what it had of the years before."""
_LOST: Final = 0.2
"""Share of acquisitions that the archive never got."""
_BORDER: Final = 0.2
"""Degrees from a zone's border within which a tile of the neighbouring zone holds the site, too."""

_WANTED: Final = (
    # kind, clear scenes, other scenes
    ("lying_flag", 2, 1),
    ("offset_in_pixels", 3, 3),
    ("reprocessed", 2, 2),
    ("split_granule", 1, 2),
    ("partial_granule", 3, 5),
    ("empty_chip", 1, 1),
    ("dark_clip", 3, 0),
    ("truncated_xml", 1, 0),
    ("missing_nir08", 0, 1),
    ("corrupt_cog", 0, 1),
)
_CLEAR: Final = 0.15


@dataclass(frozen=True)
class Edge:
    """A border of the sensed area: inside where a x + b y <= c (metres from the site)."""

    a: float
    b: float
    c: float


@dataclass(frozen=True)
class SentinelProduct:
    """One Level-2A product of one tile.

    sensing: time of the tile. boa_flag: what the item says about the offset; None where items do not say. shifted:
    whether the pixels are already free of it. edges: borders of the data. footprint: borders as the item's geometry
    claims. quirk: the defect it was chosen for, or ''.
    """

    site: str
    collection: str
    flight: Pass
    tile: Tile
    sensing: datetime
    datatake: datetime
    sequence: int
    baseline: str
    generated: datetime
    created: datetime
    boa_flag: bool | None
    shifted: bool
    edges: tuple[Edge, ...] = ()
    footprint: tuple[Edge, ...] = ()
    quirk: str = ""

    @property
    def has_offset(self) -> bool:
        """Whether the producer's pixels carry the offset of 1000 (from baseline 04.00)."""
        return self.baseline >= OFFSET_SINCE

    @property
    def datastrip(self) -> datetime:
        """Start of the datastrip: where the tile's id of collection 1 takes its time from."""
        return self.sensing - timedelta(seconds=17)

    @property
    def id(self) -> str:
        if self.collection == COLLECTION_1:
            return f"{self.flight.platform}_T{self.tile.name}_{self.datastrip:%Y%m%dT%H%M%S}_L2A"
        return f"{self.flight.platform}_{self.tile.name}_{self.sensing:%Y%m%d}_{self.sequence}_L2A"

    @property
    def folder(self) -> str:
        """Path of the product's files below ``/data``."""
        tile, sensing = self.tile, self.sensing
        square = f"{tile.zone}/{tile.latitude_band}/{tile.square}/{sensing.year}/{sensing.month}"
        root = "sentinel-s2-l2a-cogs" if self.collection == LEGACY else self.collection
        return f"{root}/{square}/{self.id}"

    @property
    def visible_from(self) -> date:
        """First day on which a search can find it: reprocessings appear when they were made."""
        return self.created.date() if self.sequence and self.quirk == "reprocessed" else self.sensing.date()

    @property
    def entropy(self) -> str:
        """What noise is drawn from: one processing has the same pixels in both collections."""
        return f"{self.flight.platform}{self.sensing:%Y%m%dT%H%M%S}{self.tile.name}{self.baseline}{self.generated:%y%j}"


@dataclass(frozen=True)
class Quirk:
    """A defect at a known place: what, in which item, on which day; ``detail`` says how it shows."""

    kind: str
    site: str
    collection: str
    item: str
    day: date
    detail: str


class Catalogue:
    """All products of one site."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.site = landscape.site
        self._years: dict[tuple[str, int], list[SentinelProduct]] = {}

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """The tile of the site's zone, and the neighbouring zone's where the site lies at the border."""
        own, site = self.landscape.cells.tile, self.site
        nearby = {zone_of(site.longitude + beside, site.latitude) for beside in (-_BORDER, _BORDER)} - {own.zone}
        return own, *(tile_at(site.longitude, site.latitude, zone, 5 * own.size) for zone in sorted(nearby))

    def products(self, collection: str, start: date, end: date) -> list[SentinelProduct]:
        """Products sensed within [start, end], oldest first."""
        found = [p for year in range(start.year, end.year + 1) for p in self._year(collection, year)]
        return [p for p in found if start <= p.sensing.date() <= end]

    def _year(self, collection: str, year: int) -> list[SentinelProduct]:
        key = (collection, year)
        if key not in self._years:
            legacy = sorted(self._legacy(year), key=lambda p: (p.sensing, p.tile.name, p.sequence))
            self._years[LEGACY, year] = legacy
            self._years[COLLECTION_1, year] = self._collection_1(legacy, year)
        return self._years[key]

    def _legacy(self, year: int) -> list[SentinelProduct]:
        rng = generator(self.landscape.seed, self.site.name, "catalogue", year)
        flights = sorted(passes(self.site.longitude, self.site.latitude, date(year, 1, 1), date(year, 12, 31)))
        flights = [f for f in flights if rng.random() >= _LOST]
        quirks = self._assign(rng, flights)
        products = []
        for number, flight in enumerate(flights):
            for tile in self.tiles if flight.orbit == relative_orbits(self.site.longitude)[0] else self.tiles[:1]:
                kind = quirks.get(number, "") if tile is self.tiles[0] else ""
                products += _quirky(self._plain(flight, tile, rng), kind, rng)
        return products

    def _assign(self, rng: np.random.Generator, flights: Sequence[Pass]) -> dict[int, str]:
        """Which pass of a year gets which defect: number of the pass -> kind."""
        order = [int(i) for i in rng.permutation(len(flights))]
        covers = {i: self.landscape.weather.sky(flights[i].day).cover for i in order}
        clear = [i for i in order if covers[i] < _CLEAR]
        other = [i for i in order if covers[i] >= _CLEAR]
        chosen: dict[int, str] = {}
        for kind, of_clear, of_other in _WANTED:
            for pool, count in ((clear, of_clear), (other, of_other)):
                fit = [i for i in pool if i not in chosen and self._possible(kind, flights[i])]
                chosen |= dict.fromkeys(fit[:count], kind)
        return chosen

    def _possible(self, kind: str, flight: Pass) -> bool:
        """Whether a defect could show on that day."""
        if kind in ("lying_flag", "offset_in_pixels"):
            return baseline_at(flight.day) >= OFFSET_SINCE
        if kind == "dark_clip":
            weather = self.landscape.weather
            bare = not weather.snow_water(flight.day, np.zeros(1, np.float32)).any()
            return bare and weather.sky(flight.day).haze == 0
        return True

    def _plain(self, flight: Pass, tile: Tile, rng: np.random.Generator) -> SentinelProduct:
        baseline = baseline_at(flight.day)
        sensing = flight.time.replace(microsecond=1000 * int(rng.integers(1000)))
        generated = (sensing + timedelta(hours=float(rng.uniform(2.5, 6)))).replace(microsecond=0)
        if baseline == "00.01":
            generated += timedelta(days=int(rng.integers(500, 900)))
        created = max(
            generated + timedelta(hours=float(rng.uniform(1, 5))),
            _BULK_LOAD + timedelta(minutes=float(rng.uniform(0, 9000))),
        )
        offset = baseline >= OFFSET_SINCE
        return SentinelProduct(
            site=self.site.name,
            collection=LEGACY,
            flight=flight,
            tile=tile,
            sensing=sensing,
            datatake=(sensing - timedelta(seconds=float(rng.uniform(190, 420)))).replace(microsecond=0),
            sequence=0,
            baseline=baseline,
            generated=generated,
            created=created,
            boa_flag=offset,
            shifted=offset,
        )

    def _collection_1(self, legacy: Sequence[SentinelProduct], year: int) -> list[SentinelProduct]:
        """What collection 1 holds: the latest processing of each, offset left in, and large gaps before 2023."""
        rng = generator(self.landscape.seed, self.site.name, "collection-1", year)
        latest = {(p.sensing, p.tile.name): p for p in legacy}
        kept = []
        for product in latest.values():
            sparse = product.sensing.date() < date(2019, 12, 1) or year == 2022
            if sparse and rng.random() > 0.04:
                continue
            old = product.baseline < OFFSET_SINCE
            kept.append(
                replace(
                    product,
                    collection=COLLECTION_1,
                    sequence=0,
                    baseline="05.00" if old else product.baseline,
                    boa_flag=None,
                    shifted=False,
                    quirk=product.quirk if product.quirk in _OF_THE_SENSOR else "",
                )
            )
        return kept


_OF_THE_SENSOR: Final = frozenset({"split_granule", "partial_granule", "empty_chip", "dark_clip"})


def _quirky(product: SentinelProduct, kind: str, rng: np.random.Generator) -> list[SentinelProduct]:
    """The product or products that the archive holds instead of a plain one."""
    plain = replace(product, quirk=kind)
    slope = float(rng.uniform(0.18, 0.28))
    side = 1.0 if rng.random() < 0.5 else -1.0
    match kind:
        case "lying_flag":
            return [replace(plain, boa_flag=False)]
        case "offset_in_pixels":
            return [replace(plain, boa_flag=False, shifted=False)]
        case "reprocessed":
            return [plain, _again(plain, rng)]
        case "split_granule":
            return _split(plain, float(rng.uniform(-900, 900)))
        case "partial_granule":
            edge = Edge(side, side * slope, float(rng.uniform(-600, 3500)))
            return [replace(plain, edges=(edge,), footprint=(edge,))]
        case "empty_chip":
            edge = Edge(side, side * slope, -2600.0)
            return [replace(plain, edges=(edge,), footprint=(replace(edge, c=1200.0),))]
        case _:
            return [plain]


def _again(product: SentinelProduct, rng: np.random.Generator) -> SentinelProduct:
    """The same acquisition processed again, later and with a later baseline where there is one."""
    later = "05.00" if product.baseline < OFFSET_SINCE else max(product.baseline, "05.10")
    if later == product.baseline == "05.10":
        later = "05.11"
    generated = product.generated + timedelta(days=int(rng.integers(30, 150)))
    created = max(product.created, generated) + timedelta(hours=float(rng.uniform(4, 30)))
    return replace(
        product, sequence=1, baseline=later, generated=generated, created=created, boa_flag=True, shifted=True
    )


def _split(product: SentinelProduct, at: float) -> list[SentinelProduct]:
    """Two granules of one pass whose data overlap by some 500 m across the line of flight."""
    north, south = Edge(-0.2, -1.0, -at + 250), Edge(0.2, 1.0, at + 250)
    second = product.sensing + timedelta(seconds=14, milliseconds=327)
    return [
        replace(product, edges=(north,), footprint=(north,)),
        replace(
            product,
            sensing=second,
            sequence=1,
            edges=(south,),
            footprint=(south,),
            generated=product.generated + timedelta(minutes=9),
            created=product.created + timedelta(minutes=9),
        ),
    ]


_DETAILS: Final = {
    "lying_flag": "earthsearch:boa_offset_applied is false, the pixels are shifted nevertheless",
    "offset_in_pixels": "earthsearch:boa_offset_applied is false and the pixels carry the offset of 1000",
    "reprocessed": "the day has sequences 0 and 1 of one sensing time; 1 is the later processing",
    "split_granule": "the day has sequences 0 and 1 of one pass, 14 s apart, each with half of the tile",
    "partial_granule": "the edge of the swath runs through the tile",
    "empty_chip": "the item's geometry holds the site, its pixels there are nodata",
    "dark_clip": "over-corrected scene: dark surfaces would be negative and are clipped to 1 (legacy)",
    "truncated_xml": "granule_metadata.xml ends in the middle of an element",
    "missing_nir08": "the item has no nir08 asset",
    "corrupt_cog": "bytes inside B03.tif are damaged",
    "baseline_before_0400": "no offset at all",
    "thin_haze": "haze that SCL does not see brightens the blue",
    "snow_confusion": "snow on the ground: SCL takes part of it for cloud",
}


def quirks(catalogue: Catalogue, season: int) -> list[Quirk]:
    """Every defect of a calendar year's products, oldest first."""
    found = []
    weather = catalogue.landscape.weather
    height = np.zeros(1, np.float32)
    for collection in (LEGACY, COLLECTION_1):
        for product in catalogue.products(collection, date(season, 1, 1), date(season, 12, 31)):
            sky = weather.sky(product.sensing.date())
            kinds = [product.quirk] if product.quirk else []
            if collection == LEGACY and product.baseline < OFFSET_SINCE:
                kinds.append("baseline_before_0400")
            if sky.cover < _CLEAR and sky.haze > 0.08:
                kinds.append("thin_haze")
            if sky.cover < _CLEAR and weather.snow_water(product.sensing.date(), height)[0] > 15:
                kinds.append("snow_confusion")
            found += [
                Quirk(kind, product.site, collection, product.id, product.sensing.date(), _DETAILS[kind])
                for kind in kinds
            ]
    return found
