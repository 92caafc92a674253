"""Bad input at the graph's door: a run fails with one sentence that names what is wrong and what to do."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from pydantic import SecretStr

from satfusion_assets.cli.services import require_free
from satfusion_assets.definitions import build_defs
from satfusion_assets.pipeline.acquisition.files import raw_scene
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC
from satfusion_assets.pipeline.raw_phenocam.series import camera_regions
from satfusion_assets.pipeline.raw_s2.files import raw_scl
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.errors import ProductMissing, ServiceFailed
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import S2_BANDS, S3_BANDS
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason

SEASON = SiteSeason("innsbruck", 2024)
NOBODY = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


def settings(root: Path, **overrides: object) -> Settings:
    addresses = {"earth_search_url": f"{NOBODY}/v1", "openeo_url": f"{NOBODY}/openeo/1.2", "phenocam_url": NOBODY}
    policy = {"archive_attempts": 1, "archive_first_wait_s": 0, "archive_timeout_s": 2}
    credentials = {"cdse_user": None, "cdse_password": None, "cdse_client_id": None, "cdse_client_secret": None}
    return Settings(_env_file=None, data_root=root, **(addresses | policy | credentials | overrides))


def cause(platform: Platform, asset: str, partition: str) -> str:
    """First line of the failure of one run."""
    defs = build_defs(platform)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [partition])
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(asset)],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert failure.user_failure_data is not None, failure.error
    return str(failure.user_failure_data.description)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(settings(tmp_path / "data"))


def publish_raw(store: ProductStore) -> None:
    """One clear scene and four overpasses of a meadow."""
    site = SiteRegistry.load(store.root / "sites.geojson").site("innsbruck")
    grid = site_grid(site)
    meadow = np.array([400, 700, 500, 3000], "uint16")[:, None, None]
    with store.publish(Product("raw_s2", SEASON)) as draft:
        pixels = np.broadcast_to(meadow, (4, *grid.fine.shape)).copy()
        draft.write_raster(raw_scene("s2", "20240601_0"), pixels, grid.fine, nodata=0, descriptions=S2_BANDS)
        draft.write_raster(raw_scl("20240601_0"), np.full(grid.scl.shape, 4, "uint8"), grid.scl, nodata=255)
    with store.publish(Product("raw_s3", SEASON)) as draft:
        values = np.broadcast_to((meadow / 1e4).astype("float32"), (4, *grid.coarse.shape)).copy()
        for day in range(1, 5):
            name = raw_scene("s3", f"2024060{day}_0")
            draft.write_raster(name, values, grid.coarse, nodata=np.nan, descriptions=S3_BANDS)


def test_an_unknown_site_suggests_the_right_one(platform: Platform) -> None:
    assert "Site 'insbruck' is not in" in cause(platform, "raw_s2", "insbruck_2024")
    assert "did you mean innsbruck?" in cause(platform, "raw_s2", "insbruck_2024")


def test_a_season_that_is_not_registered_says_how_to_add_it(platform: Platform) -> None:
    assert "satfusion sites add innsbruck --season 2021" in cause(platform, "raw_s2", "innsbruck_2021")


@pytest.mark.parametrize(("asset", "archive"), [("raw_s2", "Earth Search"), ("raw_phenocam", "PhenoCam")])
def test_an_unreachable_archive_is_named(platform: Platform, asset: str, archive: str) -> None:
    says = cause(platform, asset, SEASON.key)
    assert archive in says
    assert NOBODY in says
    assert "\n" not in says


def test_missing_credentials_name_the_variables(platform: Platform) -> None:
    assert "CDSE_USER and CDSE_PASSWORD" in cause(platform, "raw_s3", SEASON.key)


def test_no_password_in_a_failure(tmp_path: Path) -> None:
    secret = settings(tmp_path, cdse_user="somebody", cdse_password=SecretStr("hunter2hunter2"))
    assert "hunter2" not in cause(Platform(secret), "raw_s3", SEASON.key)


def test_what_was_not_materialised_is_named(platform: Platform) -> None:
    assert cause(platform, "preselected", SEASON.key).startswith("innsbruck_2024.raw_s2 has not been materialised")


def test_a_corrupt_raw_raster_is_named_and_nothing_is_published(platform: Platform) -> None:
    publish_raw(ProductStore(platform.settings.data_root))
    raw = platform.settings.data_root / "innsbruck" / "2024" / raw_scene("s2", "20240601_0")
    raw.write_bytes(raw.read_bytes()[:200])
    says = cause(platform, "preselected", SEASON.key)
    assert says.startswith("raw/s2/20240601_0.geotiff of innsbruck_2024.raw_s2 is not readable GeoTIFF")
    assert "materialise raw_s2 of innsbruck_2024 again" in says
    assert platform.store.manifest(Product("preselected", SEASON)) is None


def test_a_camera_that_an_earlier_version_acquired_is_named_with_the_remedy(platform: Platform) -> None:
    with platform.store.publish(Product("raw_phenocam", SEASON)) as draft:
        draft.write_json(f"{PHENOCAM_GCC}.json", [])
    with (
        platform.store.read(Product("raw_phenocam", SEASON)) as view,
        pytest.raises(ProductMissing, match=r"gcc_regions\.json.*materialise raw_phenocam of innsbruck_2024 again\.$"),
    ):
        camera_regions(view, SEASON)


def test_malformed_sites_geojson_is_named(platform: Platform) -> None:
    path = platform.settings.sites_path
    path.parent.mkdir(parents=True)
    path.write_text('{"features": [')
    assert "sites.geojson is not valid JSON" in cause(platform, "raw_s2", SEASON.key)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def may_mount() -> bool:
    """Mounting needs privileges that a developer's account may lack; CI has them."""
    if shutil.which("mount") is None:
        return False
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True)
    return probe.returncode == 0


if may_mount():

    def test_a_full_disk_is_one_sentence_and_keeps_what_was_there(small_disk: Path) -> None:
        platform = Platform(settings(small_disk / "data"))
        publish_raw(ProductStore(platform.settings.data_root))
        assert platform.store.verify(Product("raw_s2", SEASON)) == []
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(4096))
        says = cause(platform, "preselected", SEASON.key)
        assert says.startswith(f"The disk of {platform.store.root} is full while writing innsbruck_2024.preselected")
        assert platform.store.verify(Product("raw_s2", SEASON)) == []


def test_a_demo_beside_another_says_which_port_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceFailed, match=f"Port {port} is taken"):
            require_free(port)
    require_free(port)
