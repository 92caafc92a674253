"""The viewer's server: read-only, for loopback, everything the front end asks for.

Addresses of the server itself begin with an underscore, which no site name can: ``/_api``, ``/_files``,
``/_assets``. Every other address is a page of the front end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from satfusion_assets.errors import (
    InvalidInput,
    ProductCorrupt,
    ProductMissing,
    SatfusionError,
    UnknownSeason,
    UnknownSite,
)
from satfusion_assets.scenarios import Scenario
from satfusion_assets.sites import Site
from satfusion_assets.viewer.catalog import Catalog
from satfusion_assets.viewer.files import Fence, read_json
from satfusion_assets.viewer.links import OLD_PAGES, STAGES, Stage, redirect_of
from satfusion_assets.viewer.rasters import index_geotiff, read_frame
from satfusion_assets.viewer.series import pixel_season, scenario_series, site_series

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
DIST: Final = Path(__file__).resolve().parents[2] / "webapp" / "dist"

_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "font-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_STATUS: Final[tuple[tuple[type[SatfusionError], int], ...]] = (
    (UnknownSite, 404),
    (UnknownSeason, 404),
    (ProductMissing, 404),
    (InvalidInput, 400),
    (ProductCorrupt, 500),
)
_NOT_BUILT: Final = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><title>satfusion</title><h1>The viewer is not built yet</h1>"
    "<p>Run <code>make webapp</code> in the repository, then reload this page.</p></html>"
)


def create_app(
    data_root: Path, sites_file: Path | None = None, *, hosts: Sequence[str] = LOOPBACK, dist: Path = DIST
) -> Starlette:
    """The viewer over the product store at ``data_root``.

    sites_file: the registry of sites, by default ``sites.geojson`` below the data root. hosts: names under which
    it answers; any other Host header is refused. dist: the built front end.
    """
    fence = Fence(data_root)
    server = _Server(fence, Catalog(fence, sites_file or data_root / "sites.geojson"), dist)
    return Starlette(
        routes=server.routes(),
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)), Middleware(_SafeHeaders)],
        exception_handlers={SatfusionError: _say},
    )


class _Server:
    """The endpoints; all work on files happens in a thread."""

    def __init__(self, fence: Fence, catalog: Catalog, dist: Path) -> None:
        self._fence = fence
        self._catalog = catalog
        self._dist = dist

    def routes(self) -> list[Route | Mount]:
        old = [Route(f"/{name}", self.old_page) for name in OLD_PAGES]
        api = [
            Route("/catalog", self.catalog),
            Route("/season/{site}/{season:int}/{scenario}", self.season),
            Route("/series/{site}/{season:int}/{scenario}/{stage}", self.series),
            Route("/pixel/{site}/{season:int}/{scenario}/{stage}", self.pixel),
            Route("/scenarios/{site}/{season:int}", self.scenarios),
            Route("/json/{path:path}", self.json),
        ]
        zipped = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)]
        quickly = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)]
        assets = [Mount("/_assets", _Immutable(directory=self._dist / "_assets", check_dir=False), middleware=zipped)]
        return [
            *old,
            Mount("/_api", routes=api, middleware=zipped),
            Route("/_frame/{path:path}", self.frame, middleware=quickly),
            Route("/_index/{index}/{path:path}", self.index),
            Route("/_files/{path:path}", self.file),
            *(assets if self._dist.is_dir() else []),
            Route("/{page:path}", self.page),
        ]

    async def catalog(self, request: Request) -> Response:
        return await _json(request, self._catalog.overview)

    async def season(self, request: Request) -> Response:
        site, season, scenario = self._partition(request)
        return await _json(request, lambda: self._catalog.season(site.name, season, scenario))

    async def series(self, request: Request) -> Response:
        site, season, scenario = self._partition(request)
        stage = _stage(request)
        return await _json(request, lambda: site_series(self._fence, site, season, scenario, stage))

    async def pixel(self, request: Request) -> Response:
        site, season, scenario = self._partition(request)
        stage = _stage(request)
        east, north = _number(request, "x"), _number(request, "y")
        return await _json(request, lambda: pixel_season(self._fence, site, season, scenario, stage, east, north))

    async def scenarios(self, request: Request) -> Response:
        site, season = self._site_season(request)
        return await _json(request, lambda: scenario_series(self._fence, site, season))

    async def json(self, request: Request) -> Response:
        name = request.path_params["path"]
        return await _json(request, lambda: read_json(self._fence.file(name), name))

    async def frame(self, request: Request) -> Response:
        name = request.path_params["path"]
        bands = _bands(request.query_params.get("bands"))
        path = self._fence.file(name)
        tag = _tag(path)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        content = await run_sync(lambda: read_frame(path, name, bands).rounded().encode())
        return Response(content, media_type="application/octet-stream", headers=_fresh(tag))

    async def index(self, request: Request) -> Response:
        name, index = request.path_params["path"], request.path_params["index"]
        path = self._fence.file(name)
        content = await run_sync(lambda: index_geotiff(path, name, index))
        saved = f"{'_'.join(name.split('/')[:2])}_{path.stem}_{index}.tif"
        disposition = {"content-disposition": f'attachment; filename="{saved}"'}
        return Response(content, media_type="image/tiff", headers=disposition)

    async def file(self, request: Request) -> Response:
        path = await run_sync(self._fence.file, request.path_params["path"])
        return FileResponse(path, headers={"cache-control": "no-cache"})

    async def old_page(self, request: Request) -> Response:
        return RedirectResponse(redirect_of(request.url.path.lstrip("/"), request.query_params), status_code=308)

    async def page(self, request: Request) -> Response:
        if request.url.path.startswith("/_"):
            raise ProductMissing(f"{request.url.path} is not an address of the viewer.")
        index = self._dist / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503)
        return FileResponse(index, headers={"cache-control": "no-cache"})

    def _partition(self, request: Request) -> tuple[Site, int, Scenario]:
        site, season = self._site_season(request)
        key = request.path_params["scenario"]
        default = key == "default"
        return site, season, self._catalog.default_scenario(site.name, season) if default else Scenario.parse(key)

    def _site_season(self, request: Request) -> tuple[Site, int]:
        site = self._catalog.registry().site(request.path_params["site"])
        season = request.path_params["season"]
        known = self._catalog.seasons(site)
        if season not in known:
            listed = ", ".join(map(str, known)) or "none"
            raise UnknownSeason(
                f"Season {season} is not registered for site {site.name} (known: {listed}); "
                f"add it with 'satfusion sites add {site.name} --season {season}'."
            )
        return site, season


class _Immutable(StaticFiles):
    """Built assets, whose names change with their contents."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


