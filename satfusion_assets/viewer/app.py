"""The viewer's server: read-only, for loopback, everything the front end asks for.

Addresses of the server itself begin with an underscore, which no site name can: ``/_api``, ``/_files``,
``/_assets``. Every other address is a page of the front end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from anyio import CapacityLimiter
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

from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.leases import HIDDEN, VERSIONS
from satfusion_assets.store.names import CURRENT
from satfusion_assets.viewer.areas import area_season
from satfusion_assets.viewer.asked import bands_of, number_of, ring_of, season_of, stage_of
from satfusion_assets.viewer.bucket_files import BucketFence
from satfusion_assets.viewer.catalog import Catalog
from satfusion_assets.viewer.figure_order import MEDIA, order_of
from satfusion_assets.viewer.files import Fence, finite, read_json
from satfusion_assets.viewer.layers import layer_address, layer_geotiff, read_layer_frame
from satfusion_assets.viewer.rasters import index_geotiff, read_frame
from satfusion_assets.viewer.series import pixel_season, scenario_series, site_series
from satfusion_assets.vocabulary.errors import (
    InvalidInput,
    ProductCorrupt,
    ProductMissing,
    SatfusionError,
    StoreUnavailable,
    UnknownSeason,
    UnknownSite,
)
from satfusion_assets.vocabulary.installation import VIEWER, beside_package
from satfusion_assets.vocabulary.links import OLD_PAGES, redirect_of
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
DIST: Final = beside_package(VIEWER)

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
    (StoreUnavailable, 503),
)
AT_ONCE: Final = 4
"""Questions that are worked on at the same time; each takes up to a few times the 64 MB of its numbers."""
_VERSION: Final = re.compile(
    rf"{re.escape(HIDDEN)}/[A-Za-z0-9_.-]+/(?:{VERSIONS}/[A-Za-z0-9_-]+|{re.escape(CURRENT)})/"
)
"""Where in the store a product's file lies: a path's part that is nobody's business either."""
_UNEXPECTED: Final = "The viewer could not answer this; its log says why."
_NOT_BUILT: Final = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><title>satfusion</title><h1>The viewer is not built yet</h1>"
    "<p>Run <code>make webapp</code> in the repository, then reload this page.</p></html>"
)


