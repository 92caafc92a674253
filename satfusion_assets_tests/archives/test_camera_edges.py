"""Mutations of real samples at the edges to PhenoCam and to sites.geojson: valid, or one typed error."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from satfusion_assets.archives.phenocam import PhenoCam, Region, choose_region, decode_summary, parse_one_day_summary
from satfusion_assets.archives.phenocam.regions import read_regions
from satfusion_assets.vocabulary.errors import ArchiveError, InvalidInput, NoData, SatfusionError
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.sites import FIRST_SEASON, Site, SiteRegistry, read_sites
from satfusion_assets_tests.archives.conftest import FIXTURES, archive
from satfusion_assets_tests.mutations import mutated_bytes, mutated_json

SUMMARY = (FIXTURES / "harvard_DB_0001_1day.csv").read_bytes()
LISTED = list(csv.DictReader((FIXTURES / "phenocam_rois_20240115.csv").open(encoding="utf-8")))
SITES = (Path(__file__).parents[2] / "satfusion_assets" / "default_sites.geojson").read_bytes()
FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
START, END = date(2023, 1, 1), date(2023, 12, 31)


def entry(row: dict[str, str]) -> dict[str, Any]:
    """A row of the network's list as the API lists it; one without dates has no summary either."""
    name = f"{row['site']}_{row['veg_type']}_{int(row['roi_id_number']):04d}"
    dates = {day: None if row[day] == "None" else row[day] for day in ("first_date", "last_date")}
    return {
        "roi_name": name, "site": row["site"], "roitype": row["veg_type"], "active": True,
        "sequence_number": int(row["roi_id_number"]), "missing_data_pct": row["missing_data_pct"], **dates,
        "one_day_summary": f"/data/archive/{row['site']}/ROI/{name}_1day.csv" if dates["first_date"] else None,
    }  # fmt: skip


def regions_of(name: str) -> list[dict[str, Any]]:
    return [entry(row) for row in LISTED if row["site"] == name]


@pytest.mark.parametrize(
    ("name", "chosen"), [("flagstaff2", "flagstaff2_GR_1000"), ("bnzrichfen", "bnzrichfen_WL_1000")]
)
def test_real_regions_without_dates_are_not_preferred(name: str, chosen: str) -> None:
    regions = read_regions(regions_of(name), name)
    assert regions.left_out == ()
    site = Site(name=name, latitude=40, longitude=0, vegetation=chosen.split("_")[1])
    assert choose_region(site, regions, START, END).region.name == chosen


def answering(content: bytes) -> PhenoCam:
    return PhenoCam("https://phenocam.example", archive(lambda request: httpx.Response(200, content=content)))


def summary(seed: int) -> None:
    days = parse_one_day_summary(decode_summary(mutated_bytes(SUMMARY, seed), "file"), "file")
    assert all(earlier.day < later.day for earlier, later in pairwise(days))
    for day in days:
        assert math.isnan(day.gcc_90) or 0 < day.gcc_90 < 1
        assert 0 <= day.image_count <= 86_400
        assert {type(day.snow), type(day.outlier)} <= {bool, type(None)}
        assert len(day.midday or "") <= 200
    assert len(days.left_out) <= max(3, 0.1 * (len(days) + len(days.left_out)))


def regions(seed: int) -> None:
    listed = regions_of("eslm1") + regions_of("flagstaff2")
    page = {"count": len(listed), "next": None, "previous": None, "results": listed}
    found = answering(mutated_json(page, seed)).regions("eslm1")
    names = [region.name for region in found]
    assert len(set(names)) == len(names)
    for region in found:
        assert region.site == "eslm1"
        assert FILE_NAME.fullmatch(region.name)
        assert re.fullmatch("[A-Z]{2}", region.vegetation)
        assert {type(region.first), type(region.last)} <= {date, type(None)}
        assert region.missing_data_pct is None or 0 <= region.missing_data_pct <= 100
        assert Region.model_validate_json(region.model_dump_json(by_alias=True)) == region
    if found:
        choose_region(Site(name="eslm1", latitude=40, longitude=0), found, START, END)


