"""What a transition date, a season or a pixel is, when it is not simply a date."""

from __future__ import annotations

from enum import IntEnum


class Label(IntEnum):
    """How a date came about; the numbers are those of the label maps (uint8)."""

    NO_DATA = 0
    """Too few observations to say anything."""
    OK = 1
    """Base, top and crossing were observed."""
    BORROWED = 2
    """The series begins or ends so close to the season that its base on this side was not seen; the base of the other
    side stands in for it. The crossing itself was observed."""
    GAP = 3
    """The crossing, or the base or top it rests on, lies in a gap of the series: no date where the gap is longer than
    ``MAX_DATED_GAP``, else an interval that spans the gap."""
    TRUNCATED = 4
    """The series begins or ends before the crossing, or the top it rests on, or any base was seen: no date."""
    NO_SEASON = 5
    """The series shows no rise and fall that its noise could not make (evergreen, bare, built-up): no date."""
