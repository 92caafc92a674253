"""What a test may turn at ``/_world``: the world's day, and how patient the services are."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from satfusion_assets.sandbox.server.answers import json_object
from satfusion_assets.sandbox.server.shared import SharedWorld

Seconds = Annotated[float, Field(ge=0)]


class Controls(BaseModel):
    """Life times and quotas of the Copernicus stand-in, the real service's by default."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    token_seconds: Seconds = 600
    """Life of an access token, counted from its issue; shortening it ends tokens that are out already."""
    refresh_seconds: Seconds = 3600
    """Life of a refresh token."""
    minute_seconds: Seconds = 60
    """How long a minute of the start quota lasts."""
    starts_per_minute: Annotated[int, Field(ge=1)] = 12
    """Batch starts and synchronous results together."""
    concurrent_jobs: Annotated[int, Field(ge=1)] = 2
    """Batch jobs of one user that may be queued or running."""
    job_seconds: Seconds = 0
    """The least time a batch job takes."""
    failing_jobs: Annotated[int, Field(ge=0)] = 0
    """How many of the next batch jobs end in error."""


def routes(world: SharedWorld, controls: Controls) -> list[BaseRoute]:
    """``/_world``: GET the state, POST any part of it."""

    async def world_state(request: Request) -> Response:
        if request.method == "POST":
            wanted = await json_object(request)
            if wanted is None:
                return JSONResponse({"message": "A JSON object is needed."}, 400)
            try:
                today = date.fromisoformat(wanted.pop("today", world.today.isoformat()))
                changed = Controls.model_validate(controls.model_dump() | wanted)
            except (TypeError, ValueError, ValidationError) as error:
                return JSONResponse({"message": str(error)}, 400)
            for name in wanted:
                setattr(controls, name, getattr(changed, name))
            world.today = today
        return JSONResponse({"today": world.today.isoformat()} | controls.model_dump())

    return [Route("/_world", world_state, methods=["GET", "POST"])]
