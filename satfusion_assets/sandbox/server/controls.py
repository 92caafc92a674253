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
from satfusion_assets.sandbox.server.spoilt import Form, ResultForm, Spoilt

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
    failure_log: str | None = None
    """Another line in the error log of a failing job, before the one that says why it failed."""
    jobs_on_a_page: Annotated[int, Field(ge=1)] = 100
    """The longest list of jobs in one answer."""
    result_form: ResultForm = ResultForm.OWN_HOST
    """How results are listed."""
    link_seconds: Seconds | None = None
    """How long the address of a result holds; None = a week, or a day in object storage."""
    netcdf: Form = Form.NETCDF4
    """The form of new NetCDFs."""
    spoilt: Spoilt | None = None
    """What is wrong with new results."""
    spoilt_jobs: Annotated[int, Field(ge=0)] | None = None
    """How many of the next results are spoilt; None = all."""
    defective_pixels: bool = False
    """Whether Sentinel-2's files have pixels that no detector measured (``spoilt.defective``)."""
    nothing_from: date | None = None
    """First day of which Sentinel-3 has nothing."""
    nothing_until: date | None = None
    """Last day of which it has nothing."""

    def spoilt_next(self) -> Spoilt | None:
        """What is wrong with the result that is made now; counts it."""
        if self.spoilt is None or self.spoilt_jobs == 0:
            return None
        if self.spoilt_jobs is not None:
            self.spoilt_jobs -= 1
        return self.spoilt

    @property
    def nothing(self) -> tuple[date, date] | None:
        """First and last day of which Sentinel-3 has nothing."""
        if self.nothing_from is None and self.nothing_until is None:
            return None
        return self.nothing_from or date.min, self.nothing_until or date.max


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
        return JSONResponse({"today": world.today.isoformat()} | controls.model_dump(mode="json"))

    return [Route("/_world", world_state, methods=["GET", "POST"])]
