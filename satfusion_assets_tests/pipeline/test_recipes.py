"""Recipes: each product is out of date when what shapes it changes, and no other is."""

from __future__ import annotations

import ast
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import satfusion_assets
from satfusion_assets.definitions import load_assets
from satfusion_assets.pipeline.constants import constants_of, modules_of
from satfusion_assets.pipeline.fused.fuse import fuse_season
from satfusion_assets.pipeline.phenology.date_maps import phenology_maps
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.pipeline.provenance import changes, lies_in_place, publish, thresholds
from satfusion_assets.pipeline.records import ProductRecord
from satfusion_assets.pipeline.registry import RECORDS, REGISTRY
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.errors import OutOfPlace
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason

ROOT = Path(satfusion_assets.__file__).parent
HERE = SiteSeason("innsbruck", 2024)
SITE = Site(name="innsbruck", latitude=47.116, longitude=11.32, seasons=(2024,))
SETTINGS = Settings(_env_file=None)
BTI = Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20)
MOVED = SITE.model_copy(update={"longitude": SITE.longitude + 0.01})
LARGER = SITE.model_copy(update={"extent_m": 1800})
NUDGED = SITE.model_copy(update={"latitude": SITE.latitude + 1e-7})
SCIENCE = ("evaluation", "export", "fusion", "phenology", "sampling", "screening")
"""Rooms whose constants shape numbers."""
LOOKS = ("asset", "criteria", "picture")
"""Modules of a product's room that judge or show it and shape nothing."""


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    return ProductStore(tmp_path)


def make(store: ProductStore, name: str, variant: str = "", site: Site = SITE, *inputs: str) -> Product:
    """A product with one raster on the site's fine grid, made as the stages make it."""
    import contextlib

    import numpy as np

    product = Product(name, HERE, variant)
    with contextlib.ExitStack() as stack:
        views = [stack.enter_context(store.read(Product.referred(item, HERE))) for item in inputs]
        parameters = REGISTRY[name].chosen_in(SETTINGS, variant)
        with publish(store, product, site=site, parameters=parameters, inputs=views) as draft:
            grid = site_grid(site)
            draft.write_raster(
                f"{product.slug}/20240601_0.geotiff", np.ones(grid.fine.shape, "float32"), grid.fine, nodata=np.nan
            )
    return product


