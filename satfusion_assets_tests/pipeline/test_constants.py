"""Constants that are kept between processes are those of the modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from satfusion_assets.pipeline import constants as kept
from satfusion_assets.pipeline.constants import constants
from satfusion_assets.pipeline.thresholds import EFAST, PREPARATION

PARTS = (*EFAST, *PREPARATION)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is kept yet, and nothing is loaded as far as the module knows."""
    monkeypatch.setattr(kept, "kept_folder", lambda: tmp_path)
    kept._kept.cache_clear()
    return tmp_path


@pytest.fixture
def as_loaded() -> list[object]:
    """What the modules say themselves."""
    said = constants(PARTS)
    assert {"CLOUD_EXCESS", "WINDOW_DAYS"} <= {name for module in said for name in module}
    return [*said]


def test_what_is_kept_is_what_the_modules_say(as_loaded: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_loaded", lambda module: False)
    assert [*constants(PARTS)] == as_loaded
    kept._kept.cache_clear()
    monkeypatch.setattr(kept, "import_module", pytest.fail)
    assert [*constants(PARTS)] == as_loaded, "read from what was kept"


def test_what_is_kept_of_other_sources_is_not_believed(
    as_loaded: list[object], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_loaded", lambda module: False)
    constants(PARTS)
    path = folder / "constants.json"
    path.write_text(path.read_text().replace("0.04", "0.05"))
    kept._kept.cache_clear()
    assert [*constants(PARTS)] != as_loaded, "the same sources are believed"
    monkeypatch.setattr(kept, "sources_digest", lambda: "others")
    kept._kept.cache_clear()
    assert [*constants(PARTS)] == as_loaded


def test_a_loaded_module_is_asked_itself(as_loaded: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satfusion_assets.screening.composites.CLOUD_EXCESS", 0.05)
    assert [*constants(PARTS)] != as_loaded


def test_a_disk_that_refuses_costs_nothing_but_time(
    as_loaded: list[object], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setattr(kept, "kept_folder", lambda: folder / "file" / "below")
    monkeypatch.setattr(kept, "_loaded", lambda module: False)
    assert [*constants(PARTS)] == as_loaded
