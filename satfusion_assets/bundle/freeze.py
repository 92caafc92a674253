"""Writing a bundle."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from satfusion_assets.bundle import contents
from satfusion_assets.bundle.contents import MadeProduct, Record
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_ROIS
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_s2.files import S2_SCENES
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.files import S3_OVERPASSES
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.pipeline.sources import SOURCES
from satfusion_assets.store import Product, ProductStore, Store, View
from satfusion_assets.vocabulary.errors import InvalidInput, ProductMissing
from satfusion_assets.vocabulary.scenarios import Mode, Scenario
from satfusion_assets.vocabulary.sites import Site, SiteRegistry, SiteSeason

RAW: Final = (RAW_S2, RAW_S3, RAW_PHENOCAM)
PHENOCAM_LICENCE: Final = "raw/phenocam/LICENCE.txt"
PICTURES: Final = ".jpg"
"""The camera's pictures take part in no number, and are the largest part of what it sent."""
ITEM_FACTS: Final = (
    "name",
    "id",
    "updated",
    "baseline",
    "offset_subtracted",
    "files",
    "time",
    "camera",
    "chosen",
    "chosen_by",
)
"""What of an archive's record of an item identifies it."""


def chain(season: SiteSeason, scenario: Scenario) -> tuple[Product, ...]:
    """What the figure rests on, in the order in which it is made. Scenes are screened with all bands in both modes."""
    raw = tuple(record.of(season) for record in RAW)
    modes = dict.fromkeys((Mode.BTI, scenario.mode))
    prepared = tuple(PREPARED[mode].of(season, scenario.strategy) for mode in modes)
    return (*raw, PRESELECTED.of(season), *prepared, FUSED.of(season, scenario), PROCESSED.of(season, scenario))


def freeze(store: Store, site: Site, season: SiteSeason, scenario: Scenario, folder: Path) -> Record:
    """Write the bundle of a season's figure into ``folder``, which must not exist; whole, or not at all.

    InvalidInput when it does, and when the chain does not fit together, as after a stage was made again and what
    follows was not; ProductMissing when something of the chain was never made.
    """
    if folder.exists():
        raise InvalidInput(f"{folder} exists; name a folder that does not, so that nothing is mixed up.")
    with ExitStack() as stack:
        views = {product: stack.enter_context(store.read(product)) for product in chain(season, scenario)}
        _refuse_mixture(views)
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = stack.enter_context(TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-"))
        staged = Path(scratch) / folder.name
        _copy_raw(ProductStore(staged / "data"), site, season, views)
        figure = drawn(store, site, PROCESSED.of(season, scenario))
        record = _record(views, season, scenario, figure, folder)
        (staged / contents.FIGURE).write_bytes(figure)
        (staged / contents.RECORD).write_text(json.dumps(record.model_dump(), indent=1))
        (staged / contents.ENVIRONMENT).write_text(contents.environment())
        (staged / contents.README).write_text(contents.readme(record))
        (staged / contents.LICENCES).write_text(_licences(views))
        staged.rename(folder)
    return record


def _licences(views: Mapping[Product, View]) -> str:
    said = {text for view in views.values() for text in view.manifest.parameters.get(SOURCES, [])}
    (phenocam,) = (view for view in views.values() if view.product.name == RAW_PHENOCAM.name)
    return contents.licences(sorted(said), phenocam.path(PHENOCAM_LICENCE).read_text("utf-8"))


def drawn(store: Store, site: Site, product: Product) -> bytes:
    """The figure: the product's own picture."""
    picture = REGISTRY.picture(store, site, product)
    if picture is None:
        raise ProductMissing(f"{product.key} has no picture; materialise it again.")
    return picture.content


def _copy_raw(copy: ProductStore, site: Site, season: SiteSeason, views: Mapping[Product, View]) -> None:
    """The raw products without pictures, and the site as it is now, in a data root of their own."""
    for product, view in views.items():
        manifest = view.manifest
        if REGISTRY[product.name].inputs:
            continue
        with copy.publish(product, parameters=dict(manifest.parameters), code_version=manifest.code_version) as draft:
            for name in manifest.files:
                if not name.endswith(PICTURES):
                    draft.write_bytes(name, view.path(name).read_bytes())
    registry = SiteRegistry.load(copy.root / contents.SITES)
    registry.edit(lambda _: [site.model_copy(update={"seasons": (season.season,)})])


def _refuse_mixture(views: Mapping[Product, View]) -> None:
    for product, view in views.items():
        for other, source in views.items():
            version = view.manifest.inputs.get(other.reference(product.scope))
            if version is not None and version != source.version:
                raise InvalidInput(
                    f"{product.slug} of {product.scope.key} was made from another version of {other.slug} than there "
                    f"is now; materialise the season again before it is bundled."
                )


def _record(
    views: Mapping[Product, View], season: SiteSeason, scenario: Scenario, figure: bytes, folder: Path
) -> Record:
    made = {
        product.slug: MadeProduct(
            version=view.version, code_version=view.manifest.code_version,
            inputs=view.manifest.inputs, parameters=view.manifest.parameters,
        )
        for product, view in views.items()
    }  # fmt: skip
    return Record(
        site=season.site,
        season=season.season,
        scenario=scenario.key,
        software=f"satfusion {metadata.version('satfusion')}",
        command=f"satfusion bundle --rebuild {shlex.quote(folder.name)}",
        figure=hashlib.sha256(figure).hexdigest(),
        items={name: list(_items(views, season, name)) for name in ("sentinel2", "sentinel3", "phenocam")},
        products=made,
    )


def _items(views: Mapping[Product, View], season: SiteSeason, archive: str) -> Iterator[dict[str, Any]]:
    """What an archive calls the things that were used."""
    if archive == "sentinel2":
        yield from _facts(views[RAW_S2.of(season)].read_json(S2_SCENES)["scenes"])
    elif archive == "sentinel3":
        yield from _facts(views[RAW_S3.of(season)].read_json(S3_OVERPASSES)["overpasses"])
    else:
        yield from _facts([views[RAW_PHENOCAM.of(season)].read_json(PHENOCAM_ROIS)])


def _facts(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {name: row[name] for name in ITEM_FACTS if name in row}