def create_app(
    data_root: Path,
    sites_file: Path | None = None,
    *,
    bucket: BucketStore | None = None,
    hosts: Sequence[str] = LOOPBACK,
    dist: Path = DIST,
) -> Starlette:
    """The viewer over the product store at ``data_root``, or in ``bucket``.

    sites_file: the registry of sites, by default ``sites.geojson`` below the data root. hosts: names under which
    it answers; any other Host header is refused. dist: the built front end.
    """
    fence = Fence(data_root) if bucket is None else BucketFence(bucket)
    server = _Server(fence, sites_file or data_root / "sites.geojson", dist)
    return Starlette(
        routes=server.routes(),
        middleware=[Middleware(_SafeHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={SatfusionError: server.say, Exception: server.say},
    )


class _Server:
    """The endpoints; all work on files happens in a thread, and what takes memory a few at a time."""

    def __init__(self, fence: Fence, sites_file: Path, dist: Path) -> None:
        self._fence = fence
        self._sites_file = sites_file
        self._dist = dist
        self._heavy = CapacityLimiter(AT_ONCE)

    def routes(self) -> list[Route | Mount]:
        old = [Route(f"/{name}", self.old_page) for name in OLD_PAGES]
        api = [
            Route("/catalog", self.catalog),
            Route("/season/{site}/{season}/{scenario}", self.season),
            Route("/series/{site}/{season}/{scenario}/{stage}", self.series),
            Route("/pixel/{site}/{season}/{scenario}/{stage}", self.pixel),
            Route("/area/{site}/{season}/{scenario}", self.area),
            Route("/scenarios/{site}/{season}", self.scenarios),
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
            Route("/_layer/{path:path}", self.layer),
            Route("/_figure/{site}/{season}/{scenario}/{stage}", self.figure),
            Route("/_files/{path:path}", self.file),
            *(assets if self._dist.is_dir() else []),
            Route("/{page:path}", self.page),
        ]

    async def catalog(self, request: Request) -> Response:
        return await self._json(request, lambda files: self._catalog(files).overview())

    async def season(self, request: Request) -> Response:
        def answer(files: Fence) -> Any:
            site, season, scenario = self._partition(request, files)
            return self._catalog(files).season(site.name, season, scenario)

        return await self._json(request, answer)

    async def series(self, request: Request) -> Response:
        stage = stage_of(request)
        return await self._json(request, lambda files: site_series(files, *self._partition(request, files), stage))

    async def pixel(self, request: Request) -> Response:
        stage = stage_of(request)
        east, north = number_of(request, "x"), number_of(request, "y")
        return await self._json(
            request, lambda files: pixel_season(files, *self._partition(request, files), stage, east, north)
        )

    async def area(self, request: Request) -> Response:
        ring = ring_of(request)
        return await self._json(request, lambda files: area_season(files, *self._partition(request, files), ring))

    async def scenarios(self, request: Request) -> Response:
        return await self._json(request, lambda files: scenario_series(files, *self._site_season(request, files)))

    async def json(self, request: Request) -> Response:
        name = request.path_params["path"]
        return await self._json(request, lambda files: read_json(files.file(name), name))

    async def frame(self, request: Request) -> Response:
        name = request.path_params["path"]
        bands = bands_of(request)
        known = request.headers.get("if-none-match")

        def answer(files: Fence) -> Response:
            path = files.file(name)
            tag = _tag(path)
            if known == tag:
                return Response(status_code=304, headers={"etag": tag})
            if layer := layer_address(name):
                content = read_layer_frame(files.real(files.root / layer[0]), *layer, bands).encode()
            else:
                content = read_frame(path, name, bands).rounded().encode()
            return Response(content, media_type="application/octet-stream", headers=_fresh(tag))

        return await self._ask(answer)

    async def index(self, request: Request) -> Response:
        name, index = request.path_params["path"], request.path_params["index"]
        saved = f"{'_'.join(name.split('/')[:2])}_{Path(name).stem}_{index}.tif"
        disposition = {"content-disposition": f'attachment; filename="{saved}"'}

        def answer(files: Fence) -> Response:
            content = index_geotiff(files.file(name), name, index)
            return Response(content, media_type="image/tiff", headers=disposition)

        return await self._ask(answer)

    async def layer(self, request: Request) -> Response:
        """All days of a quality layer as a GeoTIFF; in the store they are a pack."""
        name = request.path_params["path"]
        address = layer_address(name)
        if address is None:
            raise ProductMissing(f"{name!r} is no quality layer of this store.")
        saved = f"{'_'.join(name.split('/')[:3])}_{address[1]}.tif"

        def answer(files: Fence) -> Response:
            files.file(name)
            content = layer_geotiff(files.real(files.root / address[0]), *address)
            disposition = {"content-disposition": f'attachment; filename="{saved}"'}
            return Response(content, media_type="image/tiff", headers=disposition)

        return await self._ask(answer)

    async def figure(self, request: Request) -> Response:
        stage, order = stage_of(request), order_of(request.query_params)

        def answer(files: Fence) -> Response:
            from satfusion_assets.viewer.figure import draw
            from satfusion_assets.viewer.figure_contents import contents_of

            site, season, scenario = self._partition(request, files)
            content = draw(order, contents_of(files, site, season, scenario, stage, order))
            saved = f"{site.name}_{season}_{scenario.key}_{stage}_{order.style}_{order.day}.{order.format}"
            disposition = {"content-disposition": f'attachment; filename="{saved}"'}
            return Response(content, media_type=MEDIA[order.format], headers=disposition)

        return await self._ask(answer)

    async def file(self, request: Request) -> Response:
        leases = ExitStack()
        try:
            files = await run_sync(leases.enter_context, self._fence.snapshot())
            path = await run_sync(files.file, request.path_params["path"])
        except SatfusionError:
            leases.close()
            raise
        return _LeasedFile(path, leases)

    async def old_page(self, request: Request) -> Response:
        return RedirectResponse(redirect_of(request.url.path.lstrip("/"), request.query_params), status_code=308)

    async def page(self, request: Request) -> Response:
        if request.url.path.startswith("/_"):
            raise ProductMissing(f"{request.url.path} is not an address of the viewer.")
        index = self._dist / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503)
        return FileResponse(index, headers={"cache-control": "no-cache"})

    def say(self, request: Request, error: Exception) -> Response:
        """One clear sentence with the right status; where files lie on this machine is nobody's business."""
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        text = str(error) if isinstance(error, SatfusionError) else _UNEXPECTED
        for folder in (*self._fence.places, self._sites_file.parent, self._sites_file.absolute().parent):
            text = text.replace(f"{folder}/", "").replace(str(folder), "the data root")
        text = _VERSION.sub("", text)
        headers = {"cache-control": "no-store"}
        if not isinstance(error, SatfusionError):
            headers |= _HEADERS  # which the middleware adds to every other answer
        return JSONResponse({"error": finite(text)}, status_code=status, headers=headers)

    async def _json(self, request: Request, answer: Callable[[Fence], Any]) -> Response:
        """``answer`` as JSON, revalidated by content: an unchanged one costs the browser nothing."""
        known = request.headers.get("if-none-match")

        def respond(files: Fence) -> Response:
            response = JSONResponse(finite(answer(files)))
            tag = f'"{hashlib.sha256(response.body).hexdigest()[:24]}"'
            if known in (tag, f"W/{tag}"):
                return Response(status_code=304, headers=_fresh(tag))
            response.headers.update(_fresh(tag))
            return response

        return await self._ask(respond)

    async def _ask(self, answer: Callable[[Fence], Response]) -> Response:
        """``answer`` in a thread, every file of a product in the same version."""

        def work() -> Response:
            with self._fence.snapshot() as files:
                return answer(files)

        return await run_sync(work, limiter=self._heavy)

    def _catalog(self, files: Fence) -> Catalog:
        return Catalog(files, self._sites_file)

    def _partition(self, request: Request, files: Fence) -> tuple[Site, int, Scenario]:
        site, season = self._site_season(request, files)
        key = request.path_params["scenario"]
        default = key == "default"
        chosen = self._catalog(files).default_scenario(site.name, season) if default else Scenario.parse(key)
        return site, season, chosen

    def _site_season(self, request: Request, files: Fence) -> tuple[Site, int]:
        catalog = self._catalog(files)
        site = catalog.registry().site(request.path_params["site"])
        season = season_of(request)
        known = catalog.seasons(site)
        if season not in known:
            listed = ", ".join(map(str, known)) or "none"
            raise UnknownSeason(
                f"Season {season} is not registered for site {site.name} (known: {listed}); "
                f"add it with 'satfusion sites add {site.name} --season {season}'."
            )
        return site, season


class _LeasedFile(FileResponse):
    """A file that stays on disk until it is sent."""

    def __init__(self, path: Path, leases: ExitStack) -> None:
        super().__init__(path, headers={"cache-control": "no-cache"})
        self._leases = leases

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._leases:
            await super().__call__(scope, receive, send)


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


def _tag(path: Path) -> str:
    stat = path.stat()
    return f'"{hashlib.sha256(f"{path}{stat.st_mtime_ns}{stat.st_size}".encode()).hexdigest()[:24]}"'


def _fresh(tag: str) -> dict[str, str]:
    return {"etag": tag, "cache-control": "no-cache"}
