"""What a product's sources say of themselves: carried from the archives' own words into whatever is made from them.

A raw product notes what its archive's metadata say of provider, licence and kind of data; every product notes what its
inputs noted, and its files carry it on. Nothing is guessed: an archive that says nothing is its collection's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from satfusion_assets.store import View

SOURCES: Final = "sources"
"""Name of the manifest's parameter, and of the tag and attribute in files."""
LONGEST: Final = 300
"""Characters of an archive's statement that are carried on."""


def stated(collection: str, said: Iterable[str], licence: str | None = None) -> list[str]:
    """The parameter of a raw product: one statement, of its collection and what the archive ``said`` of it."""
    known = [*([f"licence {licence}"] if licence else []), *said]
    words = "; ".join(dict.fromkeys(" ".join(text.split()) for text in known if text.strip()))
    return [f"{collection}: {words}"[:LONGEST] if words else collection]


def inherited_sources(own: Mapping[str, Any], inputs: Iterable[View]) -> dict[str, list[str]]:
    """The parameter of a product with parameters ``own`` that is made from ``inputs``; empty where nobody says."""
    found = {text for view in inputs for text in view.manifest.parameters.get(SOURCES, [])}
    found |= set(own.get(SOURCES, []))
    return {SOURCES: sorted(found)} if found else {}
