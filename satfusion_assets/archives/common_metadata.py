"""STAC's common metadata of items and collections: who provides them, under which licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class SaidOfSource(TypedDict):
    """providers: their names in order. licence: an SPDX name or a word, None = not said."""

    providers: tuple[str, ...]
    licence: str | None


def said_of_source(metadata: Mapping[str, Any]) -> SaidOfSource:
    """Providers and licence out of an item's properties or a collection; what is no such thing is not said."""
    providers, licence = metadata.get("providers"), metadata.get("license")
    entries = providers if isinstance(providers, Sequence) and not isinstance(providers, str) else []
    names = tuple(str(one["name"]) for one in entries if isinstance(one, Mapping) and one.get("name"))
    return {"providers": names, "licence": licence if isinstance(licence, str) and licence else None}
