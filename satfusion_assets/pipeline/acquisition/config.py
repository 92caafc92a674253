"""How an archive is asked, as the launchpad and the command line say it."""

from __future__ import annotations

import dagster as dg
from pydantic import Field


class Asking(dg.Config):
    """How an archive is asked."""

    again: bool = Field(
        default=False, description="Ask for everything again, also for what has been fetched, found empty or set aside."
    )
