"""The one grid of a site, on which both sensors and every product lie.

UTM zone of the site (northern or southern), aligned to the Sentinel-2 pixel grid: fine pixels of 10 m, coarse
pixels of 300 m whose corners fall on fine corners, a square of ``extent_m`` around the camera's field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from satfusion_assets.vocabulary.sites import Site
from satfusion_assets.vocabulary.utm import utm_epsg

if TYPE_CHECKING:
    from odc.geo import CRS
    from odc.geo.geobox import GeoBox

FINE_M: Final = 10
"""Fine pixel, metres (Sentinel-2 visible bands)."""
RATIO: Final = 30
"""Fine pixels per coarse pixel side."""
COARSE_M: Final = FINE_M * RATIO
"""Coarse pixel, metres (OLCI full resolution)."""
SNAP_M: Final = 60
"""Corners are multiples of this, so 10, 20 and 60 m Sentinel-2 pixels all nest in the grid."""
CLOUD_DISTANCE_LIMIT: Final = 15
"""D of Senty et al. 2024: coarse pixels from a cloud beyond which a fine pixel has full weight."""
PASS_HOUR: Final = 10.0
"""Mean solar time at the descending node of Sentinel-3; Sentinel-2 follows half an hour later."""
SCL_M: Final = 20
"""Pixel of the scene classification layer, metres."""


@dataclass(frozen=True)
class SiteGrid:
    """Fine, coarse and cloud-mask GeoBoxes of one site, nested corner on corner.

    fine: 10 m, shape (H, W). coarse: 300 m, shape (H / 30, W / 30), same corner.
    scl: 20 m, the fine extent plus a margin of D coarse pixels on every side, so that clouds just outside the
    site count in the cloud distance.
    """

    fine: GeoBox
    coarse: GeoBox
    scl: GeoBox

    @property
    def crs(self) -> CRS:
        crs = self.fine.crs
        assert crs is not None, "a site grid is always georeferenced"
        return crs

    @property
    def epsg(self) -> int:
        epsg = self.crs.epsg
        assert epsg is not None, "UTM zones have EPSG codes"
        return epsg

    @property
    def longitude(self) -> float:
        """Degrees east of the middle of the site."""
        from pyproj import Transformer

        height, width = self.fine.shape
        east, north = self.fine.affine @ (width / 2, height / 2)
        return float(Transformer.from_crs(self.epsg, 4326, always_xy=True).transform(east, north)[0])

    def local_day(self, moment: datetime) -> date:
        """The day at the site, by mean solar time, of a moment in UTC.

        A camera's day is the local one, and both satellites pass in the middle of the local morning. East of about
        150 degrees that is around midnight UTC, where the UTC day would split one morning's passes and join two days'.
        Solar time needs no time zone and no political boundary; at the hour of the passes it gives the zone's day.
        """
        return (moment + timedelta(hours=self.longitude / 15)).date()

    def local_day_of_mosaic(self, utc_day: date) -> date:
        """The local day whose morning pass a mosaic of one UTC day holds: the next one east of 150 degrees.

        The mosaic has no time of its own. Within a few degrees of that line it may hold parts of two mornings.
        """
        hour = (PASS_HOUR - self.longitude / 15) % 24
        return self.local_day(datetime.combine(utc_day, time.min) + timedelta(hours=hour))


def site_grid(site: Site) -> SiteGrid:
    """The grid of ``site``."""
    return _grid(site.latitude, site.longitude, site.extent_m)


@lru_cache(maxsize=256)
def _grid(latitude: float, longitude: float, extent_m: int) -> SiteGrid:
    from odc.geo.geobox import GeoBox
    from pyproj import Transformer

    epsg = utm_epsg(latitude, longitude)
    east, north = Transformer.from_crs(4326, epsg, always_xy=True).transform(longitude, latitude)
    left = round((east - extent_m / 2) / SNAP_M) * SNAP_M
    bottom = round((north - extent_m / 2) / SNAP_M) * SNAP_M
    margin = CLOUD_DISTANCE_LIMIT * COARSE_M

    def square(pixel: int, grow: int) -> GeoBox:
        bounds = (left - grow, bottom - grow, left + extent_m + grow, bottom + extent_m + grow)
        return GeoBox.from_bbox(bounds, crs=f"EPSG:{epsg}", resolution=pixel, tight=True)

    return SiteGrid(fine=square(FINE_M, 0), coarse=square(COARSE_M, 0), scl=square(SCL_M, margin))
