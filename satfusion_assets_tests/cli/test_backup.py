"""A backup is a whole installation: products, sites and Dagster's records, put back where there is nothing."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.errors import InvalidInput, StoreFull
from satfusion_assets.vocabulary.installation import INSTANCE, beside_package
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason
from satfusion_assets_tests.test_bad_input import may_mount, small_disk

__all__ = ["small_disk"]
"""A fixture of another file."""
SEASON = SiteSeason("innsbruck", 2024)
RAW = Product("raw_s2", SEASON)


@dg.asset(name="raw_s2")
def raw() -> None:
    """Stands for a product."""


def at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ProductStore:
    """Make ``folder`` the installation that commands work on."""
    (folder / "dagster_home").mkdir(parents=True)
    (folder / "dagster_home" / INSTANCE.name).write_text(beside_package(INSTANCE).read_text("utf-8"))
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "dagster_home"))
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(folder / "data"))
    return ProductStore(folder / "data")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the runs of an installation that was just backed up, while another run was under way."""
    store = at_home(tmp_path / "old", monkeypatch)
    with store.publish(RAW) as draft:
        draft.write_bytes("raw/s2/a.geotiff", b"pixels")
    registry = SiteRegistry.load(tmp_path / "old/data/sites.geojson")
    registry.add(registry.site("innsbruck"))
    with dg.DagsterInstance.get() as instance:
        done = [dg.materialize([raw], instance=instance).run_id]
        writing = threading.Thread(target=lambda: [dg.materialize([raw], instance=instance) for _ in range(3)])
        writing.start()
        said = CliRunner().invoke(app, ["backup", str(tmp_path / "backup")], catch_exceptions=False)
        writing.join()
    assert said.output.startswith("1 of 1 products copied")
    return done


def test_what_was_backed_up_is_put_back(tmp_path: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch):
    old = ProductStore(tmp_path / "old/data")
    new = at_home(tmp_path / "new", monkeypatch)
    CliRunner().invoke(app, ["restore", str(tmp_path / "backup")], catch_exceptions=False)
    assert new.manifest(RAW) == old.manifest(RAW)
    assert new.verify(RAW) == []
    assert (tmp_path / "new/data/sites.geojson").read_text() == (tmp_path / "old/data/sites.geojson").read_text()
    with dg.DagsterInstance.get() as instance:
        assert set(runs) <= {run.run_id for run in instance.get_runs()}
        assert instance.get_latest_materialization_event(dg.AssetKey("raw_s2")) is not None
        assert instance.all_logs(runs[0])


def test_a_backup_shares_no_file_with_what_it_is_of(tmp_path: Path, runs: list[str]):
    (tmp_path / "old/data/innsbruck/2024/raw/s2/a.geotiff").resolve().write_bytes(b"piXels")
    assert ProductStore(tmp_path / "backup/products").verify(RAW) == []


def test_nothing_is_written_over(tmp_path: Path, runs: list[str]):
    with pytest.raises(InvalidInput, match="holds records; move them away"):
        CliRunner().invoke(app, ["restore", str(tmp_path / "backup")], catch_exceptions=False)
    with pytest.raises(InvalidInput, match="is no backup"):
        CliRunner().invoke(app, ["restore", str(tmp_path)], catch_exceptions=False)


@pytest.mark.parametrize("inside", ["data/backup", "dagster_home", "dagster_home/backup"])
def test_no_backup_is_made_within_what_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str):
    at_home(tmp_path, monkeypatch)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInput, match=r"which is to be copied; name a folder elsewhere\."):
        CliRunner().invoke(app, ["backup", str(tmp_path / inside)], catch_exceptions=False)
    assert sorted(tmp_path.rglob("*")) == before


if may_mount():

    @pytest.mark.parametrize("records", [2_000_000, 1_000])
    def test_a_backup_on_a_full_disk_says_what_to_do(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_disk: Path, records: int
    ):
        """Whether Dagster's records are too much for it, or the products."""
        with at_home(tmp_path, monkeypatch).publish(RAW) as draft:
            draft.write_bytes("raw/s2/a.geotiff", bytes(2_000_000))
        with closing(sqlite3.connect(tmp_path / "dagster_home" / "runs.db")) as database, database:
            database.execute("create table runs as select zeroblob(?)", [records])
        with pytest.raises(StoreFull, match=r"is full; free some space and give the same command again\.$"):
            CliRunner().invoke(app, ["backup", str(small_disk / "backup")], catch_exceptions=False)
        assert not list(small_disk.rglob("*.new"))


def test_clean_says_what_it_would_delete_and_deletes_it(tmp_path: Path, runs: list[str]):
    told = CliRunner().invoke(app, ["clean", "--runs-days", "0", "--dry-run"], catch_exceptions=False)
    assert "3 runs of before" in told.output
    assert "would be deleted" in told.output
    CliRunner().invoke(app, ["clean", "--runs-days", "0"], catch_exceptions=False)
    with dg.DagsterInstance.get() as instance:
        assert len(instance.get_runs()) == 1
        assert instance.get_latest_materialization_event(dg.AssetKey("raw_s2")) is not None
