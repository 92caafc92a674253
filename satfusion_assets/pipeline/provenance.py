"""What a product is published with besides its inputs, and whether that is still so: thresholds, place, settings.

Every stage publishes through here, so that no manifest lacks what the product's record says of it; and every stage that
lays old pixels on the site's grid asks here whether they belong there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Final

from satfusion_assets.pipeline.constants import constants
from satfusion_assets.pipeline.records import Grid
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.pipeline.sources import inherited_sources
from satfusion_assets.store import Draft, Product, Store, View
from satfusion_assets.store.manifest import Manifest
from satfusion_assets.vocabulary.errors import OutOfPlace
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site

THRESHOLDS: Final = "thresholds"
SITE: Final = "site"
"""Names of the manifest's parameters."""
_RASTERS: Final = ("*.tif", "*.geotiff")


def publish(
    store: Store,
    product: Product,
    *,
    site: Site | None = None,
    parameters: Mapping[str, Any] | None = None,
    inputs: Sequence[View] = (),
) -> AbstractContextManager[Draft]:
    """``Store.publish`` with everything that the product's record is about among the parameters."""
    own = dict(parameters or {})
    return store.publish(
        product,
        parameters={**own, **inherited_sources(own, inputs), **shaping(product, site)},
        inputs=inputs,
        code_version=REGISTRY[product.name].code_version,
    )


def shaping(product: Product, site: Site | None) -> dict[str, Any]:
    """The parameters that say what shapes ``product`` now. site: None only where the place does not matter."""
    record = REGISTRY[product.name]
    parts = record.shaping(product.variant).thresholds
    parameters: dict[str, Any] = {THRESHOLDS: thresholds(parts)} if parts else {}
    if record.placed:
        assert site is not None, f"{product.name} depends on where its site is"
        parameters[SITE] = place(site)
    return parameters


def place(site: Site) -> dict[str, Any]:
    """Where a site is and how large."""
    return {"latitude": site.latitude, "longitude": site.longitude, "extent_m": site.extent_m}


def changes(store: Store, product: Product, site: Site | None, settings: Settings) -> list[str]:
    """What has changed since ``product`` was made, in words; empty = it is up to date."""
    manifest = store.manifest(product)
    record = REGISTRY[product.name]
    wanted = shaping(product, site) | record.chosen_in(settings, product.variant)
    if manifest is None:
        return ["never made"]
    said = manifest.parameters
    plain_parameters = {name: value for name, value in wanted.items() if name != THRESHOLDS}
    found = list(store.changes(product, plain_parameters, record.code_version))
    before = said.get(THRESHOLDS, {})
    for name, value in wanted.get(THRESHOLDS, {}).items() if THRESHOLDS in said else ():
        if before.get(name, value) != value:
            found.append(f"{name} was {before[name]}, is {value}")
    if THRESHOLDS in said and before.keys() != wanted.get(THRESHOLDS, {}).keys():
        found.append("it rests on other thresholds")
    return found + [f"{source.slug} was not there yet" for source in _gathered_since(store, product, manifest)]


def _gathered_since(store: Store, product: Product, manifest: Manifest) -> Iterator[Product]:
    """Variants of its inputs that a product of a whole site-season gathers, and did not find when it was made."""
    record = REGISTRY[product.name]
    for item in record.inputs if record.grid is Grid.SITE_SEASON else ():
        for source in item.product.products(product.scope) if item.product.grid is not Grid.SITE_SEASON else ():
            if source.reference(product.scope) not in manifest.inputs and store.manifest(source) is not None:
                yield source


@cache
def thresholds(parts: tuple[str, ...]) -> Mapping[str, Any]:
    """The constants of ``parts``, modules or packages of the package: name -> value, as JSON gives it back.

    They are named without their modules, so that a module that moves makes nothing stale. Where several modules have
    one of a name, their values stand together in order.
    """
    found: dict[str, list[Any]] = {}
    for module in constants(parts):
        for key, value in module.items():
            found.setdefault(key, []).append(value)
    return {
        key: values[0] if len(values) == 1 else sorted(values, key=json.dumps) for key, values in sorted(found.items())
    }


def lies_in_place(view: View, site: Site) -> bool:
    """Whether the pixels of ``view`` lie on the grid that ``site`` has now; a product without rasters always does."""
    names = [name for pattern in _RASTERS for name in view.names(pattern)]
    if not names:
        return True
    from satfusion_assets.vocabulary.grid import site_grid

    geobox = view.read_geobox(names[0])
    grid = site_grid(site)
    return any(geobox == wanted for wanted in (grid.fine, grid.coarse, grid.scl))


def refuse_out_of_place(site: Site, *views: View) -> None:
    """OutOfPlace when pixels lie elsewhere than ``site`` does now: they must not be written with its georeference."""
    for view in views:
        if not lies_in_place(view, site):
            raise OutOfPlace(
                f"{view.product.slug} of {view.product.scope.key} does not lie where site {site.name} is now, as when "
                f"the site was moved or resized since it was made; materialise {view.product.slug} of "
                f"{view.product.scope.key} again."
            )
