"""Every address, path and credential, read from the environment (and ``.env``), defaulting to the real services."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class S2Collection(StrEnum):
    """Earth Search collections that can serve Sentinel-2; never mixed in one product."""

    L2A = "sentinel-2-l2a"
    C1 = "sentinel-2-c1-l2a"


class S3Product(StrEnum):
    """Sentinel-3 products that can serve the coarse series.

    OLCI_L1B: top-of-atmosphere reflectance, one value a UTC day, clouds unflagged.
    SYN_L2: surface reflectance per overpass with CLOUD_flags.
    """

    OLCI_L1B = "olci_l1b"
    SYN_L2 = "syn_l2"


class EngineName(StrEnum):
    """Fusion engines: the platform's own, or the authors' package where it is installed."""

    SATFUSION = "satfusion"
    PACKAGE = "efast"


class Settings(BaseSettings):
    """Where everything is; ``SATFUSION_*`` variables unless an alias is named."""

    model_config = SettingsConfigDict(
        env_prefix="SATFUSION_", env_file=".env", extra="ignore", populate_by_name=True, frozen=True
    )

    data_root: Path = Path("data")
    sites_file: Path | None = None
    viewer_url: str = "http://127.0.0.1:8050"
    dagster_url: str = "http://127.0.0.1:3000"

    earth_search_url: str = "https://earth-search.aws.element84.com/v1"
    s2_collection: S2Collection = S2Collection.L2A
    openeo_url: str = "https://openeo.dataspace.copernicus.eu/openeo/1.2"
    s3_product: S3Product = S3Product.OLCI_L1B
    phenocam_url: str = "https://phenocam.nau.edu"

    cdse_user: str | None = Field(None, validation_alias=AliasChoices("CDSE_USER", "cdse_user"))
    cdse_password: SecretStr | None = Field(None, validation_alias=AliasChoices("CDSE_PASSWORD", "cdse_password"))
    cdse_client_id: str | None = Field(
        None, validation_alias=AliasChoices("CDSE_CLIENT_ID", "OPENEO_AUTH_CLIENT_ID", "cdse_client_id")
    )
    cdse_client_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("CDSE_CLIENT_SECRET", "OPENEO_AUTH_CLIENT_SECRET", "cdse_client_secret"),
    )

    archive_attempts: int = Field(5, ge=1)
    """Requests in all before an archive counts as unavailable."""
    archive_first_wait_s: float = Field(1.0, ge=0)
    """Pause after the first failed request, doubled after each further one."""
    archive_timeout_s: float = Field(60.0, gt=0)
    """Silence on a connection, in seconds, that counts as a failed request."""
    archive_deadline_s: float = Field(900.0, gt=0)
    """Longest time, in seconds, that one answer may trickle in."""
    earth_search_connections: int = Field(6, ge=1, le=8)
    """Scenes read at the same time."""
    phenocam_connections: int = Field(3, ge=1, le=4)
    """Pictures fetched at the same time."""
    openeo_poll_s: float = Field(15.0, gt=0)
    """Pause between two looks at a running openEO job."""
    openeo_job_hours: float = Field(4.0, gt=0)
    """How long one run waits for openEO jobs before it leaves them to the next run."""

    fusion_engine: EngineName = EngineName.SATFUSION
    smoothing_days: int = Field(5, ge=0)
    """Width in days of the moving average over Sentinel-3 composites; 0 = off."""

    @property
    def sites_path(self) -> Path:
        return self.sites_file or self.data_root / "sites.geojson"

    def chosen_for(self, product: str) -> dict[str, Any]:
        """Those parameters of a product's manifest that are chosen here: with others it is out of date."""
        chosen: dict[str, dict[str, Any]] = {
            "raw_s2": {"collection": str(self.s2_collection)},
            "raw_s3": {"product": str(self.s3_product)},
            "prepared_bti": {"smoothing_days": self.smoothing_days},
            "prepared_itb": {"smoothing_days": self.smoothing_days},
            "fused": {"engine": str(self.fusion_engine)},
        }
        return chosen.get(product, {})


CREDENTIAL_VARIABLES: Final = "CDSE_USER and CDSE_PASSWORD, or CDSE_CLIENT_ID and CDSE_CLIENT_SECRET"