def test_what_gathers_all_variants_is_due_when_another_variant_has_come(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    first, second = (scenario.key for scenario in SCENARIOS[-2:])
    make(store, "scenario_metrics", first)
    product = make(store, "metrics", "", SITE, f"scenario_metrics.{first}")
    assert changes(store, product, SITE, SETTINGS) == []
    make(store, "scenario_metrics", second)
    assert changes(store, product, SITE, SETTINGS) == [f"scenario_metrics.{second} was not there yet"]


def test_every_asset_has_a_code_version_of_its_own() -> None:
    versions = {spec.key.path[-1]: spec.code_version for asset in load_assets() for spec in asset.specs}
    assert versions == {name: str(REGISTRY[name].code_version) for name in REGISTRY.names}


def test_raising_a_code_version_makes_its_product_stale_and_no_other(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = [make(store, name) for name in RECORDS]
    for name in sorted(RECORDS):
        with monkeypatch.context() as raised:
            raised.setitem(REGISTRY._by_name, name, replace(REGISTRY[name], code_version=99))
            assert [product.name for product in products if changes(store, product, SITE, SETTINGS)] == [name]


def test_thresholds_are_in_the_manifest_and_a_changed_one_makes_stale(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, fused = make(store, "prepared_bti", "aggressive"), make(store, "fused", BTI.key)
    manifest = store.manifest(prepared)
    assert manifest is not None
    assert manifest.parameters["thresholds"]["WINDOW_DAYS"] == {"s2": 30, "s3": 15}
    monkeypatch.setattr("satfusion_assets.screening.composites.CLOUD_EXCESS", 0.05)
    thresholds.cache_clear()
    assert changes(store, prepared, SITE, SETTINGS) == ["CLOUD_EXCESS was 0.04, is 0.05"]
    assert changes(store, fused, SITE, SETTINGS) == []


@pytest.fixture(autouse=True)
def as_it_was() -> None:
    thresholds.cache_clear()


def test_a_changed_setting_makes_stale(store: ProductStore) -> None:
    prepared = make(store, "prepared_bti", "aggressive")
    assert changes(store, prepared, SITE, Settings(_env_file=None, smoothing_days=0)) == ["smoothing_days was 5, is 0"]


# -- a site that moves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [MOVED, LARGER, NUDGED], ids=["moved", "larger", "nudged"])
def test_what_depends_on_the_place_of_its_site_is_stale_when_that_changes(store: ProductStore, now: Site) -> None:
    products = [make(store, name) for name in RECORDS]
    stale = {product.name for product in products if changes(store, product, now, SETTINGS)}
    assert stale == {name for name in RECORDS if REGISTRY[name].placed}
    assert stale >= {"raw_s2", "raw_s3", "preselected", "prepared_bti", "fused", "processed", "phenology"}


@pytest.mark.parametrize("now", [MOVED, LARGER], ids=["moved", "larger"])
def test_old_pixels_never_get_the_place_of_a_moved_site(store: ProductStore, now: Site) -> None:
    """Whichever stage runs first after the edit, as from the UI."""
    made = {name: make(store, name) for name in ("raw_s2", "raw_s3", "preselected")}
    made |= {name: make(store, name, Strategy.AGGRESSIVE) for name in ("prepared_bti",)}
    made |= {name: make(store, name, BTI.key) for name in ("fused", "processed")}
    before = {name: store.manifest(product) for name, product in made.items()}
    stages = {
        "raw_s2 of innsbruck_2024": [
            lambda: preselect(store, now, HERE),
            lambda: prepare(store, now, HERE, Strategy.AGGRESSIVE, Mode.BTI, smoothing_days=5),
        ],
        "prepared_bti.aggressive of innsbruck_2024": [lambda: fuse_season(store, now, HERE, BTI)],
        "fused.aggressive_sigma20 of innsbruck_2024": [
            lambda: process(store, now, HERE, BTI),
            lambda: phenology_maps(store, now, HERE, BTI),
        ],
    }
    for says, runs in stages.items():
        for run in runs:
            with pytest.raises(OutOfPlace, match=says):
                run()
    assert {name: store.manifest(product) for name, product in made.items()} == before


def test_products_made_before_places_were_recorded_are_held_against_the_grid_by_their_rasters(
    store: ProductStore,
) -> None:
    import numpy as np

    raw, grid = Product("raw_s2", HERE), site_grid(SITE)
    with store.publish(raw) as draft:
        draft.write_raster("raw/scl/20240601_0.geotiff", np.ones(grid.scl.shape, "uint8"), grid.scl, nodata=255)
    with store.read(raw) as view:
        assert [lies_in_place(view, site) for site in (SITE, NUDGED, MOVED, LARGER)] == [True, True, False, False]


# -- the table of recipes is complete ---------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    """Modules of the science that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        name = module.removeprefix("satfusion_assets.")
        if name != module and name.partition(".")[0] in SCIENCE:
            inner = [f"{name}.{alias.name}" for alias in node.names if is_module(f"{name}.{alias.name}")]  # type: ignore[attr-defined]
            found |= set(inner or [name])
    return found


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _parts(record: ProductRecord) -> set[str]:
    """Thresholds of a product under any method."""
    return {*record.thresholds, *(part for besides in record.by_method.values() for part in besides.thresholds)}


def declared(name: str) -> set[str]:
    return {module for part in _parts(REGISTRY[name]) for module in modules_of(part)}


def decides(name: str) -> bool:
    """Whether a module has a constant with a number in it."""
    import_module(f"satfusion_assets.{name}")
    return bool(constants_of(name))


@pytest.mark.parametrize("room", [room for room in REGISTRY.rooms if ".raw_" not in room])
def test_what_a_room_computes_with_is_among_the_thresholds_of_its_products(room: str) -> None:
    known = set().union(*(declared(record.name) for record in REGISTRY.products if record.room == room))
    folder = ROOT.parent / room.replace(".", "/")
    makers = [path for path in folder.glob("*.py") if path.stem not in LOOKS]
    assert {name for path in makers for name in imported(path) if decides(name)} <= known


@pytest.mark.parametrize("name", sorted(name for name in RECORDS if not name.startswith("raw_")))
def test_what_a_threshold_module_computes_with_is_among_them_too(name: str) -> None:
    known = declared(name)
    for module in [item for item in known if item.partition(".")[0] in SCIENCE]:
        path = ROOT / module.replace(".", "/")
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        assert {item for item in imported(file) if decides(item)} <= known, module
