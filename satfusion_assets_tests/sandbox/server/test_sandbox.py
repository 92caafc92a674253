"""Landscape and servers together: what the real clients fetch is what the world holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import numpy as np
import openeo
import pytest
import rasterio
import xarray as xr
from pystac_client import Client

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.server.credentials import CLIENT_ID, CLIENT_SECRET
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.vocabulary.sites import Site, SiteRegistry

SITE = Site(name="innsbruck", latitude=47.116171, longitude=11.320308, seasons=(2024,))
AROUND = (SITE.longitude - 0.01, SITE.latitude - 0.01, SITE.longitude + 0.01, SITE.latitude + 0.01)
TODAY = date(2024, 6, 20)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sandbox")
    SiteRegistry(folder / "sites.geojson", ()).add(SITE)
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(root / "world", root / "sites.geojson", today=TODAY) as process:
        yield process


@pytest.fixture(scope="module")
def world(root: Path) -> SandboxWorld:
    """The same world, asked without a server."""
    return SandboxWorld(root / "world", [SITE], today=TODAY)


def test_a_search_finds_the_scenes_of_the_world_and_their_files_can_be_read(
    server: SandboxProcess, world: SandboxWorld
) -> None:
    start, end = datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 6, 30, tzinfo=UTC)
    client = Client.open(f"{server.url}/v1")
    search = client.search(collections=["sentinel-2-l2a"], bbox=AROUND, datetime=(start, end), limit=3)
    items = list(search.items())
    held = [item["id"] for item in world.items("sentinel-2-l2a", AROUND, start, end)]
    assert sorted(item.id for item in items) == sorted(held)
    assert search.matched() == len(held) > 5
    assets = items[0].assets
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(assets["nir08"].href) as fetched:
        file = world.file(urlsplit(assets["nir08"].href).path)
        assert file is not None
        with rasterio.open(file) as held_file:
            assert fetched.profile == held_file.profile
            np.testing.assert_array_equal(fetched.read(), held_file.read())
    metadata = httpx.get(assets["granule_metadata"].href)
    assert metadata.headers["content-type"] == "application/xml"
    assert b"Mean_Viewing_Incidence_Angle" in metadata.content


@pytest.mark.parametrize(
    ("collection", "bands"),
    [("SENTINEL3_OLCI_L1B", ["B04", "B17"]), ("SENTINEL3_SYN_L2_SYN", ["Syn_Oa08_reflectance", "CLOUD_flags"])],
)
def test_a_batch_job_gives_the_pixels_of_the_world(
    server: SandboxProcess, world: SandboxWorld, tmp_path: Path, collection: str, bands: list[str]
) -> None:
    connection = openeo.connect(f"{server.url}/openeo/1.2")
    connection.authenticate_oidc_client_credentials(CLIENT_ID, CLIENT_SECRET, provider_id="CDSE")
    box = dict(zip(("west", "south", "east", "north"), AROUND, strict=True))
    cube = connection.load_collection(
        collection, spatial_extent=box, temporal_extent=["2024-06-01", "2024-07-01"], bands=bands
    )
    job = cube.create_job(out_format="NetCDF")
    job.start_and_wait(print=lambda _: None, max_poll_interval=0.2)
    (asset,) = job.get_results().get_assets()
    asset.download(tmp_path / "cube.nc")
    start, end = datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
    held = world.cube(collection, AROUND, start, end, bands)
    held = held.where(held != held.attrs["nodata"])
    with xr.open_dataset(tmp_path / "cube.nc") as fetched:
        assert fetched.t.values.max() <= np.datetime64(TODAY, "D") + np.timedelta64(1, "D")
        for band in bands:
            same = held.sel(bands=band).sel(t=fetched.t, y=fetched.y, x=fetched.x, method="nearest")
            np.testing.assert_array_equal(fetched[band].values, same.values)


def test_the_camera_has_tables_and_pictures(server: SandboxProcess) -> None:
    regions = httpx.get(f"{server.url}/api/roilists/", params={"site": SITE.name}).json()["results"]
    assert len(regions) >= 2
    table = httpx.get(urljoin(server.url, regions[0]["one_day_summary"]))
    header = next(line for line in table.text.splitlines() if not line.startswith("#"))
    assert header.startswith("date,year,doy")
    images = httpx.get(f"{server.url}/api/middayimages/{SITE.name}/").json()
    picture = httpx.get(urljoin(server.url, images[-1]["imgpath"]))
    assert picture.content[:3] == b"\xff\xd8\xff"


def test_a_week_later_there_are_new_scenes_everywhere(server: SandboxProcess) -> None:
    client = Client.open(f"{server.url}/v1")

    def newest() -> str:
        (item, *_) = client.search(collections=["sentinel-2-l2a"], bbox=AROUND, limit=1, max_items=1).items()
        return item.properties["datetime"][:10]

    def last_picture() -> str:
        return str(httpx.get(f"{server.url}/api/middayimages/{SITE.name}/").json()[-1]["imgdate"])

    before = (newest(), last_picture())
    httpx.post(f"{server.url}/_world", json={"today": "2024-06-27"}).raise_for_status()
    after = (newest(), last_picture())
    httpx.post(f"{server.url}/_world", json={"today": TODAY.isoformat()}).raise_for_status()
    assert before[0] <= TODAY.isoformat() < after[0]
    assert before[1] <= TODAY.isoformat() < after[1]


def test_a_site_added_while_it_runs_is_known_at_once(tmp_path: Path) -> None:
    """A second site on a running demo: camera, region, scenes and coarse cube, without another start."""
    file = tmp_path / "sites.geojson"
    registry = SiteRegistry(file, ()).add(SITE)
    with SandboxProcess(tmp_path / "world", file, today=TODAY) as process:
        name, regions = "ICOSFR-Fon1", f"{process.url}/api/roilists/?site=ICOSFR-Fon1"
        assert httpx.get(f"{process.url}/api/cameras/{name}/").status_code == 404
        (summary,) = (r["one_day_summary"] for r in httpx.get(regions.replace(name, "innsbruck")).json()["results"][:1])
        before = httpx.get(process.url + summary).text
        registry.add(Site(name=name, latitude=48.4764, longitude=2.7801, seasons=(2023,)))
        assert httpx.get(f"{process.url}/api/cameras/{name}/").json()["Sitename"] == name
        assert httpx.get(process.url + summary).text == before
        assert httpx.get(regions).json()["count"] > 0
        boxes = httpx.get(f"{process.url}/openeo/1.2/collections/SENTINEL3_OLCI_L1B").json()["extent"]["spatial"][
            "bbox"
        ]
        assert any(west < 2.78 < east for west, _, east, _ in boxes)

        registry.add_seasons("innsbruck", [2025])
        assert httpx.get(process.url + summary).text.startswith("#")
        file.write_text("{")
        assert httpx.get(f"{process.url}/api/cameras/{name}/").status_code == 200
        registry = SiteRegistry(file, ())
        file.unlink()
        registry.add(SITE)
        assert httpx.get(f"{process.url}/api/cameras/{name}/").status_code == 404
        assert httpx.get(f"{process.url}/api/cameras/innsbruck/").status_code == 200
