"""Who may sign in to the sandbox: one person and one machine."""

from __future__ import annotations

from typing import Final

USER: Final = "sandbox"
PASSWORD: Final = "sandbox"
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-secret"
PUBLIC_CLIENTS: Final = ("cdse-public", "openeo-public")
