"""Settings: each wrong value is one sentence that names its variable; secrets are never in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.settings import ENV_FILE, Settings

NUMBERS = (
    "ARCHIVE_ATTEMPTS", "ARCHIVE_FIRST_WAIT_S", "ARCHIVE_TIMEOUT_S", "ARCHIVE_DEADLINE_S", "EARTH_SEARCH_CONNECTIONS",
    "PHENOCAM_CONNECTIONS", "OPENEO_POLL_S", "OPENEO_JOB_HOURS", "SMOOTHING_DAYS",
)  # fmt: skip
ADDRESSES = ("EARTH_SEARCH_URL", "OPENEO_URL", "PHENOCAM_URL", "VIEWER_URL", "DAGSTER_URL")
CHOICES = ("S2_COLLECTION", "S3_PRODUCT", "FUSION_ENGINE")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a ``.env``."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in NUMBERS for value in ("", "many", "inf", "nan", "-1", "1e999", "999999999")),
        *((n, v) for n in ADDRESSES for v in ("", "archive", "s3://bucket", "http://", "http://h:99999", "http://a b")),
        *((name, value) for name in CHOICES for value in ("", "other")),
        *((name, value) for name in ("DATA_ROOT", "SITES_FILE") for value in ("", "  ", "~nobody-of-that-name/data")),
        ("DATA_ROOT", "/etc/hostname"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SATFUSION_{name}", value)
    with pytest.raises(InvalidInput, match=rf"^SATFUSION_{name}[^\n]+correct it in the environment or in \.env\.$"):
        Settings()


def test_an_address_that_holds_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATFUSION_OPENEO_URL", "http://me:hunter2@host:99999")
    with pytest.raises(InvalidInput) as caught:
        Settings()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_not_set_is_the_real_services() -> None:
    assert Settings().data_root == Path("data")
    assert Settings().phenocam_url == "https://phenocam.nau.edu"


def test_the_home_folder_may_be_written_as_in_a_shell(monkeypatch: pytest.MonkeyPatch, own_folder: Path) -> None:
    monkeypatch.setenv("HOME", str(own_folder))
    (own_folder / ENV_FILE).write_text("SATFUSION_DATA_ROOT=~/data\n")
    assert Settings().data_root == own_folder / "data"


def test_an_env_file_is_utf_8_with_or_without_a_mark(own_folder: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        (own_folder / ENV_FILE).write_text("SATFUSION_DATA_ROOT=Grünau\n", encoding)
        assert Settings().data_root == Path("Grünau")


def test_an_env_file_in_another_encoding_is_named(own_folder: Path) -> None:
    (own_folder / ENV_FILE).write_text("SATFUSION_DATA_ROOT=Grünau\n", "latin-1")
    with pytest.raises(InvalidInput, match=r"^/[^\n]+\.env is not in UTF-8 \(byte 0xfc [^\n]+; save it as UTF-8\.$"):
        Settings()


@pytest.mark.parametrize(
    ("written", "password"),
    [("'pa #ss'", "pa #ss"), ("'pa$ss'", "pa$ss"), ("pa$ss", "pa$ss"), ("'pa\"ss'", 'pa"ss')],
)
def test_a_password_in_single_quotes_is_taken_as_it_stands(own_folder: Path, written: str, password: str) -> None:
    (own_folder / ENV_FILE).write_text(f"CDSE_PASSWORD={written}\n")
    secret = Settings().cdse_password
    assert secret is not None
    assert secret.get_secret_value() == password
