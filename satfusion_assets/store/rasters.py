"""Reading and writing georeferenced rasters: one profile for every product.

GeoTIFFs are tiled, deflate-compressed, carry the nodata value that the data really use and a description per
band, and are valid Cloud-Optimised GeoTIFFs. They are encoded in memory and written with one call, so that a full
disk is an ordinary error and equal pixels give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.vocabulary.errors import ProductCorrupt
from satfusion_assets.vocabulary.scenarios import S2_BANDS, S3_BANDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from odc.geo.geobox import GeoBox

    Array = NDArray[Any]
_BLOCK: Final = 256


@dataclass(frozen=True)
class Raster:
    """A raster in memory.

    values: (bands, H, W) as stored. nodata: the stored value that means missing. scale: physical value of a stored 1.
    """

    values: Array
    geobox: GeoBox
    nodata: float | None
    descriptions: tuple[str | None, ...]
    tags: dict[str, str]
    scale: float = 1.0

    def masked(self) -> NDArray[np.float32]:
        """Values as float32 with NaN where missing."""
        import numpy as np

        values = self.values.astype(np.float32)
        if self.nodata is not None and not np.isnan(self.nodata):
            values[self.values == self.nodata] = np.nan
        return values

    def physical(self) -> NDArray[np.float32]:
        """``masked`` in physical units."""
        import numpy as np

        return self.masked() * np.float32(self.scale)


def encode_raster(
    values: Array,
    geobox: GeoBox,
    *,
    nodata: float | None,
    descriptions: Sequence[str] = (),
    scale: float = 1.0,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """A GeoTIFF of ``values``, (bands, H, W) or (H, W), on ``geobox``.

    scale: stored value times scale is the physical value (written as the band's scale tag, pixels unchanged).
    """
    from rasterio.enums import ColorInterp
    from rasterio.io import MemoryFile

    bands = values[None] if values.ndim == 2 else values
    if bands.shape[1:] != tuple(geobox.shape):
        raise ValueError(f"values of shape {bands.shape} do not fit a grid of {tuple(geobox.shape)}")
    with MemoryFile() as memory:
        with memory.open(**_profile(bands, geobox, nodata)) as dataset:
            # Metadata first: the header then stays in front of the pixels, as a valid COG needs.
            if descriptions:
                dataset.descriptions = tuple(descriptions)
            if scale != 1.0:
                dataset.scales = (scale,) * len(bands)
            dataset.update_tags(**(tags or {}))
            if colours := colours_of(descriptions):
                dataset.colorinterp = tuple(ColorInterp[colour] for colour in colours)
            dataset.write(bands)
        return bytes(memory.read())


COLOURS: Final = {"blue": "blue", "green": "green", "red": "red", "nir": "undefined"}
"""How programs may show a band of that name; the order of bands stays the contract's, blue first."""
_SENSOR_BANDS: Final = dict(zip((*S2_BANDS, *S3_BANDS), (*COLOURS, *COLOURS), strict=True))


def colours_of(names: Sequence[str | None]) -> tuple[str, ...]:
    """The colour of each band by its name; empty unless all names are those of the four bands."""
    bands = [_SENSOR_BANDS.get(name or "", name or "") for name in names]
    return tuple(COLOURS[band] for band in bands) if bands and all(band in COLOURS for band in bands) else ()


def write_raster(path: Path, values: Array, geobox: GeoBox, **options: Any) -> None:
    """``encode_raster`` into a file; OSError when it cannot be written."""
    path.write_bytes(encode_raster(values, geobox, **options))


def read_raster(path: Path, bands: Sequence[str] | None = None) -> Raster:
    """The raster at ``path``; ProductCorrupt names the file when it cannot be read whole.

    bands: descriptions of those to read, in that order; None = all. KeyError where there is none of a name.
    """
    from odc.geo.geobox import GeoBox

    with _opened(path) as dataset:
        numbers = {text: number for number, text in enumerate(dataset.descriptions, 1)}
        return Raster(
            values=dataset.read() if bands is None else dataset.read([numbers[band] for band in bands]),
            geobox=GeoBox(dataset.shape, dataset.transform, dataset.crs),
            nodata=dataset.nodata,
            descriptions=tuple(dataset.descriptions if bands is None else bands),
            tags=dict(dataset.tags()),
            scale=dataset.scales[0],
        )


def read_geobox(path: Path) -> GeoBox:
    """Where the raster at ``path`` lies, without its pixels; ProductCorrupt names the file when it cannot be read."""
    from odc.geo.geobox import GeoBox

    with _opened(path) as dataset:
        return GeoBox(dataset.shape, dataset.transform, dataset.crs)


@contextmanager
def local_raster(path: Path) -> Iterator[Any]:
    """A raster of this machine, opened. Where the environment holds a bucket's keys, rasterio otherwise makes a session
    of them for each file, which takes ten times as long as the file."""
    import rasterio
    from rasterio.session import DummySession

    with rasterio.Env(session=DummySession()), rasterio.open(path) as dataset:
        yield dataset


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from rasterio.errors import RasterioError

    try:
        with local_raster(path) as dataset:
            yield dataset
    except RasterioError as error:
        raise ProductCorrupt(
            f"{path} is not a readable GeoTIFF; materialise the partition it belongs to again."
        ) from error


def _profile(values: Array, geobox: GeoBox, nodata: float | None) -> dict[str, Any]:
    import numpy as np

    floating = np.issubdtype(values.dtype, np.floating)
    profile: dict[str, Any] = {
        "count": len(values),
        "height": geobox.shape[0],
        "width": geobox.shape[1],
        "dtype": values.dtype,
        "crs": str(geobox.crs),
        "transform": geobox.affine,
        "nodata": nodata,
        "compress": "deflate",
        "predictor": 3 if floating else 2,
    }
    if max(geobox.shape) <= 2 * _BLOCK:
        rows, columns = (min(_BLOCK, -(-size // 16) * 16) for size in geobox.shape)  # TIFF tiles are multiples of 16
        # Planes apart: a reader of one day or band then decodes nothing else.
        tiles = {"tiled": True, "blockxsize": columns, "blockysize": rows, "interleave": "band", "zlevel": 1}
        return profile | {"driver": "GTiff"} | tiles
    return profile | {"driver": "COG", "blocksize": _BLOCK, "overview_resampling": "nearest"}
