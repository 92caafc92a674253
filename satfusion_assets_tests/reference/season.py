"""A site-season of 60 x 60 pixels made of plain formulas, and every product that the stages make of it.

It is not a landscape to judge a method by: it is there so that whatever the code does to numbers shows. So it has what
the code decides about: clouds that the classification knows and misses, snow, dark and defective pixels, whole scenes
that are dark or fall, missing overpasses, a camera with outliers, and two patches that green up at other times.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.evaluation.gaps.windows import Transition
from satfusion_assets.phenology.camera import flag_outliers
from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.camera_phenology.camera import camera_phenology
from satfusion_assets.pipeline.fused.fuse import fuse_season
from satfusion_assets.pipeline.gap_benchmark.benchmark import Experiment, gap_experiment
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.gap_table.tabulate import tabulate_gaps
from satfusion_assets.pipeline.metrics.roll_up import roll_up
from satfusion_assets.pipeline.pack.pack import pack_season
from satfusion_assets.pipeline.phenology.date_maps import phenology_maps
from satfusion_assets.pipeline.prepared.prepare import prepare
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.pipeline.preselected.preselect import preselect
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_GCC_3Y, PHENOCAM_REGIONS
from satfusion_assets.pipeline.raw_s2.files import raw_scl
from satfusion_assets.pipeline.scenario_metrics.score import score_scenario
from satfusion_assets.pipeline.score_table.tabulate import tabulate_scores
from satfusion_assets.pipeline.stac_catalogue.catalogue import catalogue
from satfusion_assets.store import ALL_SEASONS, Product, Store
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.scenarios import S2_BANDS, S3_BANDS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import Site, SiteSeason

HERE: Final = SiteSeason("reference", 2023)
SITE: Final = Site(name="reference", latitude=47.116, longitude=11.32, seasons=(2023,), extent_m=600)
SCENARIOS: Final = (
    Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20),
    Scenario(Strategy.NONAGGRESSIVE, Mode.ITB, 30),
    Scenario(Strategy.AGGRESSIVE, Mode.ITB, None),
)
WINTER: Final = np.array([0.04, 0.06, 0.07, 0.18])
SUMMER: Final = np.array([0.03, 0.09, 0.04, 0.42])
DAYS: Final = [HERE.raw_start + timedelta(n) for n in range((HERE.raw_end - HERE.raw_start).days + 1)]
SCENES: Final = DAYS[2::6]
NAMES: Final = {day: f"{day:%Y%m%d}_0" for day in DAYS}


def noise(seed: int, *shape: int) -> NDArray[np.float64]:
    """Numbers in [0, 1) without an order to the eye, the same on every machine and with every library."""
    words = np.arange(int(np.prod(shape)), dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed * 40503 + 12345)
    for shift in (13, 7, 17):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(0x9E3779B97F4A7C15)
    return ((words >> np.uint64(40)).astype(np.float64) / 2**24).reshape(shape)


def greenness(day: date, late: float | NDArray[np.float64] = 0.0) -> NDArray[np.float64]:
    """0 in winter, 1 in summer; a meadow's cut in July. late: days."""
    number = day.toordinal() - date(HERE.season, 1, 1).toordinal() - np.asarray(late, np.float64)
    rise, fall = 1 / (1 + np.exp((122 - number) / 8)), 1 / (1 + np.exp((275 - number) / 8))
    cut = 0.35 * np.exp(-(((number - 196) / 9) ** 2))
    return np.asarray(np.clip(rise - fall - cut, 0, 1))


