"""Quality layers for the browser, which lie in packs: a day's image as a frame, and all days as one GeoTIFF."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from odc.geo.geobox import GeoBox
from rasterio import Affine

from satfusion_assets.store.layers import layer_type
from satfusion_assets.store.pack_reader import LayerNames, PackPlace, pack_layers, pack_place, read_layers
from satfusion_assets.store.rasters import encode_raster
from satfusion_assets.viewer.rasters import MAX_SIDE, MAX_VALUES, Frame
from satfusion_assets.vocabulary.errors import InvalidInput

LAYER_FILE: Final = "zarr.json"
"""What stands for a layer in an address: ``{pack}.zarr/{layer}/zarr.json``."""
_ADDRESS: Final = re.compile(r"(?P<pack>.+\.zarr)/(?P<layer>\w+)/zarr\.json")


def layer_address(address: str) -> tuple[str, str] | None:
    """Pack and layer of an address, None where it is no layer's."""
    match = _ADDRESS.fullmatch(address)
    return (match["pack"], match["layer"]) if match else None


def layers_of(pack: Path, name: str) -> dict[str, LayerNames]:
    """Days and bands of the layers of ``pack``; ProductCorrupt by ``name``."""
    return _said(pack, name, (pack / LAYER_FILE).stat().st_mtime_ns)[0]


def place_of(pack: Path, name: str) -> PackPlace:
    """Where ``pack`` lies, and what it says of itself; ProductCorrupt by ``name``."""
    return _said(pack, name, (pack / LAYER_FILE).stat().st_mtime_ns)[1]


@lru_cache(maxsize=256)
def _said(pack: Path, name: str, written: int) -> tuple[dict[str, LayerNames], PackPlace]:
    """What a pack says of its layers and place; ``written`` is another time for another pack in its place."""
    return pack_layers(pack, name), pack_place(pack, name)


def band_numbers(found: LayerNames) -> dict[str, list[int]]:
    """Number of each day's image, from 1, by band: days one after another, of each its bands. "" = no bands."""
    bands = found.bands or ("",)
    return {band: [1 + place + day * len(bands) for day in range(len(found.days))] for place, band in enumerate(bands)}


def read_layer_frame(pack: Path, name: str, layer: str, bands: Sequence[int] | None = None) -> Frame:
    """Images ``bands`` (from 1, as ``band_numbers`` has them; all when None) of a layer, by ``name`` in errors."""
    found = layers_of(pack, name).get(layer)
    if found is None:
        raise InvalidInput(f"{name} has no layer {layer}.")
    said, count = place_of(pack, name), max(1, len(found.bands))
    last = len(found.days) * count
    wanted = [*(bands or range(1, last + 1))]
    if max(wanted, default=0) > last:
        raise InvalidInput(f"{name} has {last} bands; band {max(wanted)} was asked for.")
    step = max(1, -(-max(said.shape) // MAX_SIDE))
    height, width = (-(-size // step) for size in said.shape)
    if math.prod((len(wanted), height, width)) > MAX_VALUES:
        raise InvalidInput(
            f"{len(wanted)} bands of {name} are more than one answer carries; ask for fewer, like ?bands=1."
        )
    days = sorted({(number - 1) // count for number in wanted})
    (images,) = read_layers(pack, name, only=(layer,), days=[found.days[day] for day in days])
    places = [days.index((number - 1) // count) * count + (number - 1) % count for number in wanted]
    values = images.values.reshape(-1, *said.shape)[places, ::step, ::step]
    stored_as, words = layer_type(layer), _words(found)
    a, b, c, d, e, f = said.transform
    header: dict[str, Any] = {
        "width": width,
        "height": height,
        "bands": [words[number - 1] for number in wanted],
        "dtype": values.dtype.name,
        "scale": stored_as.step,
        "offset": stored_as.offset,
        "nodata": stored_as.missing,
        "transform": [a * step, b, c, d, e * step, f],
        "epsg": said.epsg,
        "thinned": step,
        "tags": said.tags,
    }
    return Frame(values, header)


def layer_geotiff(pack: Path, name: str, layer: str) -> bytes:
    """All days of a layer as one GeoTIFF, a band a day, or a day's band, with its name."""
    found, said = layers_of(pack, name).get(layer), place_of(pack, name)
    if found is None:
        raise InvalidInput(f"{name} has no layer {layer}.")
    (images,) = read_layers(pack, name, only=(layer,))
    stored_as = layer_type(layer)
    return encode_raster(
        images.values.reshape(-1, *said.shape),
        GeoBox(said.shape, Affine(*said.transform), f"EPSG:{said.epsg}"),
        nodata=stored_as.missing,
        scale=stored_as.step,
        descriptions=_words(found),
        tags=said.tags,
    )


def _words(found: LayerNames) -> list[str]:
    """What an image is called: its day, and its band where there are several."""
    return [f"{day} {band}".strip() for day in found.days for band in found.bands or ("",)]
