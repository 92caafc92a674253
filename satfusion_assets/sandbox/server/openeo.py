"""The Copernicus openEO back-end: discovery, sign-in, synchronous results and batch jobs."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from satfusion_assets.sandbox.server import results
from satfusion_assets.sandbox.server.answers import absolute, json_object, own_address
from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.credentials import PUBLIC_CLIENTS
from satfusion_assets.sandbox.server.cube import check, raster_of, write
from satfusion_assets.sandbox.server.errors import OpenEoError
from satfusion_assets.sandbox.server.files import MEDIA_TYPES
from satfusion_assets.sandbox.server.graph import plan_of
from satfusion_assets.sandbox.server.jobs import Job, Jobs
from satfusion_assets.sandbox.server.oidc import DEVICE_GRANT, REALM, BearerRefused, TokenOffice
from satfusion_assets.sandbox.server.processes import ENDPOINTS, documents, file_formats
from satfusion_assets.sandbox.server.results import ResultFiles
from satfusion_assets.sandbox.server.shared import SharedWorld
from satfusion_assets.sandbox.server.spoilt import Spoilt, rewrite, spoil, spoil_file
from satfusion_assets.sandbox.synthetic import LICENCE

ROOT: Final = "/openeo/1.2"
API_VERSION: Final = "1.2.0"

CONFORMS_TO: Final = [
    "https://api.openeo.org/1.2.0",
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
]

Endpoint = Callable[[Request], Awaitable[Response]]


def run_graph(world: SharedWorld, controls: Controls, process_graph: Any, folder: Path) -> list[Path]:
    """The files of a process graph, written into ``folder``; spoilt where ``controls`` say so."""
    plan, spoilt = plan_of(process_graph), controls.spoilt_next()
    if spoilt is Spoilt.END_DAY and plan.end is not None:
        plan = replace(plan, end=plan.end + timedelta(days=1))
    raster = raster_of(plan, world, controls.nothing)
    files = write(raster if spoilt is None else spoil(raster, spoilt), plan.format or "", folder)
    for path in files:
        if path.suffix == ".nc":
            rewrite(path, controls.netcdf)
        if spoilt is not None:
            spoil_file(path, spoilt)
    return files


class OpenEoServer:
    """The endpoints over one world."""

    def __init__(
        self, world: SharedWorld, jobs: Jobs, office: TokenOffice, files: ResultFiles, controls: Controls
    ) -> None:
        self.world = world
        self.jobs = jobs
        self.files = files
        self._office = office
        self._controls = controls

    def user(self, request: Request) -> str:
        """Who asks; OpenEoError when nobody does or the token does not hold."""
        header = request.headers.get("authorization")
        if header is None:
            raise OpenEoError("AuthenticationRequired", 401, "Unauthorized.")
        scheme, _, token = header.partition(" ")
        method, _, rest = token.partition("/")
        provider, _, secret = rest.partition("/")
        if scheme.lower() != "bearer" or (method, provider) != ("oidc", "CDSE"):
            raise OpenEoError("AuthenticationSchemeInvalid", 403, "Authentication method not supported.")
        try:
            return str(self._office.read(secret, "Bearer")["sub"])
        except BearerRefused as error:
            raise OpenEoError("TokenInvalid", 403, "Authorization token has expired or is invalid.") from error

    def job(self, request: Request) -> Job:
        """The user's job that the path names."""
        return self.jobs.job(self.user(request), request.path_params["job"])

    async def well_known(self, request: Request) -> Response:
        url = own_address(request) + ROOT
        return JSONResponse({"versions": [{"url": url, "api_version": API_VERSION, "production": True}]})

    async def capabilities(self, request: Request) -> Response:
        root = own_address(request) + ROOT
        return JSONResponse(
            {
                "api_version": API_VERSION,
                "backend_version": "0.71.0a1",
                "stac_version": "1.0.0",
                "type": "Catalog",
                "id": "cdse-openeo-sandbox",
                "title": "Copernicus Data Space Ecosystem openEO API",
                "description": "Copernicus Data Space Ecosystem openEO API",
                "production": True,
                "conformsTo": CONFORMS_TO,
                "endpoints": [{"path": path, "methods": methods} for path, methods in ENDPOINTS.items()],
                "billing": {"currency": "credits"},
                "links": [
                    {"rel": "self", "href": f"{root}/", "type": "application/json"},
                    {"rel": "data", "href": f"{root}/collections", "type": "application/json"},
                    {"rel": "conformance", "href": f"{root}/conformance", "type": "application/json"},
                ],
            }
        )

    async def conformance(self, request: Request) -> Response:
        return JSONResponse({"conformsTo": CONFORMS_TO})

    async def collections(self, request: Request) -> Response:
        found = await run_in_threadpool(self.world.cube_collections)
        return JSONResponse(absolute({"collections": found, "links": []}, own_address(request)))

    async def collection(self, request: Request) -> Response:
        name = request.path_params["collection"]
        for one in await run_in_threadpool(self.world.cube_collections):
            if one["id"] == name:
                return JSONResponse(absolute(one, own_address(request)))
        raise OpenEoError("CollectionNotFound", 404, f"Collection '{name}' does not exist.")

    async def processes(self, request: Request) -> Response:
        return JSONResponse(documents())

    async def file_formats(self, request: Request) -> Response:
        return JSONResponse(file_formats())

    async def providers(self, request: Request) -> Response:
        client = {
            "id": PUBLIC_CLIENTS[0],
            "grant_types": [f"{DEVICE_GRANT}+pkce", "refresh_token"],
            "redirect_urls": ["https://editor.openeo.org"],
        }
        provider = {
            "id": "CDSE",
            "issuer": own_address(request) + REALM,
            "title": "Copernicus Data Space Ecosystem",
            "scopes": ["openid"],
            "default_clients": [client],
        }
        return JSONResponse({"providers": [provider]})

    async def me(self, request: Request) -> Response:
        user = self.user(request)
        return JSONResponse({"user_id": user, "name": user, "roles": ["free"]})

    async def validation(self, request: Request) -> Response:
        body = await _body(request)
        try:
            await run_in_threadpool(check, plan_of(body.get("process_graph")), self.world)
        except OpenEoError as error:
            return JSONResponse({"errors": [{"code": error.code, "message": error.message}]})
        return JSONResponse({"errors": []})

    async def result(self, request: Request) -> Response:
        """The answer to a synchronous request is the file itself."""
        self.jobs.take_start(self.user(request))
        graph = _process_graph(await _body(request))
        with tempfile.TemporaryDirectory() as folder:
            files = await run_in_threadpool(run_graph, self.world, self._controls, graph, Path(folder))
            if len(files) > 1:
                raise OpenEoError("FormatUnsuitable", 400, "GTiff holds a single date; select one or use NetCDF.")
            return Response(files[0].read_bytes(), media_type=MEDIA_TYPES[files[0].suffix])

    async def list_jobs(self, request: Request) -> Response:
        """A page of the user's jobs, newest first, and the address of the next one."""
        jobs = self.jobs.of(self.user(request))
        start, wanted = (request.query_params.get(name, "") for name in ("offset", "limit"))
        first = int(start) if start.isdecimal() else 0
        last = first + min(int(wanted) if wanted.isdecimal() else len(jobs), self._controls.jobs_on_a_page)
        following = f"{own_address(request)}{ROOT}/jobs?limit={last - first}&offset={last}"
        links = [{"rel": "next", "href": following}] if last < len(jobs) else []
        return JSONResponse({"jobs": [job.summary() for job in jobs[first:last]], "links": links})

    async def create_job(self, request: Request) -> Response:
        user, body = self.user(request), await _body(request)
        job = self.jobs.create(user, _process_graph(body), body.get("title"), body.get("description"))
        location = f"{own_address(request)}{ROOT}/jobs/{job.id}"
        return Response(None, 201, {"OpenEO-Identifier": job.id, "Location": location})

    async def show_job(self, request: Request) -> Response:
        return JSONResponse(self.job(request).details())

    async def change_job(self, request: Request) -> Response:
        self.jobs.change(self.job(request), await _body(request))
        return Response(None, 204)

    async def delete_job(self, request: Request) -> Response:
        self.jobs.delete(self.job(request))
        return Response(None, 204)

    async def start_job(self, request: Request) -> Response:
        await self.jobs.start(self.job(request))
        return Response(None, 202)

    async def stop_job(self, request: Request) -> Response:
        self.jobs.cancel(self.job(request))
        return Response(None, 204)

    async def logs(self, request: Request) -> Response:
        levels = ("error", "warning", "info", "debug")
        shown = levels[: levels.index(request.query_params.get("level", "debug")) + 1]
        entries = [entry for entry in self.job(request).logs if entry["level"] in shown]
        return JSONResponse({"level": shown[-1], "logs": entries, "links": []})

    async def results(self, request: Request) -> Response:
        job = self.job(request)
        address = f"{own_address(request)}{ROOT}/jobs/{job.id}/results"
        assets = self.files.assets(request, address, job.id, self.jobs.results(job))
        return JSONResponse(
            {
                "type": "Collection",
                "stac_version": "1.0.0",
                "stac_extensions": ["https://stac-extensions.github.io/file/v2.1.0/schema.json"],
                "id": job.id,
                "title": job.title or "",
                "description": job.description or f"Results for batch job {job.id}",
                "license": LICENCE,
                "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
                "openeo:status": job.status,
                "links": [{"rel": "self", "href": address, "type": "application/json"}],
                "assets": assets,
            }
        )


