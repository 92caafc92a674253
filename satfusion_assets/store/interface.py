"""What every product store can do, wherever it keeps its products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from satfusion_assets.store.kept import KeptFiles
from satfusion_assets.store.manifest import FIRST_CODE, Manifest, Product, Scope
from satfusion_assets.store.version import Draft, View
from satfusion_assets.vocabulary.errors import ProductCorrupt
from satfusion_assets.vocabulary.sites import SiteSeason


class Store(ABC):
    """All products of an installation. Stages work with this and never learn whether it is a folder or a bucket."""

    @abstractmethod
    def manifest(self, product: Product) -> Manifest | None:
        """Manifest of the current version, None when the product was never published."""

    @abstractmethod
    def read(self, product: Product) -> AbstractContextManager[View]:
        """The current version, which stays whole until the block ends; ProductMissing when there is none."""

    @abstractmethod
    def verify(self, product: Product) -> list[str]:
        """One sentence for each file that is missing or differs from the manifest; empty = whole."""

    @abstractmethod
    def scopes(self) -> list[Scope]:
        """Every site-season, and what all of them share, of which anything was published."""

    @abstractmethod
    def products(self, scope: Scope) -> list[Manifest]:
        """Manifests of everything published for a site-season, or of what all site-seasons share.

        A damaged one hides none of the others: it is named in the log, and left out until its product is made again.
        """

    @abstractmethod
    def holds_products(self, scope: Scope) -> bool:
        """Whether anything was published for ``scope``, readable or not."""

    @abstractmethod
    def place(self, scope: Scope) -> str:
        """Where the files of a scope lie, for people."""

    @abstractmethod
    def kept(self, site_season: SiteSeason, name: str) -> KeptFiles:
        """What acquisition keeps between runs; not a product."""

    @abstractmethod
    def publish(
        self,
        product: Product,
        *,
        parameters: dict[str, Any] | None = None,
        inputs: Sequence[View] = (),
        code_version: int = FIRST_CODE,
        original: Manifest | None = None,
    ) -> AbstractContextManager[Draft]:
        """Write a new version of ``product``; it replaces the current one when the block ends without an error.

        original: the manifest of another store's version that is copied; what is written must have its contents. Raises
        StoreFull when a disk is full; whatever goes wrong, the current version stays as it was.
        """

    @abstractmethod
    def remove(self, product: Product) -> None:
        """Unpublish ``product``."""

    @abstractmethod
    def recover(self, product: Product | None = None) -> list[str]:
        """Clear what killed publications left here, of one product or of all; returns their keys."""

    @abstractmethod
    def foreign_markers(self) -> list[Path]:
        """What lies where the store notes its publications and is none of its notes."""

    def changes(
        self, product: Product, chosen: Mapping[str, Any] | None = None, code_version: int = FIRST_CODE
    ) -> Iterator[str]:
        """What is not as it was when ``product`` was made, in words; nothing when it is current: made by code of this
        version with the ``chosen`` parameters, and each input still has the version that it was made from.

        What a manifest does not speak of, because no version of then wrote it, is not held against it.
        """
        manifest = self._readable_manifest(product)
        if manifest is None:
            yield "never made"
            return
        if manifest.code_version != code_version:
            yield f"its code was version {manifest.code_version}, is {code_version}"
        for name, value in (chosen or {}).items():
            before = manifest.parameters.get(name)
            if before != value and (name in manifest.parameters or manifest.code_version > FIRST_CODE):
                yield f"{name} was {before}, is {value}"
        for reference, version in manifest.inputs.items():
            source = self._readable_manifest(Product.referred(reference, product.scope))
            if source is None or source.version != version:
                yield f"{reference} has changed"

    def _readable_manifest(self, product: Product) -> Manifest | None:
        """As ``manifest``, None where it is damaged: whoever makes the product again must not be stopped by it."""
        try:
            return self.manifest(product)
        except ProductCorrupt:
            return None
