"""Blocks of an area that are fused, as blobs that are created and never changed, in a folder or in a bucket.

``{order}/plan.json`` says how the area is cut; ``{order}/{block}.json`` that a block is done, and under whose name its
values lie; ``{order}/{name}/{block}/{file}`` are float32 values of one file, as numpy has them in memory. Whoever dies
leaves values that nothing speaks of; of two who make the same block, the first counts.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast import Status
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.vocabulary.errors import InvalidInput

_PLAN: Final = "plan"
_LITTLE_ENDIAN: Final = np.dtype("<f4")


class FusedBlocks:
    """The blocks of one order. order: digest of everything that their values depend on but the plan."""

    def __init__(self, blobs: Blobs, order: str) -> None:
        self._blobs = blobs
        self._order = order
        self._name = uuid.uuid4().hex

    def rows(self, most: int) -> int:
        """Rows of coarse pixels a block has: ``most`` unless somebody has begun with fewer.

        InvalidInput when they have begun with more than there is memory for here.
        """
        name = f"{self._order}/{_PLAN}.json"
        if self._blobs.create(name, json.dumps({"rows": most, "by": self._name}).encode()):
            return most
        rows = int(self._json(name)["rows"])
        if rows > most:
            raise InvalidInput(
                f"{self._blobs.where} has blocks of {rows} rows of coarse pixels, and the memory here is enough for "
                f"{most}; give as much as where they were begun."
            )
        return rows

    def done(self) -> set[int]:
        """Which blocks are done, by whomever."""
        names = (blob.name.removeprefix(f"{self._order}/") for blob in self._blobs.below(self._order))
        return {int(name.removesuffix(".json")) for name in names if name.removesuffix(".json").isdecimal()}

    def add(self, block: int, values: Mapping[str, NDArray[np.floating[Any]]], status: Sequence[Status]) -> None:
        """A block's values by file, and one word a day; another's stay where there are any."""
        for file, image in values.items():
            self._blobs.put(self._values(self._name, block, file), _bytes(image))
        entry = {"by": self._name, "status": list(status)}
        self._blobs.create(self._entry(block), json.dumps(entry).encode())

    def status(self, block: int) -> list[Status]:
        return [Status(word) for word in self._json(self._entry(block))["status"]]

    def values(self, block: int, file: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Of one file and a block that is done."""
        name = self._values(self._json(self._entry(block))["by"], block, file)
        return np.frombuffer(self._present(name), _LITTLE_ENDIAN).reshape(shape)

    def _entry(self, block: int) -> str:
        return f"{self._order}/{block:06d}.json"

    def _values(self, by: str, block: int, file: str) -> str:
        return f"{self._order}/{by}/{block:06d}/{file}"

    def _json(self, name: str) -> Any:
        return json.loads(self._present(name))

    def _present(self, name: str) -> bytes:
        content = self._blobs.read(name)
        if content is None:
            raise InvalidInput(f"{name} below {self._blobs.where} was deleted in between; run this again.")
        return content


def _bytes(image: NDArray[np.floating[Any]]) -> memoryview:
    """As they lie in memory, without a copy where they are what a file holds."""
    return np.ascontiguousarray(image, _LITTLE_ENDIAN).data.cast("B")
