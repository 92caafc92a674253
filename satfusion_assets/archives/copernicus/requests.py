"""What is asked of the openEO back-end: two Sentinel-3 products, cut into quarters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from satfusion_assets.vocabulary.grid import COARSE_M, SiteGrid
from satfusion_assets.vocabulary.settings import S3Product

RIM: Final = 3
"""Coarse pixels asked for around the site: the back-end lays its own grid and has been a pixel off."""


Sides = tuple[float, float, float, float]


@dataclass(frozen=True)
class CubeProduct:
    """A Sentinel-3 collection of the back-end.

    bands: its names of Oa04 Oa06 Oa08 Oa17. flags: band of cloud flags, None = clouds are not flagged; cloudy: bits
    that make a pixel cloudy (cloud 1, ambiguous 2, margin 4). missing: stored value for no data besides _FillValue.
    quantity: what the numbers are, for metadata and scores.
    """

    product: S3Product
    collection: str
    bands: tuple[str, str, str, str]
    flags: str | None
    cloudy: int
    missing: float | None
    quantity: str


CUBE_PRODUCTS: Final = {
    S3Product.OLCI_L1B: CubeProduct(
        product=S3Product.OLCI_L1B,
        collection="SENTINEL3_OLCI_L1B",
        bands=("B04", "B06", "B08", "B17"),
        flags=None,
        cloudy=0,
        missing=0.0,
        quantity="top-of-atmosphere reflectance",
    ),
    S3Product.SYN_L2: CubeProduct(
        product=S3Product.SYN_L2,
        collection="SENTINEL3_SYN_L2_SYN",
        bands=(
            "Syn_Oa04_reflectance",
            "Syn_Oa06_reflectance",
            "Syn_Oa08_reflectance",
            "Syn_Oa17_reflectance",
        ),
        flags="CLOUD_flags",
        cloudy=0b111,
        missing=None,
        quantity="surface reflectance",
    ),
}


@dataclass(frozen=True)
class CubeRequest:
    """One batch job: a product over the site from ``start`` to ``end`` (both included).

    west, south, east, north: degrees, never across 180 degrees of longitude. epsg: grid of the answer, 300 m pixels.
    needed: smallest and largest x, smallest and largest y of the centres of the site's coarse pixels in there, metres.
    """

    product: CubeProduct
    start: date
    end: date
    west: float
    south: float
    east: float
    north: float
    epsg: int
    needed: tuple[float, float, float, float]

    @property
    def bands(self) -> list[str]:
        flags = [self.product.flags] if self.product.flags else []
        return [*self.product.bands, *flags]

    @property
    def process_graph(self) -> dict[str, Any]:
        """The openEO process graph; nearest neighbour, since flags cannot be averaged."""
        return {
            "load": {
                "process_id": "load_collection",
                "arguments": {
                    "id": self.product.collection,
                    "spatial_extent": {
                        "west": self.west,
                        "south": self.south,
                        "east": self.east,
                        "north": self.north,
                    },
                    "temporal_extent": [self.start.isoformat(), (self.end + timedelta(days=1)).isoformat()],
                    "bands": self.bands,
                },
            },
            "resample": {
                "process_id": "resample_spatial",
                "arguments": {
                    "data": {"from_node": "load"},
                    "resolution": COARSE_M,
                    "projection": self.epsg,
                    "method": "near",
                    "align": "upper-left",
                },
            },
            "save": {
                "process_id": "save_result",
                "arguments": {"data": {"from_node": "resample"}, "format": "NetCDF", "options": {}},
                "result": True,
            },
        }

    @property
    def fingerprint(self) -> str:
        """Equal for equal requests, in any run."""
        return hashlib.sha256(json.dumps(self.process_graph, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """Title of the job; by it a job is found again whose creation was not confirmed."""
        return f"satfusion {self.product.product} {self.start} {self.end} {self.fingerprint}"

    @property
    def key(self) -> str:
        """Name for files: product, first and last day, fingerprint."""
        return f"{self.product.product}_{self.start:%Y%m%d}_{self.end:%Y%m%d}_{self.fingerprint}"


def quarterly_requests(product: CubeProduct, grid: SiteGrid, start: date, end: date) -> list[CubeRequest]:
    """Requests that cover [start, end], one per calendar quarter: short jobs outlive no token and repeat cheaply.

    A site that 180 degrees of longitude cuts in two takes two requests a quarter.
    """
    return [
        CubeRequest(product, first, last, west, south, east, north, grid.epsg, needed)
        for first, last in _quarters(start, end)
        for (west, south, east, north), needed in _boxes(grid.coarse)
    ]


def _boxes(coarse: GeoBox) -> list[tuple[Sides, Sides]]:
    """The site with its rim in degrees, and what is needed of it: one box, or one on each side of 180 degrees.

    A box in degrees whose west is greater than its east belts the globe for some readers and is refused by others.
    The rim alone is not worth a second job: it ends at 180 degrees then.
    """
    x, y = (centres.ravel() for centres in np.meshgrid(coarse.coords["x"].values, coarse.coords["y"].values))
    longitude, _ = Transformer.from_crs(str(coarse.crs), 4326, always_xy=True).transform(x, y)
    reference = float(longitude[0])
    longitude = _unbroken(longitude, reference)
    rim = np.array(coarse.pad(RIM).extent.to_crs("EPSG:4326", resolution=COARSE_M).exterior.coords)
    around = _unbroken(rim[:, 0], reference)
    cuts = [cut for cut in (-180.0, 180.0) if longitude.min() < cut < longitude.max()]
    first = max(around.min(), -180.0) if not cuts and longitude.min() >= -180.0 else around.min()
    last = min(around.max(), 180.0) if not cuts and longitude.max() <= 180.0 else around.max()
    boxes = []
    for left, right in pairwise([first, *cuts, last]):
        within = (longitude >= left) & (longitude <= right)
        needed = (x[within].min(), x[within].max(), y[within].min(), y[within].max())
        turn = 360.0 * np.floor(((left + right) / 2 + 180.0) / 360.0)
        sides = (left - turn, rim[:, 1].min(), right - turn, rim[:, 1].max())
        west, south, east, north = (round(float(side), 6) for side in sides)
        boxes.append(((west, south, east, north), needed))
    return boxes


def _unbroken(longitudes: NDArray[np.float64], reference: float) -> NDArray[np.float64]:
    """Longitudes counted on beyond 180 degrees, so that those near ``reference`` lie near it."""
    turns = np.round((longitudes - reference) / 360.0)
    return longitudes - 360.0 * turns


def _quarters(start: date, end: date) -> Iterator[tuple[date, date]]:
    first = start
    while first <= end:
        month = 3 * ((first.month - 1) // 3) + 1
        following = date(first.year + month // 10, (month + 2) % 12 + 1, 1)
        last = min(following - timedelta(days=1), end)
        yield first, last
        first = last + timedelta(days=1)
