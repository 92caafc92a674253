"""Opening a NetCDF in memory whatever form it has: NetCDF-4, and the three classic ones.

Back-ends write NetCDF-4 as a rule; what has passed through other tools comes back classic (CDF-1), with 64-bit offsets
(CDF-2) or with 64-bit data (CDF-5). SciPy reads the first two. The C library reads all of them, and ends the process
on some damaged CDF-5 headers, so the third is read here, as SciPy reads the others.
"""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import xarray as xr
from scipy.io import netcdf_file

CDF5: Final = b"CDF\x05"
_CLASSIC: Final = (b"CDF\x01", b"CDF\x02")
_HDF5: Final = b"\x89HDF\r\n\x1a\n"

_TYPES: Final = {
    1: "b",
    2: "c",
    3: "h",
    4: "i",
    5: "f",
    6: "d",
    7: "b",
    8: "h",
    9: "i",
    10: "q",
    11: "q",
}
"""NumPy's letter of each external type (NetCDF classic format specification, "nc_type"); 7, 8, 9 and 11 are unsigned,
which ``_UNSIGNED`` puts right once SciPy has read them as their signed neighbours (it pads those alone)."""
_UNSIGNED: Final = {7: "u1", 8: "u2", 9: "u4", 11: "u8"}


class UnknownForm(ValueError):
    """The bytes are no NetCDF; the message says what they begin with."""


def open_netcdf(content: bytes) -> xr.Dataset:
    """The dataset in ``content``, missing values as NaN and numbers unpacked, times as they are stored.

    UnknownForm when the bytes are no NetCDF; a damaged file raises whatever its reader makes of it.
    """
    if content.startswith(_HDF5):
        return xr.open_dataset(io.BytesIO(content), engine="h5netcdf", decode_times=False)
    if content.startswith(_CLASSIC):
        return xr.open_dataset(io.BytesIO(content), engine="scipy", decode_times=False)
    if content.startswith(CDF5):
        return xr.decode_cf(_cdf5(content), decode_times=False)
    raise UnknownForm("it is empty" if not content else f"it begins with {content[:8]!r}")


def _cdf5(content: bytes) -> xr.Dataset:
    with _Cdf5(io.BytesIO(content), mmap=False) as file:
        variables = {
            name: xr.Variable(
                stored.dimensions,
                stored.data.view(">" + file.unsigned[name]) if name in file.unsigned else stored.data,
                {key: _text(value) for key, value in stored._attributes.items()},
            )
            for name, stored in file.variables.items()
        }
    coordinates = [name for name, variable in variables.items() if variable.dims == (name,)]
    return xr.Dataset(variables).set_coords(coordinates)


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class _Cdf5(netcdf_file):
    """SciPy's reader where every count and size of the header has 64 bits, and with the types that CDF-5 adds."""

    def __init__(self, file: io.BytesIO, mmap: bool) -> None:
        self.__dict__["unsigned"] = {}
        """Names of unsigned variables with NumPy's name of their type."""
        super().__init__(file, mmap=mmap)

    def _unpack_int(self) -> int:
        return int(self._unpack_int64())

    def _read_var(self) -> tuple[Any, ...]:
        name = self._unpack_string().decode("utf-8")
        dimensions = tuple(self._dims[self._unpack_int()] for _ in range(self._unpack_int()))
        shape = tuple(self.dimensions[dimension] for dimension in dimensions)
        attributes = self._read_att_array()
        kind = self._type()
        size, begin = self._unpack_int(), self._unpack_int()
        if kind in _UNSIGNED:
            self.unsigned[name] = _UNSIGNED[kind]
        letter = _TYPES[kind]
        return name, dimensions, shape, attributes, letter, np.dtype(letter).itemsize, f">{letter}", begin, size

    def _read_att_values(self) -> Any:
        kind = self._type()
        count = self._unpack_int() * np.dtype(_TYPES[kind]).itemsize
        content = self.fp.read(count)
        self.fp.read(-count % 4)
        if _TYPES[kind] == "c":
            return content.rstrip(b"\x00")
        values = np.frombuffer(content, ">" + _UNSIGNED.get(kind, _TYPES[kind]))
        return values[0] if values.shape == (1,) else values

    def _type(self) -> int:
        return int.from_bytes(self.fp.read(4), "big")
