"""Copying all products from one store to another, manifests as they are: every data version stays what it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Final

from satfusion_assets.store.interface import Store
from satfusion_assets.store.manifest import AllSeasons, Manifest, Product
from satfusion_assets.vocabulary.sites import SiteSeason

KEPT: Final = ("s2", "s3", "phenocam")
"""What acquisition keeps between runs."""


def copy_store(source: Store, target: Store, *, linked: bool = True) -> Iterator[tuple[Product, bool]]:
    """Copy what ``target`` has not yet; yields every product with whether it was copied now.

    linked: a file may be another name of its original where the disk allows, as no backup's should. An interrupted
    copy goes on where it stopped. Products that only ``target`` has stay.
    """
    for scope in source.scopes():
        for manifest in source.products(scope):
            product = Product(manifest.product, scope, manifest.variant)
            yield product, _copy(source, target, product, manifest, linked)
        if not isinstance(scope, AllSeasons):
            _copy_kept(source, target, scope)


def _copy(source: Store, target: Store, product: Product, manifest: Manifest, linked: bool) -> bool:
    if target.manifest(product) == manifest:
        return False
    with source.read(product) as view:
        parameters, code = view.manifest.parameters, view.manifest.code_version
        with target.publish(product, parameters=parameters, code_version=code, original=view.manifest) as draft:
            for name, path in zip(view.names(), view.files(), strict=True):
                if linked:
                    draft.adopt(path, name)
                else:
                    shutil.copyfile(path, draft.path(name))
    return True


def _copy_kept(source: Store, target: Store, site_season: SiteSeason) -> None:
    for name in KEPT:
        here, there = source.kept(site_season, name), target.kept(site_season, name)
        for known in here.names():
            path = there.folder / known
            if path.exists():
                continue
            here.want(here.folder / known)
            staged = there.folder / f".{known}.copied"
            shutil.copyfile(here.folder / known, staged)
            staged.replace(path)
            there.saved(path)
