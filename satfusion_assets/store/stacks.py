"""Images of a season that are held in less memory than they take, and are seen one by one as float32."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.store.layers import LayerType

Float32Array = NDArray[np.float32]


class ImageStack(ABC):
    """Images (n, b, H, W), NaN = missing, as an array has them: ``images[3]`` is one image; ``images[3:5]`` and
    ``images[..., :9, :9]`` are a stack of fewer or of smaller ones. All at once, as ``np.asarray`` makes them, they
    take the memory that a stack saves.
    """

    ndim = 4
    dtype = np.dtype(np.float32)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]: ...

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that are held."""

    @abstractmethod
    def image(self, number: int) -> Float32Array:
        """Image ``number`` (b, H, W), an array of its own."""

    @abstractmethod
    def part(self, key: slice | tuple[Any, ...]) -> ImageStack:
        """The stack of what ``key`` leaves of every axis; nothing is copied."""

    @overload
    def __getitem__(self, key: int) -> Float32Array: ...
    @overload
    def __getitem__(self, key: slice | tuple[Any, ...]) -> ImageStack: ...
    def __getitem__(self, key: int | slice | tuple[Any, ...]) -> Float32Array | ImageStack:
        return self.part(key) if isinstance(key, slice | tuple) else self.image(key)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Float32Array]:
        return map(self.image, range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.empty(self.shape, dtype or self.dtype)
        for number, image in enumerate(self):
            whole[number] = image
        return whole


Images: TypeAlias = NDArray[np.float32] | ImageStack


@dataclass(frozen=True)
class SteppedImages(ImageStack):
    """Images that are held as the integers that ``layer`` stores."""

    stored: NDArray[Any]
    layer: LayerType

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def nbytes(self) -> int:
        return self.stored.nbytes

    def image(self, number: int) -> Float32Array:
        return self.layer.decode(self.stored[number])

    def part(self, key: slice | tuple[Any, ...]) -> SteppedImages:
        return SteppedImages(self.stored[key], self.layer)


@dataclass(frozen=True)
class SpreadImages(ImageStack):
    """Coarse images (n, b, h, w) seen on a fine grid, by nearest neighbour: coarse row and column of each fine one."""

    coarse: Float32Array
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return *self.coarse.shape[:2], len(self.rows), len(self.columns)

    @property
    def nbytes(self) -> int:
        return self.coarse.nbytes

    def image(self, number: int) -> Float32Array:
        return self.coarse[number].take(self.columns, axis=-1).take(self.rows, axis=-2)

    def part(self, key: slice | tuple[Any, ...]) -> SpreadImages:
        """Only images, or (..., rows, columns), are cut out; IndexError for other keys."""
        if isinstance(key, slice):
            return SpreadImages(self.coarse[key], self.rows, self.columns)
        if len(key) != 3 or key[0] is not Ellipsis or not all(isinstance(along, slice) for along in key[1:]):
            raise IndexError(f"{key} is neither a slice of images nor (..., rows, columns)")
        return SpreadImages(self.coarse, self.rows[key[1]], self.columns[key[2]])


def known_share(images: Images) -> float:
    """Share of the pixels that are not missing; 0 of no pixels."""
    known = sum(int(np.count_nonzero(np.isfinite(image))) for image in images)
    return known / max(1, int(np.prod(images.shape)))
