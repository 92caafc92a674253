"""Who we are to the Copernicus Data Space: an OAuth client, or a user with a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from satfusion_assets.vocabulary.errors import CredentialsMissing
from satfusion_assets.vocabulary.settings import CREDENTIAL_VARIABLES, Settings

QUOTING: Final = (
    "in .env a value with # or spaces needs single quotes, and ${...} is replaced even within them: set such a value "
    "in the environment instead"
)
"""How a right password becomes a wrong one on its way from .env."""


@dataclass(frozen=True)
class Credentials:
    """Either a client of its own (``is_client``) or a person. secret: never printed."""

    name: str
    secret: SecretStr
    is_client: bool

    @property
    def who(self) -> str:
        """What was signed in as, and the variables that say so, without their values."""
        if self.is_client:
            return "the OAuth client of CDSE_CLIENT_ID and CDSE_CLIENT_SECRET"
        return "the user of CDSE_USER and CDSE_PASSWORD"

    @classmethod
    def of(cls, settings: Settings) -> Credentials:
        """The credentials that are set, an OAuth client first; CredentialsMissing names the variables."""
        if settings.cdse_client_id and settings.cdse_client_secret:
            return cls(settings.cdse_client_id, settings.cdse_client_secret, is_client=True)
        if settings.cdse_user and settings.cdse_password:
            return cls(settings.cdse_user, settings.cdse_password, is_client=False)
        raise CredentialsMissing(
            f"Sentinel-3 needs a Copernicus Data Space account; set {CREDENTIAL_VARIABLES} in the environment or "
            "in .env."
        )
