"""Whatever comes from the back-end is an answer to what was asked, or one typed error.

Real answers, changed in one to three places by a seeded generator: a NetCDF in its structure, its numbers and its
bytes, in all its forms, and the lists of jobs, logs and results. An accepted cube fulfils its request (times, grid,
projection, place, range, finite); an accepted list leads to addresses that can be fetched and ids that are ids.
"""

from __future__ import annotations

import copy
import json
import random
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import pytest

from satfusion_assets.archives.copernicus import (
    Cube,
    CubeRequest,
    overpasses_on_grid,
    read_cube,
)
from satfusion_assets.archives.copernicus.answers import (
    JobPage,
    JobState,
    LogPage,
    Results,
    files_of,
    found_nothing,
    job_id_of,
    netcdf_among,
    parsed,
)
from satfusion_assets.sandbox.server.spoilt import Form
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets_tests.archives.conftest import FIXTURES
from satfusion_assets_tests.archives.cube_changes import (
    CHANGES,
    END,
    GRID,
    OLCI,
    REQUESTS,
    START,
    SYN,
    as_bytes,
    damaged,
    sample,
)

ADDRESS = "https://openeo.dataspace.copernicus.eu/openeo/1.2/jobs/j-1/results"
A_BLOCK: Final = 30
BLOCKS: Final = 18
"""Blocks of cubes, and as many of lists: 1080 cases, of which the first block of each is tried every day."""


def assert_fulfilled(cube: Cube, request: CubeRequest) -> None:
    """The cube, and what is made of it, is an answer to the request."""
    start = datetime.combine(request.start, datetime.min.time(), UTC)
    assert all(start <= time < start + timedelta(days=(END - START).days + 1) for time in cube.times)
    steps, bands, rows, columns = cube.values.shape
    assert (steps, bands, rows, columns) == (len(cube.times), 4, *cube.geobox.shape)
    assert len(cube.cloudy) == len(cube.impossible) == steps
    assert cube.values.dtype == np.float32
    known = cube.values[~np.isnan(cube.values)]
    assert np.isfinite(known).all()
    assert ((known >= -0.2) & (known <= 2.0)).all()
    assert cube.geobox.crs is not None
    assert cube.geobox.crs.epsg == request.epsg
    assert cube.geobox.resolution.x == pytest.approx(300, abs=0.5)
    assert cube.geobox.resolution.y == pytest.approx(-300, abs=0.5)
    box, (left, right, bottom, top) = cube.geobox.boundingbox, request.needed
    assert box.left <= left + 300 and box.right >= right - 300  # noqa: PT018
    assert box.bottom <= bottom + 300 and box.top >= top - 300  # noqa: PT018
    found, _ = overpasses_on_grid([cube], GRID)
    assert [one.time for one in found] == sorted({one.time for one in found})
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert one.values.shape == (4, *GRID.coarse.shape)
        assert np.isfinite(one.values).any()
        assert ((one.values >= -0.2) & (one.values <= 2.0) | np.isnan(one.values)).all()


def blocks(count: int) -> list[Any]:
    return [pytest.param(block, marks=[pytest.mark.slow] if block else []) for block in range(count)]


@pytest.mark.parametrize("product", [OLCI, SYN], ids=lambda product: str(product.product))
@pytest.mark.parametrize("form", Form)
def test_the_sample_itself_is_accepted_in_every_form(product: Any, form: Form, tmp_path: Path) -> None:
    request = REQUESTS[product]
    cube = read_cube(as_bytes(sample(request), form, tmp_path), request, "the sample")
    assert_fulfilled(cube, request)
    assert len(cube.times) == 8


@pytest.mark.parametrize("block", blocks(BLOCKS))
def test_a_changed_cube_fulfils_its_request_or_is_one_typed_error(block: int, tmp_path: Path) -> None:
    accepted = 0
    for case in range(A_BLOCK):
        rng = random.Random(1000 * block + case)
        request = REQUESTS[rng.choice([OLCI, SYN])]
        cube, done = sample(request), []
        for change in rng.sample(CHANGES, rng.choice([0, 1, 1, 2, 3])):
            try:
                cube = change(cube, rng)
            except (KeyError, ValueError):
                continue  # an earlier change has taken away what this one changes
            done.append(change.__name__)
        form = rng.choice(list(Form))
        try:
            content = as_bytes(cube, form, tmp_path)
        except (KeyError, ValueError, TypeError):
            continue  # no such file can be written
        if not done or rng.random() < 0.25:
            content = damaged(content, rng)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = read_cube(content, request, "the answer")
        except ArchiveAnswerInvalid as error:
            assert_one_sentence(error)
        else:
            accepted += 1
            assert_fulfilled(answer, request)
    assert 0 < accepted < A_BLOCK, "both ends are reached"


