"""What gaps are centred on: the command line offers these words without loading what fills gaps."""

from __future__ import annotations

from enum import StrEnum


class Transition(StrEnum):
    """What a gap is centred on: a day of the camera's curve or a GIVEN day; NATURAL gaps have no centre but another
    year's clouds.
    """

    GREEN_UP = "green_up"
    PEAK = "peak"
    GREEN_DOWN = "green_down"
    GIVEN = "given"
    NATURAL = "natural"
