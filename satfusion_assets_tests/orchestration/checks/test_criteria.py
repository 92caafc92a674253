"""Every criterion holds on a good product, and is broken by a bad one that was made to break it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.criteria import FILES, evaluate
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.metrics.files import METRICS_FILE
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_ROIS
from satfusion_assets.pipeline.raw_s2.files import S2_SCENES, raw_scl
from satfusion_assets.pipeline.raw_s3.files import S3_OVERPASSES
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.pipeline.stac_catalogue import files as stac
from satfusion_assets.pipeline.table_files import TableLayout
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.scenarios import Mode, Strategy
from satfusion_assets_tests.orchestration.checks import products as made
from satfusion_assets_tests.orchestration.checks.products import BTI, DAYS, SCENE_DAYS, SEASON, SITE
from satfusion_assets_tests.orchestration.checks.spoils import (
    PHENOLOGY,
    Spoil,
    all_filled,
    all_scaled,
    deviating,
    each,
    edited,
    excluded,
    filled,
    moved,
    of_the_gap,
    rebanded,
    scaled,
    scene,
    statistics,
    without,
)

PREPARED_BTI = PreparedLayout(Strategy.AGGRESSIVE, Mode.BTI)
SCENE = raw_scene("s2", made.scene_name(SCENE_DAYS[3]))
OVERPASS = raw_scene("s3", made.scene_name(DAYS[5]))
S2_NAMES = [raw_scene("s2", made.scene_name(day)) for day in SCENE_DAYS]
S3_NAMES = [raw_scene("s3", made.scene_name(day)) for day in DAYS[::5]]
FUSED_NAMES = [FusedLayout(BTI).image(day) for day in DAYS]
GREEN = f"{PHENOCAM_GCC}.json"
SCORE_ROWS, GAP_ROWS = TableLayout.scores("parquet"), TableLayout.gaps("parquet")

SPOILED: list[tuple[str, str, str, Spoil]] = [
    ("raw_s2", "bands_and_grid", "a scene half a hectare away", moved(SCENE)),
    ("raw_s2", "bands_and_grid", "bands in another order", rebanded(SCENE)),
    ("raw_s2", "bands_and_grid", "a scene without classification", without(raw_scl(made.scene_name(SCENE_DAYS[3])))),
    ("raw_s2", "values", "every sixth scene blank", each(S2_NAMES[::6], lambda name: filled(name, 0))),
    ("raw_s2", "values", "every sixth scene too bright", each(S2_NAMES[::6], lambda name: filled(name, 30_000))),
    ("raw_s2", "values", "reflectance instead of digital numbers", all_scaled("raw/s2/", 1e-3)),
    ("raw_s2", "offset", "an offset that nobody decided", scene("offset_decision", "")),
    ("raw_s2", "offset", "an offset that does not exist", scene("offset_subtracted", 500)),
    ("raw_s2", "offset", "an offset taken off twice", each(S2_NAMES, lambda name: filled(name, 1))),
    (
        "raw_s2",
        "no_duplicates",
        "acquisitions twice",
        edited(
            S2_SCENES,
            lambda record: (
                [s.update(sensed=record["scenes"][n // 2]["sensed"]) for n, s in enumerate(record["scenes"])] and record
            ),
        ),
    ),
    ("raw_s2", "coverage", "most of the archive set aside", edited(S2_SCENES, lambda r: r.update(set_aside=[{}] * 20))),
    (
        "raw_s2",
        "coverage",
        "three months without a scene",
        without(*(raw_scene("s2", made.scene_name(day)) for day in SCENE_DAYS[5:11])),
    ),
    ("raw_s3", "bands_and_grid", "an overpass on another grid", moved(OVERPASS)),
    ("raw_s3", "values", "percent instead of reflectance", all_scaled("raw/s3/", 100)),
    ("raw_s3", "values", "every fifth overpass blank", each(S3_NAMES[::5], lambda name: filled(name, np.nan))),
    (
        "raw_s3",
        "no_duplicates",
        "overpasses twice",
        edited(S3_OVERPASSES, lambda record: record["overpasses"].extend(record["overpasses"])),
    ),
    (
        "raw_s3",
        "coverage",
        "a month without data",
        without(*(raw_scene("s3", f"{d:%Y%m%d}_0") for d in DAYS[100:130:5])),
    ),
    (
        "raw_phenocam",
        "series",
        "greenness in percent",
        edited(GREEN, lambda r: [d.update(greenness_index=42.0) for d in r] and r),
    ),
    ("raw_phenocam", "series", "a day twice", edited(GREEN, lambda rows: rows.insert(5, rows[4]))),
    ("raw_phenocam", "coverage", "a camera of six weeks", edited(GREEN, lambda rows: rows[:42])),
    (
        "raw_phenocam",
        "coverage",
        "most pictures refused",
        edited(PHENOCAM_ROIS, lambda r: r["pictures"].update({f"{d:%Y%m%d}": "/data/b.jpg" for d in DAYS[1:6]})),
    ),
    ("raw_s2", "coverage", "a recorded scene lost", without(SCENE)),
    (
        "camera_phenology",
        "dates",
        "no green-up",
        edited(PHENOCAM_PHENOLOGY, lambda r: r.update(green_up_50pct_date=None)),
    ),
    (
        "camera_phenology",
        "dates",
        "green-down before green-up",
        edited(PHENOCAM_PHENOLOGY, lambda r: r.update(green_down_50pct_date="2024-02-01")),
    ),
    ("preselected", "every_scene", "a scene not judged", edited(preselection("s2", "json"), lambda rows: rows[1:])),
    ("preselected", "something_kept", "nothing kept", excluded(Strategy.AGGRESSIVE, 0)),
    ("preselected", "share_excluded", "nearly nothing kept", excluded(Strategy.NONAGGRESSIVE, 1)),
    ("prepared_bti", "grid", "an image beside the grid", moved(PREPARED_BTI.fine(SCENE_DAYS[4]))),
    ("prepared_bti", "grid", "no coarse image", without(*(PREPARED_BTI.coarse(day) for day in SCENE_DAYS))),
    ("prepared_bti", "values", "digital numbers", all_scaled("_REFL.tif", 1e4)),
    ("prepared_bti", "values", "bands in another order", rebanded(PREPARED_BTI.fine(SCENE_DAYS[4]))),
    ("prepared_bti", "cloud_distance", "a negative distance", filled(PREPARED_BTI.cloud_distance(SCENE_DAYS[2]), -1)),
    ("prepared_bti", "cloud_distance", "clouds everywhere", all_scaled("DIST_CLOUD", 0)),
    (
        "prepared_bti",
        "mask_share",
        "hardly a clear pixel",
        edited(
            PREPARED_BTI.summary, lambda record: [row.update(valid_fraction=0.02) for row in record["s2"]] and record
        ),
    ),
    ("prepared_itb", "values", "greenness above one", all_scaled("_GCC.tif", 3)),
    ("fused", "grid", "an image beside the grid", moved(FusedLayout(BTI).image(DAYS[100]))),
    ("fused", "day_coverage", "a summer missing", without(*(FusedLayout(BTI).image(day) for day in DAYS[150:250]))),
    (
        "fused",
        "day_coverage",
        "a day without a reason",
        edited(FusedLayout(BTI).status, lambda r: dict([*r.items()][1:])),
    ),
    ("fused", "range", "impossible reflectance", each(FUSED_NAMES[10:30], lambda name: filled(name, 3))),
    ("fused", "jumps", "a flash", filled(FusedLayout(BTI).image(DAYS[10]), 0.9)),
    ("fused", "calibration", "a deviation far too small", deviating(0.1)),
    ("fused", "calibration", "a deviation far too large", deviating(50)),
    ("phenology", "grid", "a map beside the grid", moved(PHENOLOGY.dates("rising_25"))),
    ("phenology", "order", "green-down before green-up", all_filled("falling_50", (40, 35, 45))),
    ("phenology", "order", "a date outside its interval", all_filled("rising_10", (90, 95, 99))),
    ("phenology", "dated", "no season anywhere", filled(PHENOLOGY.dates("rising_50"), np.nan)),
    (
        "pack",
        "readable",
        "a pack cut short",
        edited(f"{pack_folder(BTI)}/fused/zarr.json", lambda content: content[:20]),
    ),
    ("gap_benchmark", "summaries", "a scenario forgotten", without(GapLayout().summary(made.ITB))),
    (
        "processed",
        "series",
        "a series without its images",
        edited(ProcessedLayout(BTI).series("gcc", "s2"), lambda r: r[1:]),
    ),
    (
        "processed",
        "window",
        "a window beside the camera",
        edited(ProcessedLayout(BTI).window, lambda r: r.update(site_pixel=None)),
    ),
    (
        "processed",
        "greenness",
        "no greenness at the camera",
        edited(
            ProcessedLayout(BTI).series("gcc", "fusion"),
            lambda rows: [row.update(greenness_index=None) for row in rows] and rows,
        ),
    ),
    ("scenario_metrics", "skill", "no correlation", statistics(pearson_r=0.1)),
    ("scenario_metrics", "skill", "a handful of days", statistics(n_samples=5)),
    (
        "metrics",
        "all_scenarios",
        "a scenario missing",
        edited(METRICS_FILE, lambda r: r["temporal"].update({BTI.score_key: None})),
    ),
    (
        "metrics",
        "skill",
        "worse than the mean",
        edited(METRICS_FILE, lambda r: [s.update(nse=-0.3) for s in r["temporal"].values()] and r),
    ),
    ("score_table", "rows", "a series twice", edited(SCORE_ROWS, lambda rows: rows + rows[:1])),
    (
        "score_table",
        "rows",
        "a site-season missing",
        edited(SCORE_ROWS, lambda rows: [r | {"season": 2023} for r in rows]),
    ),
    (
        "score_table",
        "scored",
        "a series without a score",
        edited(SCORE_ROWS, lambda rows: [rows[0] | {"nse_pc": None}, rows[1]]),
    ),
    ("stac_catalogue", "items", "an item missing", lambda files: files.pop(stac.item(SEASON, BTI))),
    ("stac_catalogue", "items", "a season without days", edited(stac.INDEX, lambda rows: [{"id": "other_20240101"}])),
    (
        "gap_benchmark",
        "same_pixels",
        "one method on fewer pixels",
        of_the_gap(
            spatial={name: {"gcc": {"n_pixels": n, "estimated_share": 1}} for name, n in (("linear", 8), (BTI.key, 9))}
        ),
    ),
    ("gap_benchmark", "withheld", "a gap without scenes", of_the_gap(n_withheld_pixels=0)),
    (
        "gap_benchmark",
        "fusion_answers",
        "silence",
        of_the_gap(spatial={BTI.key: {"gcc": {"n_pixels": 9, "estimated_share": 0.2}}}),
    ),
    ("gap_table", "rows", "a method twice", edited(GAP_ROWS, lambda rows: rows + rows[:1])),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> ProductStore:
    store = ProductStore(tmp_path_factory.mktemp("store"))
    for product, make in made.MAKERS.items():
        made.publish(store, product, make())
    return store


@pytest.mark.parametrize("product", made.MAKERS, ids=lambda product: product.slug)
def test_a_good_product_meets_every_criterion(good: ProductStore, product: Product) -> None:
    verdicts = evaluate(good, SITE, product, REGISTRY.criteria(product.name))
    assert {name: found.says for name, found in verdicts.items() if not found.passed} == {}


@pytest.mark.parametrize(
    ("name", "criterion", "what", "spoil"), SPOILED, ids=[" ".join(map(str, case[:3])) for case in SPOILED]
)
def test_a_bad_product_breaks_the_criterion_it_was_made_to_break(
    tmp_path: Path, name: str, criterion: str, what: str, spoil: Spoil
) -> None:
    store = ProductStore(tmp_path)
    product = next(product for product in made.MAKERS if product.name == name)
    files = made.MAKERS[product]()
    if name == "score_table":
        made.publish(store, Product("metrics", SEASON), made.metrics())
    if name == "stac_catalogue":
        made.publish(store, Product("processed", SEASON, BTI.key), made.processed(BTI))
    if name == "fused":
        made.publish(store, Product("prepared_bti", SEASON, "aggressive"), made.prepared(Mode.BTI))
    if name == "preselected":
        made.publish(store, Product("raw_s2", SEASON), made.raw_s2())
        made.publish(store, Product("raw_s3", SEASON), made.raw_s3())
    spoil(files)
    made.publish(store, product, files)
    verdicts = evaluate(store, SITE, product, REGISTRY.criteria(name))
    assert not verdicts[criterion].passed, what
    assert verdicts["files"].passed


SINGLE: list[tuple[str, str, str, Spoil]] = [
    ("raw_s2", "values", "a blank scene", filled(SCENE, 0)),
    ("raw_s2", "values", "a scene of saturated pixels", filled(SCENE, 65535)),
    ("raw_s2", "offset", "a scene without light", filled(SCENE, 1)),
    ("raw_s2", "no_duplicates", "an acquisition twice", scene("sensed", f"{SCENE_DAYS[1]}T10:10:00+00:00")),
    ("raw_s3", "values", "a blank overpass", filled(OVERPASS, np.nan)),
    ("raw_s3", "values", "an overpass in percent", scaled(OVERPASS, 1000)),
    (
        "raw_s3",
        "no_duplicates",
        "an overpass twice",
        edited(S3_OVERPASSES, lambda record: record["overpasses"].append(record["overpasses"][0])),
    ),
    ("raw_phenocam", "series", "a day in percent", edited(GREEN, lambda r: r[9].update(greenness_index=42.0))),
    ("prepared_bti", "values", "an image in digital numbers", scaled(PREPARED_BTI.fine(SCENE_DAYS[4]), 1e4)),
    ("fused", "range", "a day of impossible reflectance", filled(FusedLayout(BTI).image(DAYS[10]), 3)),
    (
        "processed",
        "greenness",
        "a day without sense",
        edited(ProcessedLayout(BTI).series("gcc", "fusion"), lambda rows: rows[3].update(greenness_index=2.0)),
    ),
]
"""One scene, overpass, day or image that is odd by itself."""


@pytest.mark.parametrize(("name", "criterion", "what", "spoil"), SINGLE, ids=[" ".join(case[:3]) for case in SINGLE])
def test_a_single_odd_one_is_named_and_ends_no_season(
    tmp_path: Path, name: str, criterion: str, what: str, spoil: Spoil
) -> None:
    store = ProductStore(tmp_path)
    product = next(product for product in made.MAKERS if product.name == name)
    files = made.MAKERS[product]()
    spoil(files)
    made.publish(store, product, files)
    held_to = [one for one in REGISTRY.criteria(name) if one.name == criterion]
    assert held_to[0].blocking
    found = evaluate(store, SITE, product, held_to)[criterion]
    assert found.passed, (what, found.says)
    assert len(found.offenders) == found.numbers["odd"] == 1, what
    assert re.match(r"(\d+) of (\d+) ", found.says) or "1 outside" in found.says, "how many are left"


def test_a_right_deviation_of_the_mean_of_four_scenes_is_not_called_too_small(tmp_path: Path) -> None:
    """Scenes of noise q; the image is the mean of four: its variance is v = q / 4, and a scene that is one of the four
    differs from it by 3 v, so that 44 % of its pixels lie within one right deviation.
    """
    store, product = ProductStore(tmp_path), FUSED.of(SEASON, BTI)
    files = made.fused(BTI)
    files |= made.quality(BTI, made.SCENE_NOISE / np.sqrt(3))
    for noise in files[FusedLayout(BTI).scene_noise].values():
        noise.update(dict.fromkeys(noise, made.SCENE_NOISE * np.sqrt(4 / 3)))
    made.publish(store, Product("prepared_bti", SEASON, "aggressive"), made.prepared(Mode.BTI))
    made.publish(store, product, files)
    found = evaluate(store, SITE, product, REGISTRY.criteria("fused"))["calibration"]
    assert found.passed, found.says
    assert found.numbers["share_within"] == pytest.approx(0.44, abs=0.04)
    assert found.numbers["share_within_with_noise"] == pytest.approx(0.80, abs=0.04)


def test_a_scene_of_unknown_noise_is_judged_by_the_deviation_alone(tmp_path: Path) -> None:
    store, product = ProductStore(tmp_path), FUSED.of(SEASON, BTI)
    files = made.fused(BTI)
    for noise in files[FusedLayout(BTI).scene_noise].values():
        noise.update(dict.fromkeys(noise))
    made.publish(store, Product("prepared_bti", SEASON, "aggressive"), made.prepared(Mode.BTI))
    made.publish(store, product, files)
    found = evaluate(store, SITE, product, REGISTRY.criteria("fused"))["calibration"]
    assert found.numbers["share_within"] == found.numbers["share_within_with_noise"] == pytest.approx(0.68, abs=0.02)


def test_dark_ground_that_proves_its_offset_speaks_against_nothing(tmp_path: Path) -> None:
    store, product = ProductStore(tmp_path), Product("raw_s2", SEASON)
    files = made.raw_s2()
    each(S2_NAMES, lambda name: filled(name, 1))(files)
    for one in files[S2_SCENES]["scenes"]:
        one["dark_pixel_test"] = "offset in the pixels"
    made.publish(store, product, files)
    assert evaluate(store, SITE, product, REGISTRY.criteria("raw_s2"))["offset"].passed


def test_a_file_that_rots_on_disk_is_found(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    product = Product("metrics", SEASON)
    made.publish(store, product, made.metrics())
    (store.folder(SEASON) / METRICS_FILE).resolve().write_text("{}")
    assert not evaluate(store, SITE, product, REGISTRY.criteria("metrics"))["files"].passed


def test_every_criterion_has_a_product_that_breaks_it() -> None:
    shared = {"prepared_itb": "prepared_bti"}
    broken = {(name, criterion) for name, criterion, _, _ in SPOILED}
    missing = [
        (name, one.name)
        for name in REGISTRY.names
        for one in REGISTRY.criteria(name)
        if one is not FILES and (shared.get(name, name), one.name) not in broken
    ]
    assert not missing
