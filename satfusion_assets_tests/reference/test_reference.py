"""Whoever changes a product's numbers raises its code version: committed digests of reference products say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.pipeline.metrics.verdict import SIDES, season_verdict
from satfusion_assets.pipeline.phenology.files import PhenologyLayout
from satfusion_assets.pipeline.phenology.product import PHENOLOGY
from satfusion_assets.pipeline.prepared import prepare as stage
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.registry import RECORDS
from satfusion_assets.screening.composites import Composites, moving_average
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.scenarios import Mode, Scenario, Strategy
from satfusion_assets_tests.reference.committed import Record, committed, made_by, measured, verdict
from satfusion_assets_tests.reference.fingerprint import digest, equal, fingerprint
from satfusion_assets_tests.reference.season import HERE, SITE, noise, publish_raw

pytestmark = pytest.mark.timeout(900)  # a whole season, and its kernels compiled, on a machine that may be busy


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reference")


@pytest.fixture(scope="module")
def now(root: Path) -> dict[str, Record]:
    return measured(root)


def test_every_product_has_a_digest(now: dict[str, Record]) -> None:
    assert set(now) == set(committed()) == set(RECORDS)


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_numbers_change_with_their_code_version_only(now: dict[str, Record], name: str) -> None:
    assert verdict(name, now[name], committed().get(name)) is None


def test_the_verdict_dates_the_season_as_the_date_maps_do(root: Path, now: dict[str, Record]) -> None:
    """Both of the site's series, minding its deviation."""
    store, compared = ProductStore(root), 0
    for manifest in store.products(HERE):
        if manifest.product != PHENOLOGY.name:
            continue
        scenario = Scenario.parse(manifest.variant)
        with store.read(PHENOLOGY.of(HERE, scenario)) as view:
            dated = view.read_json(PhenologyLayout(scenario).site)["fused"]
        turns = season_verdict(store, SITE, HERE, scenario).turns
        for name, side in SIDES.items():
            told = turns[name].fusion
            assert (told and told.isoformat()) == ((dated[side] or {}).get("50") or {}).get("date"), (scenario, name)
            compared += told is not None
    assert compared, "no scenario of the reference season has a date"


def test_a_change_of_one_stage_asks_for_a_raised_code_version_of_what_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brighter(composites: Composites, days: int) -> Composites:
        averaged = moving_average(composites, days)
        return Composites(averaged.days, averaged.values + np.float32(2e-5), averaged.support)

    store, product = ProductStore(tmp_path), Product("prepared_bti", HERE, Strategy.AGGRESSIVE)
    publish_raw(store)
    preselect(store, SITE, HERE)
    monkeypatch.setattr(stage, "moving_average", brighter)
    stage.prepare(store, SITE, HERE, Strategy.AGGRESSIVE, Mode.BTI, smoothing_days=5)
    with store.read(product) as view:
        numbers = fingerprint(view)
    before = committed()["prepared_bti"]
    same = {kind: of for kind, of in before["numbers"].items() if kind in numbers}
    says = verdict("prepared_bti", made_by("prepared_bti") | {"numbers": numbers}, before | {"numbers": same})
    assert says is not None
    assert says.startswith("The numbers of prepared_bti have changed (prepared_aggressive/")
    assert "/s3/" in says
    assert "and nothing says so: raise its code_version" in says


@given(seed=st.integers(0, 1000), place=st.integers(0, 9999), step=st.sampled_from([1e-2, -3e-3]))
def test_one_value_that_changes_shows_and_the_last_bits_of_all_do_not(seed: int, place: int, step: float) -> None:
    values = noise(seed, 10_000)
    other = values.copy()
    other[place] += step
    assert equal(digest(values), digest(values + 1e-9 * (noise(seed + 1, 10_000) - 0.5)))
    assert not equal(digest(values), digest(other)) or abs(noise(11, 10_000)[place]) < 0.1
    other[place] = np.nan
    assert not equal(digest(values), digest(other))
