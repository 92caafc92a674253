"""What an image is of: one of the two sensors, or their fusion."""

from __future__ import annotations

from typing import Final, Literal

Sensor = Literal["s2", "s3"]


Source = Literal["s2", "s3", "fusion"]


SeriesKind = Literal["gcc", "ndvi", "bands"]


SENSORS: Final[tuple[Sensor, ...]] = ("s2", "s3")


SOURCES: Final[tuple[Source, ...]] = ("s2", "s3", "fusion")