def camera(seed: int) -> None:
    meta = {"site_acknowledgements": "We thank them.", "utc_offset": 1, "primary_veg_type": "EB"}
    record = {"Sitename": "eslm1", "Lat": 39.94, "Lon": -5.77, "utc_offset": 1, "sitemetadata": meta}
    found = answering(mutated_json(record, seed)).camera("eslm1")
    for value, most in ((found.latitude, 90), (found.longitude, 180), (found.utc_offset_hours, 14)):
        assert value is None or (math.isfinite(value) and abs(value) <= most)
    assert isinstance(found.acknowledgement, str)
    assert isinstance(found.fair_use, str)


def pictures(seed: int) -> None:
    days = [f"2023_0{month}_{day:02d}" for month in (1, 2) for day in range(1, 29)]
    listed = [
        {"imgpath": f"/data/archive/eslm1/eslm1{'_IR' if n % 9 == 0 else ''}_{d}_120005.jpg"}
        for n, d in enumerate(days)
    ]
    found = answering(mutated_json(listed, seed)).pictures("eslm1")
    assert all(earlier.day < later.day for earlier, later in pairwise(found))
    assert all("/eslm1_20" in f"/{picture.path}" and "_IR_" not in picture.path for picture in found)


def sound(site: Site) -> None:
    assert -80 <= site.latitude <= 84
    assert -180 <= site.longitude < 180
    assert list(site.seasons) == sorted(set(site.seasons))
    assert all(FIRST_SEASON <= year <= date.today().year + 1 for year in site.seasons)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", site.name)
    assert site.elevation is None or math.isfinite(site.elevation)
    assert site_grid(site).fine.shape[0] == site.extent_m // 10


def sites(seed: int, folder: Path) -> None:
    """As a list to import, and as the registry itself, which is written and read again."""
    content = mutated_bytes(SITES, seed) if seed % 3 == 0 else mutated_json(json.loads(SITES), seed)
    reading = read_sites(content, "list")
    names = [site.name.casefold() for site in reading.sites]
    assert len(set(names)) == len(names)
    for site in reading.sites:
        sound(site)
    path = folder / f"{seed}.geojson"
    path.write_bytes(content)
    registry = SiteRegistry.load(path)
    assert not reading.troubles
    written = registry.add(Site(name="another", latitude=1, longitude=2))
    assert SiteRegistry.load(path).sites == written.sites == (*registry.sites, written.site("another"))


def campaign(quick: int, long: int) -> Any:
    """Seeds of the quick suite, and those of the long one."""
    return pytest.mark.parametrize(
        "seeds",
        [pytest.param(range(quick), id="quick"), pytest.param(range(quick, long), id="long", marks=pytest.mark.slow)],
    )


@campaign(12, 300)
@pytest.mark.parametrize("edge", [summary, regions, camera, pictures], ids=lambda edge: edge.__name__)
def test_a_mutated_answer_of_phenocam_is_valid_or_a_typed_error(edge: Callable[[int], None], seeds: range) -> None:
    accepted = 0
    for seed in seeds:
        try:
            edge(seed)
            accepted += 1
        except (ArchiveError, NoData) as error:
            one_sentence(error)
    assert accepted > len(seeds) / 10, "a campaign of refusals alone tries nothing"


@campaign(15, 400)
def test_a_mutated_file_of_sites_is_valid_or_a_typed_error(tmp_path: Path, seeds: range) -> None:
    accepted = 0
    for seed in seeds:
        try:
            sites(seed, tmp_path)
            accepted += 1
        except InvalidInput as error:
            one_sentence(error)
    assert accepted > len(seeds) / 10, "a campaign of refusals alone tries nothing"


def one_sentence(error: SatfusionError) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 1500
