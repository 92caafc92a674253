"""What a bundle holds, and how its README says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

RECORD: Final = "bundle.json"
FIGURE: Final = "figure.svg"
ENVIRONMENT: Final = "environment.txt"
LICENCES: Final = "LICENCES.md"
README: Final = "README.md"
SITES: Final = "sites.geojson"


class MadeProduct(BaseModel):
    """A product that the figure rests on. inputs: reference -> data version."""

    model_config = ConfigDict(frozen=True)

    version: str
    code_version: int
    inputs: Mapping[str, str] = {}
    parameters: Mapping[str, Any] = {}


class Record(BaseModel):
    """What the figure was made from, and by what. products: slug -> what was made, raw ones first. figure: SHA-256."""

    model_config = ConfigDict(frozen=True)

    site: str
    season: int
    scenario: str
    software: str
    command: str
    figure: str
    items: Mapping[str, Sequence[Mapping[str, Any]]]
    products: Mapping[str, MadeProduct]


def environment() -> str:
    """Every installed package with its version, as ``pip install -r`` takes it."""
    found = {dist.metadata["Name"].lower(): dist.version for dist in metadata.distributions() if dist.metadata["Name"]}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()) if name != "satfusion")


def readme(record: Record) -> str:
    """What the bundle is, and the commands that make its figure again."""
    products = "\n".join(
        f"| `{slug}` | {made.version} | {made.code_version} |" for slug, made in record.products.items()
    )
    return f"""# {record.site} {record.season}, {record.scenario}

`{FIGURE}` shows the greenness that was fused for every day of the season against the camera's. This folder holds what
it was made from: raw images and camera series below `data/`, and, in `{RECORD}`, each archive's item with its version.

Make it again, with the packages of `{ENVIRONMENT}` ({record.software}):

    {record.command}

It is the same figure when all products below come out with the versions below; the command compares them.

| product | data version | code version |
|---|---|---|
{products}

Licences and acknowledgements, which go wherever the data go: `{LICENCES}`.
"""


def licences(sources: Iterable[str], camera: str) -> str:
    """What the archives say of their data, and the camera network's own text."""
    said = "\n".join(f"- {text}" for text in sources) or "- The archives said nothing."
    return f"""# Licences and acknowledgements

What the archives say of their data:

{said}

Sentinel data of the Copernicus programme are free and open: show "Contains modified Copernicus Sentinel data [year]"
beside what is made from them (synthetic data need no such line).

## The camera

{camera.strip()}
"""
