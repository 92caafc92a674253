"""What every raster says of itself to people who open it: product, place, day, code and inputs.

Never the software's version nor the product's own, which is a hash of the files: equal content has equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from satfusion_assets.store.manifest import AllSeasons, Product, Scope
from satfusion_assets.store.rasters import colours_of
from satfusion_assets.vocabulary.days import day_of

if TYPE_CHECKING:
    from satfusion_assets.store.version import View


def file_tags(
    product: Product, parameters: Mapping[str, Any], inputs: Sequence[View], code_version: int
) -> dict[str, str]:
    """GDAL metadata of each raster of a version. ``sources`` of the parameters are what the archives say."""
    tags = {"PRODUCT": product.name, "CODE_VERSION": str(code_version)}
    if not isinstance(product.scope, AllSeasons):
        tags |= {"SITE": product.scope.site, "SEASON": str(product.scope.season)}
    if product.variant:
        tags["VARIANT"] = product.variant
    tags |= inputs_tag(inputs, product.scope)
    if sources := parameters.get("sources"):
        tags["SOURCES"] = " | ".join(sources)
    return tags


def inputs_tag(inputs: Sequence[View], scope: Scope | None = None) -> dict[str, str]:
    """Which versions a file was made of; nothing without any.

    scope: of the product that the file belongs to, by default that of the inputs.
    """
    names = [f"{view.product.reference(scope or view.product.scope)}@{view.version}" for view in inputs]
    return {"INPUTS": " ".join(names)} if names else {}


def units_tag(bands: Sequence[str | None]) -> dict[str, str]:
    """What the pixels are, by the bands' names, once the file's scale is applied; nothing for other layers."""
    if colours_of(bands):
        return {"UNITS": "1 (reflectance)"}
    return {"UNITS": "1 (green chromatic coordinate)"} if tuple(bands) == ("gcc",) else {}


def day_tag(name: str) -> dict[str, str]:
    """The day that a file's name gives, as a tag; nothing where it gives none."""
    try:
        return {"DATE": day_of(name).isoformat()}
    except ValueError:
        return {}
