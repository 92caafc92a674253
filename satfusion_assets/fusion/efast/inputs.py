"""What a fusion needs, checked once: image stacks, their days and the parameters of the equation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Parameters:
    """The constants of Senty et al. 2024, eq. 2 and sections 2.3-2.5.

    ratio: fine pixels per side of a coarse pixel. sigma: standard deviation of the temporal weight, days.
    max_days: half width of the fine window, days; the coarse window is half as wide again.
    cloud_distance_limit: D, coarse pixels from a cloud beyond which a scene has full weight.
    minimum_acquisition_importance: a scene below this multiple of the mean weight is left out; 0 keeps all.
    """

    ratio: int
    sigma: float = 20.0
    max_days: float = 30
    cloud_distance_limit: float = 15.0
    minimum_acquisition_importance: float = 0.0

    def __post_init__(self) -> None:
        if self.ratio != int(self.ratio) or self.ratio < 1:
            raise ValueError(f"ratio must be a whole number of at least 1, not {self.ratio}.")
        for name in ("sigma", "max_days", "cloud_distance_limit"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive, not {value}.")
        importance = self.minimum_acquisition_importance
        if not (np.isfinite(importance) and importance >= 0):
            raise ValueError(f"minimum_acquisition_importance must not be negative, not {importance}.")

    @property
    def coarse_reach(self) -> float:
        """Half width of the coarse window, days (exclusive)."""
        return 1.5 * self.max_days


@dataclass(frozen=True)
class Images:
    """Both sensors' images of one area, fine images sorted by day.

    coarse: (t, b, h, w); coarse_days: (t,) days since 1970, ascending. fine: (n, b, H, W) in the order they were
    given; fine_days and order: (n,) sorted days and the position of each in ``fine``. cloud_distance: (n, h, w),
    like ``fine``. NaN = missing.
    """

    coarse: NDArray[np.floating[Any]]
    coarse_days: NDArray[np.int64]
    fine: NDArray[np.floating[Any]]
    fine_days: NDArray[np.int64]
    order: NDArray[np.intp]
    cloud_distance: NDArray[np.floating[Any]]

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64: the type of the images and of everything fused from them."""
        return self.fine.dtype

    @property
    def bands(self) -> int:
        return int(self.fine.shape[1])


def day_numbers(days: ArrayLike, name: str) -> NDArray[np.int64]:
    """``days`` (datetime64 or dates) as whole days since 1970; ValueError names the argument."""
    try:
        array = np.asarray(days, dtype="datetime64[D]")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be days (datetime64[D]): {error}.") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {array.ndim}.")
    if np.isnat(array).any():
        raise ValueError(f"{name} holds a missing day (NaT).")
    return array.astype(np.int64)


def check_images(
    coarse: ArrayLike,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    ratio: int,
) -> Images:
    """The arguments of ``fuse`` as ``Images``; ValueError names the argument that does not fit."""
    c, f, d = (
        _stack(array, name, ndim)
        for array, name, ndim in ((coarse, "coarse", 4), (fine, "fine", 4), (cloud_distance, "cloud_distance", 3))
    )
    dtype = np.result_type(c.dtype, f.dtype)
    c_days, f_days = day_numbers(coarse_days, "coarse_days"), day_numbers(fine_days, "fine_days")
    if len(c_days) != len(c):
        raise ValueError(f"coarse_days has {len(c_days)} days for {len(c)} images in coarse.")
    if (np.diff(c_days) <= 0).any():
        raise ValueError("coarse_days must ascend without repetition; average the images of one day.")
    if len(f_days) != len(f):
        raise ValueError(f"fine_days has {len(f_days)} days for {len(f)} images in fine.")
    if c.shape[1] != f.shape[1]:
        raise ValueError(f"fine has {f.shape[1]} bands, coarse has {c.shape[1]}; they must be the same.")
    height, width = c.shape[2:]
    if f.shape[2:] != (height * ratio, width * ratio):
        raise ValueError(
            f"fine has {f.shape[2]} x {f.shape[3]} pixels; coarse ({height} x {width}) and ratio {ratio} "
            f"ask for {height * ratio} x {width * ratio}."
        )
    if d.shape != (len(f), height, width):
        raise ValueError(f"cloud_distance has shape {d.shape}; fine and coarse ask for {(len(f), height, width)}.")
    order = np.argsort(f_days, kind="stable")
    return Images(c.astype(dtype, copy=False), c_days, f.astype(dtype, copy=False), f_days[order], order, d)


def _stack(array: ArrayLike, name: str, ndim: int) -> NDArray[np.floating[Any]]:
    stack = np.asarray(array)
    if stack.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, not {stack.ndim}.")
    if stack.dtype not in (np.float32, np.float64):
        raise ValueError(f"{name} must be float32 or float64 with NaN for missing, not {stack.dtype}.")
    return stack
