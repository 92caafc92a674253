"""Making a bundle's figure again from its raw data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from satfusion_assets.bundle import contents
from satfusion_assets.bundle.contents import Record
from satfusion_assets.bundle.freeze import chain, drawn
from satfusion_assets.pipeline.fused.fuse import fuse_season
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Product, ProductStore, Store
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Mode, Scenario
from satfusion_assets.vocabulary.settings import EngineName
from satfusion_assets.vocabulary.sites import Site, SiteRegistry


@dataclass(frozen=True)
class Rebuilt:
    """What came of it. different: products whose data are not those of the bundle, with the reason; same: whether the
    figure is equal byte by byte."""

    figure: Path
    same: bool
    different: dict[str, str]


def rebuild(folder: Path, figure: Path, progress: Callable[[str], None] = lambda what: None) -> Rebuilt:
    """Make the figure of the bundle in ``folder`` again and write it to ``figure``; the bundle stays as it is.

    InvalidInput when ``folder`` is no bundle.
    """
    record = read_record(folder)
    scenario = Scenario.parse(record.scenario)
    site = SiteRegistry.load(folder / "data" / contents.SITES).site(record.site)
    season = site.season(record.season)
    with TemporaryDirectory() as scratch:
        shutil.copytree(folder / "data", Path(scratch) / "data", symlinks=True)
        store = ProductStore(Path(scratch) / "data")
        different = {}
        for product in chain(season, scenario):
            progress(product.slug)
            _make(store, site, product, scenario, record)
            if (why := _difference(store, product, record)) is not None:
                different[product.slug] = why
        made = drawn(store, site, product)
    figure.write_bytes(made)
    return Rebuilt(figure, made == (folder / contents.FIGURE).read_bytes(), different)


def read_record(folder: Path) -> Record:
    """What the bundle says of itself."""
    try:
        return Record.model_validate(json.loads((folder / contents.RECORD).read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise InvalidInput(f"{folder} is no bundle: it has no readable {contents.RECORD}.") from error


def _make(store: Store, site: Site, product: Product, scenario: Scenario, record: Record) -> None:
    season, said = product.site_season, record.products[product.slug].parameters
    made = REGISTRY[product.name]
    if made is PRESELECTED:
        preselect(store, site, season)
    elif made in PREPARED.values():
        mode = next(mode for mode in Mode if PREPARED[mode] is made)
        prepare(store, site, season, scenario.strategy, mode, smoothing_days=said["smoothing_days"])
    elif made is FUSED:
        engine = EngineName(said.get("engine", EngineName.SATFUSION))
        fuse_season(store, site, season, scenario, engine)
    elif made is PROCESSED:
        process(store, site, season, scenario)


def _difference(store: Store, product: Product, record: Record) -> str | None:
    manifest, wanted = store.manifest(product), record.products[product.slug]
    assert manifest is not None, "it was just made"
    if not wanted.inputs or manifest.version == wanted.version:
        return None
    if manifest.code_version != wanted.code_version:
        return f"its code is version {manifest.code_version}, was {wanted.code_version}"
    return "its data differ; see whether the packages are those of the bundle"