async def _body(request: Request) -> dict[str, Any]:
    body = await json_object(request)
    if body is None:
        raise OpenEoError("RequestBodyInvalid", 400, "The request body is not a JSON object.")
    return body


def _process_graph(body: dict[str, Any]) -> Any:
    process = body.get("process")
    graph = process.get("process_graph") if isinstance(process, dict) else None
    if not graph:
        raise OpenEoError("ProcessGraphMissing", 400, "No valid process graph specified.")
    return graph


def _answering(endpoint: Endpoint) -> Endpoint:
    """``endpoint`` with its OpenEoErrors sent as answers."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OpenEoError as error:
            raise error.refusal() from error

    return answer


def routes(back_end: OpenEoServer) -> list[BaseRoute]:
    """``/.well-known/openeo`` and ``/openeo/1.2``"""
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "", back_end.capabilities),
        ("GET", "/", back_end.capabilities),
        ("GET", "/conformance", back_end.conformance),
        ("GET", "/collections", back_end.collections),
        ("GET", "/collections/{collection}", back_end.collection),
        ("GET", "/processes", back_end.processes),
        ("GET", "/file_formats", back_end.file_formats),
        ("GET", "/credentials/oidc", back_end.providers),
        ("GET", "/me", back_end.me),
        ("POST", "/validation", back_end.validation),
        ("POST", "/result", back_end.result),
        ("GET", "/jobs", back_end.list_jobs),
        ("POST", "/jobs", back_end.create_job),
        ("GET", "/jobs/{job}", back_end.show_job),
        ("PATCH", "/jobs/{job}", back_end.change_job),
        ("DELETE", "/jobs/{job}", back_end.delete_job),
        ("POST", "/jobs/{job}/results", back_end.start_job),
        ("GET", "/jobs/{job}/results", back_end.results),
        ("DELETE", "/jobs/{job}/results", back_end.stop_job),
        ("GET", "/jobs/{job}/logs", back_end.logs),
    ]
    own = [Route(ROOT + path, _answering(endpoint), methods=[method]) for method, path, endpoint in table]
    return [
        *own,
        *results.routes(back_end.files, ROOT),
        Route("/.well-known/openeo", back_end.well_known),
        Route(f"{ROOT}/.well-known/openeo", back_end.well_known),
    ]
