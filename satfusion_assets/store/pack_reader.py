"""Reading packs: every answer comes from one version, and what is damaged is an error instead of missing values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
import zarr
from zarr.abc.store import ByteRequest, RangeByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.errors import ZarrUserWarning
from zarr.storage import LocalStore

from satfusion_assets.store.layers import layer_type
from satfusion_assets.store.leases import lease, version_of
from satfusion_assets.store.packs import AVAILABLE, HeldLayer, StoredLayer
from satfusion_assets.store.shard_reader import shard_of
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

_EPOCH: Final = np.datetime64("1970-01-01", "D")
_METADATA: Final = "zarr.json"
_AT_ONCE: Final = 2
"""Layers that are read side by side: decoding leaves the interpreter to others, but most questions are small."""
warnings.filterwarnings("ignore", "Numcodecs codecs are not in the Zarr version 3 specification", ZarrUserWarning)


class PackStore(LocalStore):
    """The files of one version of a pack, kept on disk for as long as this object lives.

    Zarr takes a file that is not there for missing values, and so it does a chunk beyond the end of a shard that was
    cut off. Packs with an edition hold every chunk, so here its absence is ProductCorrupt, and so is a short file.
    """

    def __init__(self, root: Path, name: str, lease: IO[str] | None) -> None:
        super().__init__(root, read_only=True)
        self.name, self.whole = name, False
        self._lease = lease

    def __reduce__(self) -> tuple[Callable[..., PackStore], tuple[Path, str, bool]]:
        return _open_store, (self.root, self.name, self.whole)

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        found = await super().get(key, prototype, byte_range)
        if found is None and self.whole and "c" in key.split("/"):
            raise self.lacks(key)
        asked = byte_range.end - byte_range.start if isinstance(byte_range, RangeByteRequest) else 0
        if found is not None and len(found) < asked:
            raise self.cut_off(key)
        return found

    def lacks(self, key: str) -> ProductCorrupt:
        return ProductCorrupt(f"{self.name} lacks {key}; materialise it again.")

    def cut_off(self, key: str) -> ProductCorrupt:
        return ProductCorrupt(f"{self.name} has a {key} that is cut off; materialise it again.")


def open_pack(path: Path | str) -> xr.Dataset:
    """The pack at ``path`` as xarray opens it, in the version that is there now.

    The version stays on disk for as long as the dataset, or anything lazily made from it, is in use. Shards are left
    out of what it says of its files: with dask, xarray would refuse to write them back chunk by chunk. So are the
    editions, which are those of this pack's files alone: NetCDF has no attribute of such a kind.
    """
    import xarray as xr

    store = _open_store(Path(path), str(path))
    _opened(store)
    dataset = xr.open_zarr(store)
    dataset.attrs.pop("editions", None)
    for variable in dataset.variables.values():
        variable.encoding.pop("shards", None)
        if isinstance(variable.encoding.get("dtype"), np.dtypes.StringDType):  # NetCDF has none
            del variable.encoding["dtype"]
    return dataset


def pack_days(path: Path) -> dict[str, int]:
    """Number of days of each layer of the pack at ``path``; ProductCorrupt when it cannot be opened."""
    pack = _opened(_open_store(path, path.name))
    if strange := [name for name in pack.layers if AVAILABLE.format(name) not in pack.arrays]:
        raise ProductCorrupt(f"{path.name} was written by another version ({strange[0]}); materialise it again.")
    return {name: int(pack.beside[AVAILABLE.format(name)].sum()) for name in pack.layers}


@dataclass(frozen=True)
class PixelLayer:
    """One layer of a pack around a place: days (t,) ISO; values (t, b, h, w), NaN = missing; names of the b bands."""

    days: list[str]
    values: np.ndarray
    bands: tuple[str, ...]


def read_pixel(
    path: Path, name: str, east: float, north: float, side: int = 1, only: Collection[str] = ()
) -> dict[str, PixelLayer] | None:
    """Layers of the pack at ``path`` in the ``side`` x ``side`` pixels around a point; None = outside.

    only: names of the layers wanted, all when empty. Raises ProductCorrupt, which names the pack by ``name``.
    """
    with _reading(path, name) as pack:
        window = _window(pack, east, north, side)
        return None if window is None else _read_layers(pack, window, only)


@dataclass(frozen=True)
class PackBox:
    """Layers of a pack in a rectangle; x (w,) and y (h,): the centres of its pixels, metres."""

    layers: dict[str, PixelLayer]
    x: np.ndarray
    y: np.ndarray


def read_box(path: Path, name: str, box: tuple[float, float, float, float], only: Collection[str]) -> PackBox | None:
    """Layers ``only`` of the pack at ``path`` where pixels have their centre in ``box`` (west, south, east, north);
    None where none has. Raises ProductCorrupt, which names the pack by ``name``."""
    west, south, east, north = box
    with _reading(path, name) as pack:
        x, y = pack.beside["x"], pack.beside["y"]
        columns, rows = np.flatnonzero((x >= west) & (x <= east)), np.flatnonzero((y >= south) & (y <= north))
        if not columns.size or not rows.size:
            return None
        window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return PackBox(_read_layers(pack, window, only), x[window[1]], y[window[0]])


@dataclass(frozen=True)
class LayerNames:
    """What a layer has images of: its days (t,) ISO, and names of its b bands, empty where it has none."""

    days: tuple[str, ...]
    bands: tuple[str, ...]


def pack_layers(path: Path, name: str) -> dict[str, LayerNames]:
    """Days and bands of each layer of the pack at ``path``, without its values; errors as ``read_pixel``."""
    with _reading(path, name) as pack:
        return {key: _names(pack, key, pack.beside[AVAILABLE.format(key)]) for key in pack.layers}


@dataclass(frozen=True)
class PackPlace:
    """Where a pack lies, and what it says of itself. transform: affine coefficients a to f."""

    shape: tuple[int, int]
    transform: tuple[float, ...]
    epsg: int
    tags: dict[str, str]


def pack_place(path: Path, name: str) -> PackPlace:
    """Grid and words of the pack at ``path``; errors as ``read_pixel``."""
    with _reading(path, name) as pack:
        crs = pack.arrays["spatial_ref"].attrs
        c, a, b, f, d, e = (float(number) for number in str(crs["GeoTransform"]).split())
        shape = (pack.arrays["y"].shape[0], pack.arrays["x"].shape[0])
        return PackPlace(shape, (a, b, c, d, e, f), int(crs["epsg"]), pack.words)


def held_layers(path: Path, name: str) -> Iterator[HeldLayer]:
    """The layers of the pack at ``path``, for a pack that may take them as they are; errors as ``read_pixel``."""
    for key, said in pack_layers(path, name).items():
        days = np.array(said.days, "datetime64[D]")
        yield HeldLayer(key, days, said.bands, path, partial(_layer_whole, path, name, key))


def _layer_whole(path: Path, name: str, key: str) -> StoredLayer:
    return next(read_layers(path, name, only=[key]))


def read_layers(path: Path, name: str, only: Collection[str] = (), days: Collection[str] = ()) -> Iterator[StoredLayer]:
    """Layers of the pack at ``path``, whole and as they are stored, one after another; errors as ``read_pixel``.

    only: names of the layers wanted, days: ISO days of which images are wanted; all when empty.
    """
    with _reading(path, name) as pack:
        time = _EPOCH + pack.beside["time"].astype("timedelta64[D]")
        chosen = np.isin(time, np.array(sorted(days), "datetime64[D]")) if days else np.ones(len(time), bool)
        for key in pack.layers:
            if not only or key in only:
                has = pack.beside[AVAILABLE.format(key)] & chosen
                yield StoredLayer(key, time[has], _images(pack, key, has), _names(pack, key, has).bands)


def _images(pack: _Pack, key: str, wanted: NDArray[np.bool_]) -> NDArray[Any]:
    """Those of the images (t, ...) of layer ``key`` that are ``wanted`` (t,), read chunk by chunk of days: picking days
    out of a season at once takes several times the memory of all of them.
    """
    variable = pack.arrays[key]
    images = np.empty((int(wanted.sum()), *variable.shape[1:]), variable.dtype)
    everywhere, first = [slice(None)] * (len(variable.shape) - 1), 0
    for at in range(0, len(wanted), variable.chunks[0]):
        chosen = wanted[at : at + variable.chunks[0]]
        last = first + int(chosen.sum())
        if last > first:
            images[first:last] = pack.read(key, (slice(at, at + len(chosen)), *everywhere))[chosen]
        first = last
    return images


@contextmanager
def _reading(path: Path, name: str) -> Iterator[_Pack]:
    pack = _opened(_open_store(path, name))
    try:
        yield pack
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise ProductCorrupt(f"{name} is not a readable pack ({error}); materialise it again.") from error


def _open_store(path: Path, name: str, whole: bool = False) -> PackStore:
    """The version that ``path`` leads to now, leased; a pack outside a product store is taken as it is."""
    gone = None
    while True:
        try:
            real = (path / _METADATA).resolve().parent  # stores of before had a link for each file of a pack
        except (OSError, RuntimeError) as error:  # a link to itself is what discarded versions leave
            raise ProductMissing(f"{name} was replaced or is not there; open it again.") from error
        version = version_of(real)
        try:
            store = PackStore(real, name, None if version is None else lease(version))
        except FileNotFoundError as error:
            if version == gone:
                raise ProductMissing(f"{name} was replaced or is not there; open it again.") from error
            gone = version
            continue
        store.whole = whole
        return store


class _Pack:
    """An open pack. Its arrays are looked up once, and what its layers share is read once: zarr reads metadata at each
    look-up."""

    def __init__(self, store: PackStore, root: zarr.Group) -> None:
        self.store = store
        self.arrays: dict[str, Any] = dict(root.arrays())
        listed: Any = root.attrs.get("layers", ())
        self.layers = sorted(str(name) for name in listed)
        self.words = {key: value for key, value in root.attrs.items() if isinstance(value, str)}

    @cached_property
    def beside(self) -> dict[str, np.ndarray]:
        """Everything but the layers: axes, and the days that each layer has an image of."""
        names = [name for name, array in self.arrays.items() if name not in self.layers and array.shape]
        return {name: self.read(name, (slice(None),)) for name in names}

    def read(self, name: str, window: tuple[slice, ...]) -> np.ndarray:
        """The values of an array in a window of all its axes."""
        array, store = self.arrays[name], self.store
        shard = shard_of(store.root / name, array)
        if shard is None:
            return np.asarray(array[window])
        key = shard.path.relative_to(store.root).as_posix()
        try:
            return shard.read(window)
        except FileNotFoundError as error:
            if store.whole:
                raise store.lacks(key) from error
            return np.full(array.shape, array.fill_value, array.dtype)[window]
        except EOFError as error:
            raise store.cut_off(key) from error


def _read_layers(pack: _Pack, window: tuple[slice, slice], only: Collection[str]) -> dict[str, PixelLayer]:
    wanted = [key for key in pack.layers if not only or key in only]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pack") as pool:

        def read(key: str) -> np.ndarray:
            return pack.read(key, (*[slice(None)] * (len(pack.arrays[key].shape) - 2), *window))

        return {key: _layer(pack, key, values) for key, values in zip(wanted, pool.map(read, wanted), strict=True)}


def _opened(store: PackStore) -> _Pack:
    """The pack with layers that are all there."""
    try:
        root = zarr.open_group(store, mode="r", use_consolidated=False)  # every layer's own word is looked at
        pack = _Pack(store, root)
        store.whole = bool({"editions", "edition"} & {*root.attrs})
        wanted = {path.name for path in store.root.iterdir() if path.is_dir()} | set(pack.layers)
        gone = sorted(name for name in wanted if not (store.root / name / _METADATA).is_file())
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ProductCorrupt(f"{store.name} is not a readable pack ({error}); materialise it again.") from error
    if gone:
        raise ProductCorrupt(f"{store.name} lacks the metadata of {gone[0]}; materialise it again.")
    return pack


def _window(pack: _Pack, east: float, north: float, side: int) -> tuple[slice, slice] | None:
    column, row = _cell(pack.beside["x"], east), _cell(pack.beside["y"], north)
    if column is None or row is None:
        return None
    reach = side // 2
    return slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)


def _cell(centres: np.ndarray, coordinate: float) -> int | None:
    """Index of the pixel that holds ``coordinate``, on an evenly spaced axis of pixel centres."""
    step = centres[1] - centres[0]
    index = int(np.floor((coordinate - centres[0]) / step + 0.5))
    return index if 0 <= index < len(centres) else None


def _layer(pack: _Pack, key: str, stored: np.ndarray) -> PixelLayer:
    """What is ``stored`` of a layer at a place, on the days that it has an image of."""
    has, said = pack.beside[AVAILABLE.format(key)], pack.arrays[key].attrs
    names = _names(pack, key, has)
    # Packs of before had other steps.
    stored_as = replace(layer_type(key), step=said["scale_factor"], offset=said["add_offset"])
    values = stored_as.decode(stored[has] if names.bands else stored[has][:, np.newaxis])
    return PixelLayer([*names.days], values, names.bands or (key,))


def _names(pack: _Pack, key: str, has: np.ndarray) -> LayerNames:
    days = (_EPOCH + pack.beside["time"][has].astype("timedelta64[D]")).astype(str).tolist()
    banded = pack.arrays[key].metadata.dimension_names[1] == "band"
    return LayerNames(tuple(days), tuple(str(name) for name in pack.beside["band"]) if banded else ())