class _SafeHeaders:
    """Puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(key.encode(), value.encode()) for key, value in _HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        await self._app(scope, receive, send_safely)


def _stage(request: Request) -> Stage:
    stage = request.path_params["stage"]
    if stage not in STAGES:
        raise InvalidInput(f"{stage!r} is not a stage; use one of {', '.join(STAGES)}.")
    return stage


def _number(request: Request, name: str) -> float:
    try:
        return float(request.query_params[name])
    except (KeyError, ValueError):
        raise InvalidInput(
            f"parameter {name} is missing or not a number; give metres in the site's UTM zone."
        ) from None


def _bands(text: str | None) -> list[int] | None:
    if text is None:
        return None
    if not all(part.isdecimal() and int(part) > 0 for part in text.split(",")):
        raise InvalidInput(f"bands={text!r} is not a list of band numbers from 1, like 1,2,3.")
    return [int(part) for part in text.split(",")]


def _tag(path: Path) -> str:
    stat = path.stat()
    return f'"{hashlib.sha256(f"{path}{stat.st_mtime_ns}{stat.st_size}".encode()).hexdigest()[:24]}"'


def _fresh(tag: str) -> dict[str, str]:
    return {"etag": tag, "cache-control": "no-cache"}


async def _json(request: Request, answer: Callable[[], Any]) -> Response:
    """``answer()`` as JSON, revalidated by content: an unchanged one costs the browser nothing."""
    response = JSONResponse(await run_sync(answer))
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:24]}"'
    if request.headers.get("if-none-match") in (tag, f"W/{tag}"):
        return Response(status_code=304, headers=_fresh(tag))
    response.headers.update(_fresh(tag))
    return response


def _say(request: Request, error: Exception) -> Response | Awaitable[Response]:
    """One clear sentence with the right status."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return JSONResponse({"error": str(error)}, status_code=status, headers={"cache-control": "no-store"})
