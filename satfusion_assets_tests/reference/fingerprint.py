"""What a product says in a few numbers: the same on every machine, another as soon as its values are.

Files are not hashed: libraries encode equal values in other bytes, and the last bits of a float differ between
processors. Values rounded to 1e-5 are counted and summed up with signs and weights that look random, so that no change
cancels; the few that lie on the edge of rounding move the sums by less than the tolerance.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from satfusion_assets.store import View
from satfusion_assets_tests.reference.season import noise

STEP: Final = 1e-5
OF_OTHERS: Final = frozenset({"processing:lineage", "processing:version", "file:checksum", "file:size"})
"""Keys of what the catalogue repeats of the products that it lists: theirs change, it does not."""
Digest = dict[str, Any]


def fingerprint(view: View) -> dict[str, Digest]:
    """By kind of file (days left out of its name), what is in it."""
    return {kind: digest(np.concatenate(values), texts) for kind, (values, texts) in sorted(_contents(view).items())}


def digest(values: NDArray[Any], texts: list[str] | None = None) -> Digest:
    """Count, finite count and two sums of ``values``; hash of ``texts``."""
    rounded = np.round(values.astype(np.float64).ravel() / STEP) * STEP
    finite = np.isfinite(rounded)
    known = np.where(finite, rounded, 0.0)
    weights = noise(11, known.size), noise(13, known.size) - 0.5
    said: Digest = {"values": int(known.size), "finite": int(finite.sum())}
    said["sums"] = [round(float(known @ weight), 6) for weight in weights]
    if texts:
        said["texts"] = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
    return said


def equal(first: Digest, second: Digest) -> bool:
    """Whether two digests are of the same values, as far as rounding goes."""
    exact = [key for key in ("values", "finite", "texts") if first.get(key) != second.get(key)]
    within = STEP * max(4.0, float(first["values"]) ** 0.5 / 4)
    return not exact and bool(np.allclose(first["sums"], second["sums"], rtol=1e-8, atol=within))


def _contents(view: View) -> dict[str, tuple[list[NDArray[np.float64]], list[str]]]:
    found: dict[str, tuple[list[NDArray[np.float64]], list[str]]] = {}
    for name in view.names():
        numbers, texts = _read(view, name)
        if numbers.size or texts:
            values, words = found.setdefault(re.sub(r"\d{8}(_0)?", "*", name), ([], []))
            values.append(numbers.ravel())
            words.extend(texts)
    for pack in sorted({name.partition(".zarr/")[0] + ".zarr" for name in view.names("*.zarr/*")}):
        root = view.path(next(name for name in view.names(f"{pack}/zarr.json"))).parent
        with xr.open_zarr(root, consolidated=False) as season:
            layers = [
                np.asarray(season[layer].values, np.float64).ravel()
                for layer in sorted(season.data_vars)
                if season[layer].ndim > 1
            ]
        found[pack] = (layers, [])
    return found


def _read(view: View, name: str) -> tuple[NDArray[np.float64], list[str]]:
    if name.endswith((".tif", ".geotiff")):
        return view.read_raster(name).physical().astype(np.float64), []
    if name.endswith(".json") and ".zarr/" not in name:
        leaves = list(_leaves(view.read_json(name), ""))
        numbers = [float(leaf) for _, leaf in leaves if isinstance(leaf, int | float)]
        return np.array(numbers), [f"{key}={leaf}" for key, leaf in leaves if not isinstance(leaf, int | float)]
    if name.endswith(".parquet"):
        frame = pd.read_parquet(view.path(name)).select_dtypes("number")
        return frame.to_numpy(np.float64), list(frame.columns)
    return np.array([]), []


def _leaves(content: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        for name in sorted(content.keys() - OF_OTHERS):
            yield from _leaves(content[name], f"{key}.{name}")
    elif isinstance(content, list):
        for item in content:
            yield from _leaves(item, key)
    else:
        yield key, content


def as_text(record: Any) -> str:
    return json.dumps(record, indent=1, sort_keys=True) + "\n"