def surface(day: date, shape: Any) -> NDArray[np.float64]:
    """Reflectance (4, H, W): a half that greens up 20 days later, with texture."""
    late = np.where(np.arange(shape[1]) < shape[1] // 2, 0.0, 20.0)[None, :] + 4 * noise(3, *shape)
    green = greenness(day, late)[None]
    ground = WINTER[:, None, None] * (1 - green) + SUMMER[:, None, None] * green
    return np.asarray(ground * (0.9 + 0.2 * noise(5, 1, *shape)))


def sentinel2(number: int, day: date, grid: SiteGrid) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Digital numbers and classes of one scene."""
    seen = surface(day, grid.fine.shape) + 0.004 * (noise(100 + number, 1, *grid.fine.shape) - 0.5)
    scl = np.full(grid.scl.shape, 4, np.uint8)
    rows, columns = np.indices(scl.shape)
    if number % 3 == 1:
        scl[(rows + 2 * columns + 37 * number) % 240 < 60 + 20 * (number % 4)] = (3, 8, 9, 10)[number % 4]
    if number % 11 == 5:
        scl[:] = 11
        seen += 0.5
    if number % 7 == 4:
        seen[:, 20:40, 10:35] += 0.12  # a cloud that no class knows
    if number % 7 == 5:
        seen[:, 5:20, 30:50] *= 0.5  # and a shadow
    if number % 13 == 6:
        seen *= 0.06  # a dark scene
    if number % 17 == 8:
        seen[3] *= 0.4  # a sudden fall of NDVI
    margin = (np.array(scl.shape) * 2 - np.array(grid.fine.shape)) // 4
    middle = (
        slice(margin[0], margin[0] + grid.fine.shape[0] // 2),
        slice(margin[1], margin[1] + grid.fine.shape[1] // 2),
    )
    if number % 5 == 2:
        scl[middle][3:6, 4:9] = 1  # defective
        scl[middle][10:13, 4:9] = 2
    cloudy = np.isin(scl[middle], (8, 9, 10)).repeat(2, 0).repeat(2, 1)
    dn = np.clip(np.round(10_000 * np.where(cloudy, 0.4, seen)), 1, 65535).astype(np.uint16)
    if number % 9 == 3:
        dn[:, :4, :] = 0  # beyond the granule
        dn[1, 30, 30], dn[0, 31, 31] = 65535, 1
    return dn, scl


def publish_raw(store: Store) -> None:
    """The three raw products, as the stages downstream read them."""
    grid = site_grid(SITE)
    with store.publish(Product("raw_s2", HERE)) as draft:
        for number, day in enumerate(SCENES):
            dn, scl = sentinel2(number, day, grid)
            draft.write_raster(raw_scene("s2", NAMES[day]), dn, grid.fine, nodata=0, descriptions=S2_BANDS)
            draft.write_raster(raw_scl(NAMES[day]), scl, grid.scl, nodata=255)
    facts = {"product": "olci_l1b", "quantity": "top-of-atmosphere reflectance"}
    with store.publish(Product("raw_s3", HERE), parameters=facts) as draft:
        for number, day in enumerate(DAYS):
            if number % 10 == 7:
                continue
            values = surface(day, grid.fine.shape).reshape(4, 2, 30, 2, 30).mean(axis=(2, 4))
            values += np.array([0.08, 0.04, 0.02, 0.0])[:, None, None] + 0.004 * (noise(900 + number, 4, 2, 2) - 0.5)
            values += 0.3 * (noise(1900 + number, 1, 2, 2) > 0.7)
            values[:, noise(2900 + number, 2, 2) > 0.9] = np.nan
            name = raw_scene("s3", NAMES[day])
            draft.write_raster(name, values.astype(np.float32), grid.coarse, nodata=np.nan, descriptions=S3_BANDS)
    publish_camera(store)


def camera() -> tuple[list[date], NDArray[np.float64]]:
    """Days and gcc_90 of three years, with outliers and a gap."""
    first = date(HERE.season - 1, 1, 1)
    days = [first + timedelta(n) for n in range(3 * 365 + 1) if not 500 < n < 512]
    turn = [
        greenness(day.replace(year=HERE.season) if (day.month, day.day) != (2, 29) else date(HERE.season, 3, 1))
        for day in days
    ]
    values = 0.33 + 0.11 * np.array(turn) + 0.006 * (noise(7, len(days)) - 0.5)
    values[::97] += 0.05
    return days, values


def publish_camera(store: Store) -> None:
    days, values = camera()
    rows = [
        {"date": f"{day}", "greenness_index": round(float(value), 5)} for day, value in zip(days, values, strict=True)
    ]
    own = [row for row in rows if str(row["date"]).startswith(str(HERE.season))]
    with store.publish(Product("raw_phenocam", HERE), parameters={"region": "reference_GR_1000"}) as draft:
        draft.write_json(f"{PHENOCAM_GCC}.json", own)
        draft.write_json(PHENOCAM_GCC_3Y, rows)
        draft.write_json(PHENOCAM_REGIONS, {"reference_GR_1000": {"vegetation": "GR", "series": rows}})


def make_all(store: Store) -> Mapping[str, list[Product]]:
    """Publish everything there is of the season; the products to look at, by name."""
    publish_raw(store)
    made: dict[str, list[Product]] = {"camera_phenology": [Product("camera_phenology", HERE)]}
    camera_phenology(store, HERE)
    preselect(store, SITE, HERE)
    made["preselected"] = [Product("preselected", HERE)]
    strategies = {scenario.strategy for scenario in SCENARIOS}
    for scenario in SCENARIOS:
        for mode in {scenario.mode, Mode.BTI}:
            prepare(store, SITE, HERE, scenario.strategy, mode, smoothing_days=5)
            made.setdefault(PREPARED[mode].name, []).append(PREPARED[mode].of(HERE, scenario.strategy))
        fuse_season(store, SITE, HERE, scenario)
        process(store, SITE, HERE, scenario)
        score_scenario(store, HERE, scenario)
        phenology_maps(store, SITE, HERE, scenario)
        pack_season(store, HERE, scenario)
        for name in ("fused", "processed", "scenario_metrics", "phenology", "pack"):
            made.setdefault(name, []).append(Product(name, HERE, scenario.key))
    roll_up(store, HERE)
    tabulate_scores(store, [HERE])
    experiment = Experiment((30,), (Transition.GREEN_UP,), scenarios=SCENARIOS[: len(strategies)])
    gap_experiment(store, SITE, HERE, experiment)
    gaps = Product("gap_experiment", HERE, experiment.name)
    with store.read(gaps) as view, store.publish(Product("gap_benchmark", HERE)) as draft:
        draft.write_json(GapLayout().metrics, view.read_json(GapLayout.experiment(experiment.name).metrics))
    tabulate_gaps(store, [HERE])
    catalogue(store, [HERE])
    made |= {"metrics": [Product("metrics", HERE)], "gap_benchmark": [gaps], "gap_experiment": [gaps]}
    return made | {name: [Product(name, ALL_SEASONS)] for name in ("score_table", "stac_catalogue", "gap_table")}


def outliers() -> NDArray[Any]:
    """What the camera's own days are screened by."""
    days, values = camera()
    return flag_outliers(np.array(days, "datetime64[D]"), values)
