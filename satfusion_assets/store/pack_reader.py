"""Reading packs: every answer comes from one version, and what is damaged is an error instead of missing values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import numpy as np
import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.errors import ZarrUserWarning
from zarr.storage import LocalStore

from satfusion_assets.store.layers import layer_type
from satfusion_assets.store.leases import lease, version_of
from satfusion_assets.store.packs import AVAILABLE, PackLayer
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing

if TYPE_CHECKING:
    import xarray as xr

_EPOCH: Final = np.datetime64("1970-01-01", "D")
_METADATA: Final = "zarr.json"
warnings.filterwarnings("ignore", "Numcodecs codecs are not in the Zarr version 3 specification", ZarrUserWarning)


class PackStore(LocalStore):
    """The files of one version of a pack, kept on disk for as long as this object lives.

    Zarr takes a file that is not there for missing values. Packs with an edition hold every chunk, so here its absence
    is ProductCorrupt.
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
            raise ProductCorrupt(f"{self.name} lacks {key}; materialise it again.")
        return found


def open_pack(path: Path | str) -> xr.Dataset:
    """The pack at ``path`` as xarray opens it, in the version that is there now.

    The version stays on disk for as long as the dataset, or anything lazily made from it, is in use. Shards are left
    out of what it says of its files: with dask, xarray would refuse to write them back chunk by chunk.
    """
    import xarray as xr

    store = _open_store(Path(path), str(path))
    _group(store)
    dataset = xr.open_zarr(store)
    for variable in dataset.variables.values():
        variable.encoding.pop("shards", None)
    return dataset


def pack_days(path: Path) -> dict[str, int]:
    """Number of days of each layer of the pack at ``path``; ProductCorrupt when it cannot be opened."""
    root = _group(_open_store(path, path.name))
    if strange := [name for name in _layers(root) if AVAILABLE.format(name) not in root]:
        raise ProductCorrupt(f"{path.name} was written by another version ({strange[0]}); materialise it again.")
    return {name: int(_array(root, AVAILABLE.format(name)).sum()) for name in _layers(root)}


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
    with _reading(path, name) as root:
        window = _window(root, east, north, side)
        if window is None:
            return None
        return {key: _read_layer(root, key, window) for key in _layers(root) if not only or key in only}


@dataclass(frozen=True)
class LayerNames:
    """What a layer has images of: its days (t,) ISO, and names of its b bands, empty where it has none."""

    days: tuple[str, ...]
    bands: tuple[str, ...]


def pack_layers(path: Path, name: str) -> dict[str, LayerNames]:
    """Days and bands of each layer of the pack at ``path``, without its values; errors as ``read_pixel``."""
    with _reading(path, name) as root:
        return {key: _names(root, key, _has(root, key)) for key in _layers(root)}


@dataclass(frozen=True)
class PackPlace:
    """Where a pack lies, and what it says of itself. transform: affine coefficients a to f."""

    shape: tuple[int, int]
    transform: tuple[float, ...]
    epsg: int
    tags: dict[str, str]


def pack_place(path: Path, name: str) -> PackPlace:
    """Grid and words of the pack at ``path``; errors as ``read_pixel``."""
    with _reading(path, name) as root:
        crs = _variable(root, "spatial_ref").attrs
        c, a, b, f, d, e = (float(number) for number in str(crs["GeoTransform"]).split())
        shape = (len(_array(root, "y")), len(_array(root, "x")))
        tags = {key: value for key, value in root.attrs.items() if isinstance(value, str)}
        return PackPlace(shape, (a, b, c, d, e, f), int(crs["epsg"]), tags)


def read_layers(path: Path, name: str, only: Collection[str] = (), days: Collection[str] = ()) -> Iterator[PackLayer]:
    """Layers of the pack at ``path``, whole and as they are stored, one after another; errors as ``read_pixel``.

    only: names of the layers wanted, days: ISO days of which images are wanted; all when empty.
    """
    with _reading(path, name) as root:
        time = _EPOCH + _array(root, "time").astype("timedelta64[D]")
        chosen = np.isin(time, np.array(sorted(days), "datetime64[D]")) if days else np.ones(len(time), bool)
        for key in _layers(root):
            if not only or key in only:
                has = _has(root, key) & chosen
                variable = _variable(root, key)
                stored = variable[...] if has.all() else variable.oindex[np.flatnonzero(has)]
                yield PackLayer(key, time[has], np.asarray(stored), _names(root, key, has).bands)


@contextmanager
def _reading(path: Path, name: str) -> Iterator[zarr.Group]:
    root = _group(_open_store(path, name))
    try:
        yield root
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


def _group(store: PackStore) -> zarr.Group:
    """The pack as a group whose layers are all there."""
    try:
        root = zarr.open_group(store, mode="r", use_consolidated=False)  # every layer's own word is looked at
        list(root.arrays())
        store.whole = bool({"editions", "edition"} & {*root.attrs})
        listed: Any = root.attrs.get("layers", ())
        wanted = {path.name for path in store.root.iterdir() if path.is_dir()} | set(listed)
        gone = sorted(name for name in wanted if not (store.root / name / _METADATA).is_file())
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ProductCorrupt(f"{store.name} is not a readable pack ({error}); materialise it again.") from error
    if gone:
        raise ProductCorrupt(f"{store.name} lacks the metadata of {gone[0]}; materialise it again.")
    return root


def _layers(root: zarr.Group) -> list[str]:
    return sorted(str(name) for name in cast("list[Any]", root.attrs.get("layers", [])))


def _variable(root: zarr.Group, key: str) -> Any:
    return root[key]


def _window(root: zarr.Group, east: float, north: float, side: int) -> tuple[slice, slice] | None:
    column, row = _cell(_array(root, "x"), east), _cell(_array(root, "y"), north)
    if column is None or row is None:
        return None
    reach = side // 2
    return slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)


def _cell(centres: np.ndarray, coordinate: float) -> int | None:
    """Index of the pixel that holds ``coordinate``, on an evenly spaced axis of pixel centres."""
    step = centres[1] - centres[0]
    index = int(np.floor((coordinate - centres[0]) / step + 0.5))
    return index if 0 <= index < len(centres) else None


def _has(root: zarr.Group, key: str) -> np.ndarray:
    """Whether the layer has an image, day by day."""
    return _array(root, AVAILABLE.format(key))


def _names(root: zarr.Group, key: str, has: np.ndarray) -> LayerNames:
    days = _EPOCH + _array(root, "time")[has].astype("timedelta64[D]")
    banded = _variable(root, key).metadata.dimension_names[1] == "band"
    bands = tuple(str(name) for name in _array(root, "band")) if banded else ()
    return LayerNames(tuple(days.astype(str).tolist()), bands)


def _read_layer(root: zarr.Group, key: str, window: tuple[slice, slice]) -> PixelLayer:
    """The layer on the days that it has an image of."""
    variable, has = _variable(root, key), _has(root, key)
    names = _names(root, key, has)
    stored = np.asarray(variable[(..., *window)])[has]
    # Packs of before had other steps.
    said = {"step": variable.attrs["scale_factor"], "offset": variable.attrs["add_offset"]}
    values = replace(layer_type(key), **said).decode(stored if names.bands else stored[:, np.newaxis])
    return PixelLayer([*names.days], values, names.bands or (key,))


def _array(root: zarr.Group, key: str) -> np.ndarray:
    return np.asarray(_variable(root, key)[...])
