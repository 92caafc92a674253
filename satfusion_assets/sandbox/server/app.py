"""All archives as one ASGI application."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.types import ASGIApp

from satfusion_assets.sandbox.server import controls as control_routes
from satfusion_assets.sandbox.server import faults, files, oidc, openeo, phenocam, stac
from satfusion_assets.sandbox.server.answers import RefusedRequest, refused
from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.jobs import Jobs
from satfusion_assets.sandbox.server.results import ResultFiles
from satfusion_assets.sandbox.server.shared import SharedWorld

if TYPE_CHECKING:
    from satfusion_assets.sandbox.world import World


def create_app(world: World, state: Path) -> ASGIApp:
    """The archives of ``world``; batch jobs and the signing key live in the folder ``state`` and survive restarts."""
    shared = SharedWorld(world)
    controls = Controls()
    key = oidc.signing_key(state)
    office = oidc.TokenOffice(key, controls)
    jobs = Jobs(state / "jobs", partial(openeo.run_graph, shared, controls), controls)
    board = faults.FaultBoard()
    routes = [
        *stac.routes(shared),
        *files.routes(shared, controls),
        *openeo.routes(openeo.OpenEoServer(shared, jobs, office, ResultFiles(jobs, controls, key), controls)),
        *oidc.routes(office),
        *phenocam.routes(shared),
        *control_routes.routes(shared, controls),
        *faults.routes(board),
    ]
    app = Starlette(routes=routes, exception_handlers={RefusedRequest: refused})
    app.router.redirect_slashes = False
    return faults.Faults(app, board)
