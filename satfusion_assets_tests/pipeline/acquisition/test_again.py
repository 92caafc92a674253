"""``satfusion acquire --again``: everything that was fetched, found empty or set aside is asked for again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from satfusion_assets.pipeline.raw_phenocam.acquire import acquire_phenocam
from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.pipeline.raw_s3.acquire import check_sentinel3_credentials
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import CredentialsMissing
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets_tests.pipeline.acquisition.conftest import SEASON, SITES, TODAY, Sandbox, product


def fetched(sandbox: Sandbox, ending: str) -> int:
    """Files with that ending that were sent whole since the log was emptied."""
    return len({r["path"] for r in sandbox.requests("/data/") if r["path"].endswith(ending) and r["status"] != 304})


def test_the_camera_is_asked_for_again_only_when_it_is_wished(sandbox: Sandbox, store: ProductStore) -> None:
    first = sandbox.acquire("raw_phenocam", store)
    everything = fetched(sandbox, ".jpg")
    sandbox.forget_requests()
    second = acquire_phenocam(sandbox.site, SEASON, store, sandbox.settings(), again=True)
    assert fetched(sandbox, ".jpg") == everything == first.numbers["pictures"]
    assert fetched(sandbox, "_1day.csv") > 0
    assert second.manifest.version == first.manifest.version


def test_scenes_are_read_again_and_a_run_that_is_interrupted_keeps_what_was_there(
    sandbox: Sandbox, store: ProductStore
) -> None:
    first = sandbox.acquire("raw_s2", store)
    entries = {path.name for path in store.cache(SEASON, "s2").iterdir()}

    class Interrupted(Exception):
        pass

    def interrupt(done: int, total: int, name: str) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        acquire_sentinel2(sandbox.site, SEASON, store, sandbox.settings(), interrupt, again=True)
    assert {path.name for path in store.cache(SEASON, "s2").iterdir()} == entries
    manifest = store.manifest(product("raw_s2"))
    assert manifest is not None
    assert manifest.version == first.manifest.version
    second = acquire_sentinel2(sandbox.site, SEASON, store, sandbox.settings(), again=True)
    assert second.numbers["read_in_this_run"] == first.numbers["read_in_this_run"]
    assert second.manifest.version == first.manifest.version


@pytest.mark.slow
def test_the_command_line_asks_again(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(SITES, tmp_path / "data" / "sites.geojson")
    (tmp_path / "home").mkdir()
    variables = {"SATFUSION_DATA_ROOT": str(tmp_path / "data"), "DAGSTER_HOME": str(tmp_path / "home")}
    pictures, says = [], []
    for options in ([], [], ["--again"]):
        sandbox.forget_requests()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "satfusion_assets.cli",
                "acquire",
                "innsbruck",
                "2024",
                "--only",
                "phenocam",
                *options,
            ],
            env=os.environ | sandbox.variables | variables,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        says.append(done.stdout)
        pictures.append(fetched(sandbox, ".jpg"))
    assert pictures[0] > 0
    assert pictures == [pictures[0], 0, pictures[0]]
    assert "1 raw product: never made; all is asked for, but what an interrupted try has kept." in says[0]
    assert "1 raw product: news is asked for; what is kept is not fetched again." in says[1]
    assert "1 raw product: everything is asked for again, also what is kept." in says[2]
    assert "derived" not in "".join(says)


def test_an_account_is_needed_before_everything_is_asked_for_again(whole: ProductStore, sandbox: Sandbox) -> None:
    """With all quarters kept an account is not needed, unless they are to be asked for again."""
    settings = Settings(_env_file=None, cdse_user=None, cdse_password=None)
    check_sentinel3_credentials(sandbox.site, SEASON, whole, settings, today=TODAY)
    with pytest.raises(CredentialsMissing):
        check_sentinel3_credentials(sandbox.site, SEASON, whole, settings, today=TODAY, again=True)
