"""Importing the code location looks at nothing and writes nothing; who starts to work clears what kills left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from satfusion_assets.cli.doctor import Health, examine
from satfusion_assets.orchestration.instance.code_server import main
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

RAW = Product("raw_s2", SiteSeason("innsbruck", 2024))


def interrupted(root: Path) -> ProductStore:
    """A store in which a publication was killed: its marker and half of its files are there."""
    store = ProductStore(root)
    with store.publish(RAW) as draft:
        draft.write_bytes("raw/s2/20240101_0.geotiff", b"whole")
    half = store.folder(RAW.site_season) / ".satfusion/raw_s2/versions/0123/raw/s2"
    half.mkdir(parents=True)
    (half / "20240102_0.geotiff").write_bytes(b"half")
    (root / ".satfusion/pending" / f"{RAW.key}@0123").write_text('["raw_s2", "innsbruck_2024", ""]')
    return store


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    """Time of change and content of whatever lies below ``root``."""
    return {
        path.relative_to(root).as_posix(): (
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in [root, *root.rglob("*")]
    }


def test_importing_the_code_location_writes_nothing_wherever_it_happens(tmp_path: Path) -> None:
    interrupted(tmp_path / "data")
    before = everything(tmp_path)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("SATFUSION_", "DAGSTER_"))}
    environment = plain | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", "import satfusion_assets.definitions as d; d.defs.get_repository_def()"]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, timeout=120)
    assert everything(tmp_path) == before


def test_the_code_server_clears_what_kills_left_before_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = interrupted(tmp_path)
    served: list[Any] = []
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(tmp_path))
    monkeypatch.setattr("satfusion_assets.orchestration.instance.code_server.server.DagsterApiServer", None)
    monkeypatch.setattr(
        "satfusion_assets.orchestration.instance.code_server.grpc_command", lambda: served.append(store.recover())
    )
    main()
    assert served == [[]], "nothing was left to clear"
    assert not (store.folder(RAW.site_season) / ".satfusion/raw_s2/versions/0123").exists()


def test_doctor_names_what_is_no_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = interrupted(tmp_path)
    monkeypatch.setattr("satfusion_assets.cli.doctor._service", lambda name, url: None)
    platform = Platform(Settings(data_root=tmp_path))

    def finding() -> Any:
        return next(one for one in examine(platform) if one is not None and one.what == "product store")

    assert finding().verdict is Health.OK
    (store.root / ".satfusion/pending/.DS_Store").write_bytes(b"\0")
    assert finding().verdict is Health.WARNING
    assert ".DS_Store" in finding().says
