"""PhenoCam's API: Django REST framework paging over cameras, ROI lists and midday images."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from satfusion_assets.sandbox.server.answers import RefusedRequest, own_address
from satfusion_assets.sandbox.server.shared import SharedWorld

PAGE: Final = 100
"""Records of a page when no limit is asked."""


def page(request: Request, records: list[dict[str, Any]]) -> Response:
    """One page of ``records``, with absolute links to its neighbours."""
    limit = _count(request, "limit", PAGE) or PAGE
    offset = _count(request, "offset", 0)
    address = own_address(request) + request.url.path

    def link(start: int) -> str:
        query = request.url.include_query_params(limit=limit, offset=start).query
        return f"{address}?{query}"

    following = offset + limit
    return JSONResponse(
        {
            "count": len(records),
            "next": link(following) if following < len(records) else None,
            "previous": link(max(0, offset - limit)) if offset else None,
            "results": records[offset:following],
        }
    )


def _count(request: Request, name: str, default: int) -> int:
    """A non-negative number of the query; Django's paging takes the default for anything else."""
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() else default


def routes(world: SharedWorld) -> list[BaseRoute]:
    """``/api/...``"""

    def one_camera(request: Request) -> Response:
        name = request.path_params["site"]
        for camera in world.cameras():
            if camera["Sitename"] == name:
                return JSONResponse(camera)
        raise RefusedRequest(JSONResponse({"detail": "Not found."}, 404))

    def cameras(request: Request) -> Response:
        return page(request, world.cameras())

    def roi_lists(request: Request) -> Response:
        site = request.query_params.get("site")
        return page(request, [roi for roi in world.roi_lists() if site in (None, roi["site"])])

    def midday_images(request: Request) -> Response:
        site = request.query_params.get("site")
        sites = [site] if site else [camera["Sitename"] for camera in world.cameras()]
        return page(request, [image for name in sites for image in world.midday_images(name)])

    def site_midday_images(request: Request) -> Response:
        return JSONResponse(world.midday_images(request.path_params["site"]))

    def root(request: Request) -> Response:
        """Its lists by name, as the real API answers where it begins."""
        lists = ("cameras", "roilists", "middayimages")
        return JSONResponse({name: str(request.url.replace(path=f"/api/{name}/", query="")) for name in lists})

    def slash_appended(request: Request) -> Response:
        return RedirectResponse(request.url.replace(path=request.url.path + "/"), 301)

    endpoints = {
        "/api": root,
        "/api/cameras": cameras,
        "/api/cameras/{site}": one_camera,
        "/api/roilists": roi_lists,
        "/api/middayimages": midday_images,
        "/api/middayimages/{site}": site_midday_images,
    }
    return [
        route
        for path, endpoint in endpoints.items()
        for route in (Route(f"{path}/", endpoint), Route(path, slash_appended))
    ]