# -- lists ---------------------------------------------------------------------------------------------------------


def documents() -> dict[str, tuple[Any, Callable[[Any], None]]]:
    """Real lists, and what an accepted one is good for."""
    results = {}
    for path in sorted(FIXTURES.glob("openeo_job_results_*.json")):
        document = json.loads(path.read_text("utf-8"))
        for asset in document["assets"].values():
            asset |= {"href": asset["href"].replace(".tif", ".nc").replace(".json", ".nc"), "type": "application/x-nc"}
        results[path.stem] = (document, fetch_result)
    listed = [{"id": f"j-24021551{n:04d}", "title": "t", "created": f"2024-02-0{n}T00:00:00Z"} for n in range(1, 5)]
    link = [{"rel": "next", "href": f"{ADDRESS}?offset=100&limit=100"}]
    lines = [{"id": "1", "level": "error", "message": "OpenEO batch job failed: NoDataAvailable: There is no data."}]
    return results | {
        "jobs": ({"jobs": listed, "links": link}, take_up_jobs),
        "log": ({"level": "error", "logs": lines * 2, "links": link}, read_log),
        "job": (listed[0] | {"status": "finished"}, lambda document: str(parsed(JobState, document, "job").status)),  # type: ignore[dict-item]
    }


def fetch_result(document: Any) -> None:
    file = netcdf_among(files_of(parsed(Results, document, "result"), ADDRESS), "j-1")
    parts = urlsplit(file.href)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert file.size is None or (type(file.size) is int and file.size >= 0)


def take_up_jobs(document: Any) -> None:
    page = parsed(JobPage, document, "list of jobs")
    assert page.next is None or all(isinstance(text, str) for pair in page.next.items() for text in pair)
    for job in page.entries():
        assert job_id_of(job.id) == job.id
        assert not set("/\\?#%") & set(job.id)
        assert job.id not in (".", "..")
        assert isinstance(job.title, str)
    max(page.entries(), key=lambda job: job.created, default=None)


def read_log(document: Any) -> None:
    assert found_nothing(parsed(LogPage, document, "log").entries()) in (True, False)


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else {}


JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    10**400,
    float("nan"),
    "",
    "../../etc/passwd",
    "x" * 100_000,
    "s3://bucket/openEO.nc",
    "https://[broken/openEO.nc",
    "http://a.example:port/openEO.nc",
    "//a.example/openEO.nc",
    "\x00\ud800",
    [],
    {},
    [None],
    {"href": 3},
    deep(200),
)


def changed(document: Any, rng: random.Random) -> Any:
    """One place of ``document`` replaced, taken out, or doubled under another name."""
    spots = list(places(document))
    node, key = rng.choice(spots)
    match rng.randrange(4):
        case 0:
            del node[key]
        case 1 if isinstance(node, dict):
            node[rng.choice(["15f40353_openEO", "href", "next", ""])] = copy.deepcopy(node[key])
        case _:
            node[key] = rng.choice(JUNK)
    return document


def places(node: Any) -> Any:
    keys = range(len(node)) if isinstance(node, list) else list(node)
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list) and node[key]:
            yield from places(node[key])


@pytest.mark.parametrize("block", blocks(BLOCKS))
def test_a_changed_list_is_usable_or_one_typed_error(block: int) -> None:
    for case in range(A_BLOCK):
        rng = random.Random(1000 * block + case)
        document, use = documents()[rng.choice(sorted(documents()))]
        for _ in range(rng.choice([1, 1, 2, 5])):
            if document:
                document = changed(document, rng)
        if rng.random() < 0.05:
            document = rng.choice(JUNK)
        try:
            use(document)
        except ArchiveAnswerInvalid as error:
            assert_one_sentence(error)


def assert_one_sentence(error: ArchiveAnswerInvalid) -> None:
    says = str(error)
    assert says.endswith(".")
    assert "\n" not in says
    assert len(says) < 1000


def test_requests_of_another_quarter_are_not_fulfilled_by_the_sample() -> None:
    """The oracle above can fail: the same file is no answer to another request."""
    request = REQUESTS[OLCI]
    content = as_bytes(sample(request), Form.NETCDF4, Path())
    for other in (
        replace(request, start=date(2022, 7, 1), end=date(2022, 9, 30)),
        replace(request, epsg=32633),
        replace(request, needed=(0.0, 1200.0, 0.0, 1200.0)),
    ):
        with pytest.raises(ArchiveAnswerInvalid):
            read_cube(content, other, "the sample")
