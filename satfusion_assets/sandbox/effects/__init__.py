"""What makes the landscape hard: effects that the plain one leaves out, each to be switched alone.

The plain landscape is the one without any of them, bit for bit. No effect draws from a generator that another part
of the sandbox uses, so that switching one changes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True)
class Effects:
    """Which effects are at work; their sizes, with sources, stand in the module of each.

    misregistration: both sensors lie off by about a third of a pixel, anew in every scene. brdf: both sensors see the
    surface by the angles of view and sun. terrain: slopes are lit by their angle to the sun, and cast shadows. wetness:
    open soil darkens when wet, each cell by its own share. stretch: some Sentinel-2 scenes are off in gain and offset.
    residual_haze: some have haze left in them. drought, late_frost, second_flush, autumn_colour: what seasons do beside
    one rise and one decline. oblique: the camera sees near ground more than far ground. white_balance: its colours
    drift. displaced_field: what it looks at lies some metres from its coordinate.
    """

    misregistration: bool = False
    brdf: bool = False
    terrain: bool = False
    wetness: bool = False
    stretch: bool = False
    residual_haze: bool = False
    drought: bool = False
    late_frost: bool = False
    second_flush: bool = False
    autumn_colour: bool = False
    oblique: bool = False
    white_balance: bool = False
    displaced_field: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Effects at work, in the order of their definition."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name))

    @classmethod
    def parse(cls, text: str) -> Effects:
        """``plain``, ``hard`` or names with commas between them; ValueError for a name that is none."""
        if text in LANDSCAPES:
            return LANDSCAPES[text]
        known = {field.name for field in fields(cls)}
        names = [name.strip() for name in text.split(",")]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                f"There is no landscape {unknown[0]!r}: give {', '.join(LANDSCAPES)}, or effects with commas between "
                f"them ({', '.join(sorted(known))})."
            )
        return cls(**dict.fromkeys(names, True))

    def __str__(self) -> str:
        named = [name for name, effects in LANDSCAPES.items() if effects == self]
        return named[0] if named else ",".join(self.names)


PLAIN: Final = Effects()
HARD: Final = Effects(**{field.name: True for field in fields(Effects)})
LANDSCAPES: Final = {"plain": PLAIN, "hard": HARD}
