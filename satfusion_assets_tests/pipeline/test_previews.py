"""The picture of each product: there, small, the same each time, and never a reason to fail."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image as Pillow

from satfusion_assets.pipeline.metrics.files import METRICS_FILE
from satfusion_assets.pipeline.pictures.charts import months, number_of, round_ticks
from satfusion_assets.pipeline.pictures.palette import MISSING, true_colour, viridis
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.scenarios import BANDS, SCENARIOS
from satfusion_assets_tests.orchestration.checks import products as made
from satfusion_assets_tests.orchestration.checks.products import BTI, DAYS, MAKERS, SEASON, SITE

MOST_BYTES = 40_000
SCORES = {"nse": 0.7, "pearson_r": 0.9, "rmse": 0.02, "n_samples": 300}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ProductStore:
    store = ProductStore(tmp_path_factory.mktemp("store"))
    for product, make in MAKERS.items():
        files = make()
        if product.name == "preselected":
            for row in files[preselection("s2", "json")]:
                row |= {"ndvi": 0.4, "reason_aggressive": None, "reason_nonaggressive": "low_ndvi"}
                row["excluded_nonaggressive"] = True
            for row in files[preselection("s3", "json")]:
                row |= {"ndvi": 0.4, "reason_aggressive": None, "reason_nonaggressive": None}
        if product.name == "scenario_metrics":
            files[ProcessedLayout(BTI).scores]["temporal"] |= SCORES
        if product.name == "metrics":
            files[METRICS_FILE]["temporal"] = dict.fromkeys((item.score_key for item in SCENARIOS), None) | {
                BTI.score_key: SCORES
            }
        made.publish(store, product, files)
    return store


@pytest.mark.parametrize("name", [name for name in REGISTRY.names if REGISTRY.drawing(name)])
def test_every_product_has_a_small_picture_that_is_the_same_each_time(store: ProductStore, name: str) -> None:
    product = next(product for product in MAKERS if product.name == name)
    image = REGISTRY.picture(store, SITE, product)
    assert image is not None
    assert len(image.content) < MOST_BYTES
    assert image == REGISTRY.picture(store, SITE, product)
    if image.media_type == "image/svg+xml":
        assert int(ElementTree.fromstring(image.content).get("width", "0")) > 400
    else:
        assert Pillow.open(io.BytesIO(image.content)).width > 400


def test_excluded_scenes_are_hollow_and_say_the_rule(store: ProductStore) -> None:
    image = REGISTRY.picture(store, SITE, Product("preselected", SEASON))
    assert image is not None
    text = image.content.decode()
    assert f"Sentinel-2, nonaggressive: 0 of {len(made.SCENE_DAYS)} scenes kept" in text
    assert f"excluded: fall of NDVI ({len(made.SCENE_DAYS)})" in text


def test_the_fused_curve_carries_its_scores(store: ProductStore) -> None:
    image = REGISTRY.picture(store, SITE, Product("scenario_metrics", SEASON, BTI.key))
    assert image is not None
    assert f"{BTI.key} NSE 0.700, r 0.900, RMSE 0.020, 300 days" in image.content.decode()


def test_what_cannot_be_drawn_warns_and_does_not_fail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, product = ProductStore(tmp_path), Product("raw_phenocam", SEASON)
    made.publish(store, product, {"raw/phenocam/phenocam_gcc.json": []})
    assert REGISTRY.picture(store, SITE, product) is None
    assert "innsbruck_2024.raw_phenocam has no picture" in caplog.text


def test_missing_pixels_have_a_grey_that_no_value_has() -> None:
    image = np.full((len(BANDS), 2, 2), 0.1)
    image[:, 0, 0] = np.nan
    assert tuple(true_colour(image)[0, 0]) == MISSING
    scale = viridis(np.linspace(0, 1, 1000)[None], 0, 1)
    assert not (scale == MISSING).all(axis=-1).any()


def test_ticks_are_firsts_of_months_and_round_numbers() -> None:
    ticks = months(number_of(DAYS[0]), number_of(DAYS[-1]))
    assert [text for _, text in ticks[:3]] == ["Jan 2024", "Feb", "Mar"]
    assert len(ticks) == 12
    assert [text for _, text in round_ticks(0.31, 0.52)] == ["0.35", "0.4", "0.45", "0.5"]
