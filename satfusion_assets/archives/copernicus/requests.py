"""What is asked of the openEO back-end: two Sentinel-3 products, cut into quarters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from satfusion_assets.grid import COARSE_M, SiteGrid
from satfusion_assets.settings import S3Product

RIM: Final = 3
"""Coarse pixels asked for around the site: the back-end lays its own grid and has been a pixel off."""


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

    west, south, east, north: degrees. epsg: grid of the answer, 300 m pixels.
    """

    product: CubeProduct
    start: date
    end: date
    west: float
    south: float
    east: float
    north: float
    epsg: int

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
    """Requests that cover [start, end], one per calendar quarter: short jobs outlive no token and repeat cheaply."""
    box = grid.coarse.pad(RIM).extent.to_crs("EPSG:4326", resolution=COARSE_M).boundingbox
    west, south, east, north = (round(float(value), 6) for value in (box.left, box.bottom, box.right, box.top))
    return [
        CubeRequest(product, first, last, west, south, east, north, grid.epsg) for first, last in _quarters(start, end)
    ]


def _quarters(start: date, end: date) -> Iterator[tuple[date, date]]:
    first = start
    while first <= end:
        month = 3 * ((first.month - 1) // 3) + 1
        following = date(first.year + month // 10, (month + 2) % 12 + 1, 1)
        last = min(following - timedelta(days=1), end)
        yield first, last
        first = last + timedelta(days=1)
