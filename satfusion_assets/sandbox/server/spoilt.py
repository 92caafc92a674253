"""What finished batch jobs have been seen to hold instead of what was asked for, and the forms that results have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

    from satfusion_assets.sandbox.server.cube import ServedRaster


class Form(StrEnum):
    """Forms of a NetCDF: the one on HDF5, and the three classic ones (CDF-1, CDF-2, CDF-5)."""

    NETCDF4 = "netcdf4"
    CLASSIC = "classic"
    OFFSET_64BIT = "64-bit offset"
    DATA_64BIT = "64-bit data"


class ResultForm(StrEnum):
    """How results are listed."""

    OWN_HOST = "2024"
    OBJECT_STORAGE = "2026"
    KEYS_WITHOUT_ENDING = "keys without ending"


class Spoilt(StrEnum):
    """What is wrong with a result."""

    END_DAY = "end day"
    """The day after the last one is there too: the back-end takes the end of the interval as included."""
    TWICE = "twice"
    """Every step comes twice."""
    ANOTHER_YEAR = "another year"
    IN_1970 = "in 1970"
    PIXELS_30M = "30 m"
    PIXELS_3KM = "3 km"
    OTHER_ZONE = "other zone"
    ELSEWHERE = "elsewhere"
    PERCENT = "percent"
    ONE_STEP_PERCENT = "one step in percent"
    SPECKS = "specks"
    """One value of 50, one of -5 and one infinite in every step."""
    INTEGERS = "integers"
    CUT_OFF = "cut off"
    NO_STEPS = "no steps"


def spoil(raster: ServedRaster, how: Spoilt) -> ServedRaster:
    """``raster`` with that trouble; what shows in the file alone is left to ``spoil_file``."""
    change = _CHANGES.get(how)
    return change(raster) if change else raster


def spoil_file(path: Path, how: Spoilt) -> None:
    """The file of a job with that trouble."""
    if how is Spoilt.CUT_OFF:
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])


DEFECT_STEP_M: Final = 500
"""Defects stand on a lattice with this step."""
_DEFECTS: Final[Mapping[str, tuple[int, int, int]]] = {
    "B8A.tif": (65_535, 0, 0),
    "SCL.tif": (1, 0, 200),
    "B03.tif": (1, 200, 0),
}
"""Value of a defect in a file, and how far south and east of the lattice it lies [m]: saturation in near infrared, the
class of saturated or defective pixels, and one band at the floor."""


def defective(path: Path) -> Path:
    """A copy of a Sentinel-2 file with the defects that it can have; the file itself when it can have none."""
    from satfusion_assets.sandbox.files import publish

    if path.name not in _DEFECTS:
        return path
    copy = path.parent / "defective" / path.name
    if not copy.exists():
        with publish(copy) as partial:
            partial.write_bytes(path.read_bytes())
            _plant(partial, *_DEFECTS[path.name])
    return copy


def _plant(path: Path, value: int, south: int, east: int) -> None:
    import rasterio

    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as raster:
        pixel, step = int(raster.transform.a), DEFECT_STEP_M // int(raster.transform.a)
        image = raster.read(1)
        spots = image[south // pixel :: step, east // pixel :: step]
        spots[spots > 0] = value
        raster.write(image, 1)


def _moved(raster: ServedRaster, time: timedelta) -> ServedRaster:
    return replace(raster, times=tuple(one + time for one in raster.times))


def _twice(raster: ServedRaster) -> ServedRaster:
    import numpy as np

    times = tuple(time for time in raster.times for _ in range(2))
    return replace(raster, times=times, values=np.repeat(raster.values, 2, axis=0))


def _scaled(raster: ServedRaster, factor: float) -> ServedRaster:
    from affine import Affine

    return replace(raster, transform=raster.transform @ Affine.scale(factor))


def _elsewhere(raster: ServedRaster) -> ServedRaster:
    from affine import Affine

    return replace(raster, transform=Affine.translation(90_000, 0) @ raster.transform)


def _percent(raster: ServedRaster) -> ServedRaster:
    return replace(raster, values=raster.values * 100)


def _one_step_percent(raster: ServedRaster) -> ServedRaster:
    values = raster.values.copy()
    values[len(values) // 2] *= 100
    return replace(raster, values=values)


def _specks(raster: ServedRaster) -> ServedRaster:
    values = raster.values.copy()
    middle = values.shape[3] // 2
    for row, value in enumerate((50.0, -5.0, float("inf"))):
        values[:, 0, values.shape[2] // 2 + row - 1, middle] = value
    return replace(raster, values=values)


_CHANGES: Final[Mapping[Spoilt, Callable[[ServedRaster], ServedRaster]]] = {
    Spoilt.TWICE: _twice,
    Spoilt.ANOTHER_YEAR: lambda raster: _moved(raster, timedelta(days=365)),
    Spoilt.IN_1970: lambda raster: _moved(raster, datetime(1970, 1, 1) - raster.times[0]),
    Spoilt.PIXELS_30M: lambda raster: _scaled(raster, 0.1),
    Spoilt.PIXELS_3KM: lambda raster: _scaled(raster, 10),
    Spoilt.OTHER_ZONE: lambda raster: replace(raster, crs="EPSG:32631"),
    Spoilt.ELSEWHERE: _elsewhere,
    Spoilt.PERCENT: _percent,
    Spoilt.ONE_STEP_PERCENT: _one_step_percent,
    Spoilt.SPECKS: _specks,
    Spoilt.INTEGERS: lambda raster: replace(raster, values=(raster.values * 1e4).astype("int16")),
    Spoilt.NO_STEPS: lambda raster: replace(raster, times=(), values=raster.values[:0]),
}


def rewrite(path: Path, form: Form) -> None:
    """The NetCDF-4 at ``path`` in one of the classic forms."""
    import xarray as xr

    if form is Form.NETCDF4:
        return
    with xr.open_dataset(path, engine="h5netcdf", decode_cf=False) as dataset:
        stored = dataset.load()
    with _writer(path, form) as file:
        for name, size in stored.sizes.items():
            file.createDimension(name, size)
        for name, variable in stored.variables.items():
            values = _classic(variable.values)
            target = file.createVariable(name, values.dtype, variable.dims)
            target[...] = values
            for key, value in variable.attrs.items():
                setattr(target, key, value)


def _classic(values: np.ndarray) -> np.ndarray:
    """``values`` in a type that every classic form has."""
    import numpy as np

    kinds: dict[str, Any] = {"S": "S1", "b": "i1", "i": "i4", "u": "i4", "f": values.dtype}
    return np.asarray(values, kinds[values.dtype.kind])


def _writer(path: Path, form: Form) -> Any:
    """SciPy's writer; the third form is its second with 64 bits in every count of the header."""
    from scipy.io import netcdf_file

    class Wide(netcdf_file):
        def _pack_int(self, value: int) -> None:
            self._pack_int64(value)

        def _pack_begin(self, begin: int) -> None:
            self._pack_int64(begin)

        def _write_att_array(self, attributes: Mapping[str, Any]) -> None:
            if attributes:
                return super()._write_att_array(attributes)
            self.fp.write(bytes(12))

    versions = {Form.CLASSIC: 1, Form.OFFSET_64BIT: 2, Form.DATA_64BIT: 5}
    return (Wide if form is Form.DATA_64BIT else netcdf_file)(path, "w", version=versions[form])
