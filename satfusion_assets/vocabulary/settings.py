"""Every address, path and credential, read from the environment (and ``.env``), defaulting to the real services."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.installation import home

PREFIX: Final = "SATFUSION_"
ENV_FILE: Final = ".env"
_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?")


class S2Collection(StrEnum):
    """Earth Search collections that can serve Sentinel-2; never mixed in one product."""

    L2A = "sentinel-2-l2a"
    C1 = "sentinel-2-c1-l2a"


class S3Product(StrEnum):
    """Sentinel-3 products that can serve the coarse series.

    OLCI_L1B: top-of-atmosphere reflectance, one value a UTC day, clouds unflagged.
    SYN_L2: surface reflectance per overpass with CLOUD_flags. NONE: Sentinel-2 alone, for which no account is needed;
    only kriging can do without.
    """

    OLCI_L1B = "olci_l1b"
    SYN_L2 = "syn_l2"
    NONE = "none"


class EngineName(StrEnum):
    """Fusion engines: the platform's own, or the authors' package where it is installed."""

    SATFUSION = "satfusion"
    PACKAGE = "efast"


def _data_root() -> Path:
    return home() / "data"


def _some_path(value: object) -> object:
    """An empty name would be the folder that one happens to be in."""
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise ValueError("it is empty or no path; name a folder or leave the variable away")
    return value


def _home(path: Path) -> Path:
    """``~`` is the home folder in ``.env`` as it is in a shell."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError("there is no such home folder") from error


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError("it is a file; name a folder")
    return path


def _web_address(url: str) -> str:
    """An address of HTTP with a host; anything else would be opened as a file, or asked for in vain."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("give an address like https://archive.example")
    return url


def _bucket(address: str) -> str:
    """A bucket and a prefix in it, of plain names."""
    if not _BUCKET.fullmatch(address):
        raise ValueError("give a bucket and a prefix like s3://phenology/satfusion")
    return address.rstrip("/")


WebAddress = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
SomePath = Annotated[Path, BeforeValidator(_some_path), AfterValidator(_home)]


class Settings(BaseSettings):
    """Where everything is; ``SATFUSION_*`` variables unless an alias is named.

    InvalidInput names the first variable whose value cannot be used.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8-sig",
        extra="ignore",
        populate_by_name=True,
        frozen=True,
        allow_inf_nan=False,
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            # Not chained: pydantic's own text repeats values, and secrets are among them.
            raise InvalidInput(_complaint(error)) from None
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{Path(ENV_FILE).absolute()} is not in UTF-8 (byte 0x{error.object[error.start]:02x} at position "
                f"{error.start}); save it as UTF-8."
            ) from None
        except OSError as error:
            raise InvalidInput(f"{Path(ENV_FILE).absolute()} cannot be read ({error.strerror}).") from error

    data_root: Annotated[SomePath, AfterValidator(_folder)] = Field(default_factory=_data_root)
    sites_file: SomePath | None = None
    store: Annotated[str, AfterValidator(_bucket)] | None = None
    """``s3://bucket/prefix`` where products lie in a bucket, its endpoint and keys in ``AWS_*``; None = data_root."""
    store_cache: SomePath | None = None
    """Folder for what is read from the bucket and written to it; by default below the data root."""
    store_cache_gb: float = Field(20.0, gt=0, le=1e6)
    """Room for what is kept there, in 10^9 bytes."""
    store_timeout_s: float = Field(60.0, gt=0, le=3600)
    """Longest time that one request to the bucket may take."""
    store_retry_s: float = Field(180.0, ge=0, le=86_400)
    """How long a bucket that does not answer is asked again."""
    viewer_url: WebAddress = "http://127.0.0.1:8050"
    dagster_url: WebAddress = "http://127.0.0.1:3000"

    earth_search_url: WebAddress = "https://earth-search.aws.element84.com/v1"
    s2_collection: S2Collection = S2Collection.L2A
    openeo_url: WebAddress = "https://openeo.dataspace.copernicus.eu/openeo/1.2"
    s3_product: S3Product = S3Product.OLCI_L1B
    phenocam_url: WebAddress = "https://phenocam.nau.edu"

    cdse_user: str | None = Field(None, validation_alias=AliasChoices("CDSE_USER", "cdse_user"))
    cdse_password: SecretStr | None = Field(None, validation_alias=AliasChoices("CDSE_PASSWORD", "cdse_password"))
    cdse_client_id: str | None = Field(
        None, validation_alias=AliasChoices("CDSE_CLIENT_ID", "OPENEO_AUTH_CLIENT_ID", "cdse_client_id")
    )
    cdse_client_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("CDSE_CLIENT_SECRET", "OPENEO_AUTH_CLIENT_SECRET", "cdse_client_secret"),
    )

    archive_attempts: int = Field(5, ge=1, le=100)
    """Requests in all before an archive counts as unavailable."""
    archive_first_wait_s: float = Field(1.0, ge=0, le=3600)
    """Pause after the first failed request, doubled after each further one."""
    archive_timeout_s: float = Field(60.0, gt=0, le=3600)
    """Silence on a connection, in seconds, that counts as a failed request."""
    archive_deadline_s: float = Field(900.0, gt=0, le=86_400)
    """Longest time, in seconds, that one answer may trickle in."""
    earth_search_connections: int = Field(6, ge=1, le=8)
    """Scenes read at the same time, the files of each together."""
    phenocam_connections: int = Field(3, ge=1, le=4)
    """Pictures fetched at the same time."""
    openeo_poll_s: float = Field(15.0, gt=0, le=3600)
    """Pause between two looks at a running openEO job."""
    openeo_job_hours: float = Field(4.0, gt=0, le=168)
    """How long one run waits for openEO jobs before it leaves them to the next run."""

    notify_webhook: SecretStr | None = None
    """Address that is notified of failures by a POST of ``{"text": ...}``, as chats take it."""
    notify_mail: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$")
    """Who gets a mail when something fails."""
    notify_smtp: SecretStr = SecretStr("smtp://localhost:25")
    """Server for it: ``smtps://user:password@host:465``; with a user, plain ``smtp`` goes on with TLS."""
    most_requests: float | None = Field(None, ge=0)
    """Requests to archives that one command may need; more is refused before the first."""
    most_jobs: float | None = Field(None, ge=0)
    """openEO jobs that one command may start."""
    most_gb: float | None = Field(None, ge=0)
    """Gigabytes on disk that one command may fill."""
    most_hours: float | None = Field(None, ge=0)
    """Hours that one command may take."""

    fusion_engine: EngineName = EngineName.SATFUSION
    smoothing_days: int = Field(5, ge=0, le=365)
    """Width in days of the moving average over Sentinel-3 composites; 0 = off."""

    @property
    def sites_path(self) -> Path:
        return self.sites_file or self.data_root / "sites.geojson"


CREDENTIAL_VARIABLES: Final = "CDSE_USER and CDSE_PASSWORD, or CDSE_CLIENT_ID and CDSE_CLIENT_SECRET"


def _complaint(error: ValidationError) -> str:
    """One sentence on the first value that cannot be used; credentials and addresses, which may hold some, are not
    repeated."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    own = name in Settings.model_fields and not name.startswith("cdse_")
    variable = f"{PREFIX}{name}".upper() if own else name.upper()
    shown = f" is {first['input']!r}"[:100] if own and not name.endswith("_url") else ""
    reason = first["msg"].removeprefix("Value error, ")
    return f"{variable}{shown}: {reason}; correct it in the environment or in {ENV_FILE}."
