"""Earth Search as a STAC API: landing page, collections, items, search (shapes of its recorded answers)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from satfusion_assets.sandbox.server.answers import RefusedRequest, absolute, json_object, own_address
from satfusion_assets.sandbox.server.search import (
    InvalidSearch,
    Item,
    Search,
    SearchTooLarge,
    search_of_body,
    search_of_query,
    sensing_days,
)
from satfusion_assets.sandbox.server.shared import SharedWorld

VERSION: Final = "1.0.0"
GEOJSON: Final = "application/geo+json"

CONFORMS_TO: Final = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#fields",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#query",
    "https://api.stacspec.org/v1.0.0/item-search#fields",
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/item-search#query",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
]

Given = TypeVar("Given")
Made = TypeVar("Made")

_SERVER_LINKS: Final = ("self", "parent", "collection", "root", "items")


def refusal(status: int, message: str) -> RefusedRequest:
    """The catalogue's error body."""
    return RefusedRequest(JSONResponse({"code": status, "message": message}, status))


class StacCatalogue:
    """The endpoints over one world."""

    def __init__(self, world: SharedWorld) -> None:
        self.world = world

    def landing(self, request: Request) -> Response:
        root = _root(request)
        links = [
            _link("self", root),
            _link("root", root),
            _link("conformance", f"{root}/conformance"),
            _link("data", f"{root}/collections"),
            _link("search", f"{root}/search", GEOJSON) | {"method": "GET"},
            _link("search", f"{root}/search", GEOJSON) | {"method": "POST"},
        ]
        children = [_link("child", f"{root}/collections/{one['id']}", GEOJSON) for one in self.world.collections()]
        return JSONResponse(
            {
                "stac_version": VERSION,
                "type": "Catalog",
                "id": "earth-search-aws",
                "title": "Earth Search by Element 84",
                "description": "A STAC API of public datasets on AWS",
                "links": links + children,
                "conformsTo": CONFORMS_TO,
            }
        )

    def conformance(self, request: Request) -> Response:
        return JSONResponse({"conformsTo": CONFORMS_TO})

    def collections(self, request: Request) -> Response:
        root = _root(request)
        found = [_linked_collection(one, root, own_address(request)) for one in self.world.collections()]
        context = {"page": 1, "limit": 100, "matched": len(found), "returned": len(found)}
        links = [_link("self", f"{root}/collections"), _link("root", root)]
        return JSONResponse({"collections": found, "links": links, "context": context})

    def collection(self, request: Request) -> Response:
        return JSONResponse(_linked_collection(self._collection(request), _root(request), own_address(request)))

    def item(self, request: Request) -> Response:
        collection = self._collection(request)["id"]
        name = request.path_params["item"]
        for item in self.world.items(collection, None, *sensing_days([name])):
            if item["id"] == name:
                answer = _linked_item(item, _root(request), own_address(request))
                return JSONResponse(answer, media_type=GEOJSON)
        raise refusal(404, "Item not found")

    async def items(self, request: Request) -> Response:
        collection = (await run_in_threadpool(self._collection, request))["id"]
        body = _parsed(search_of_query, dict(request.query_params))
        search = _parsed(search_of_body, body | {"collections": [collection]})
        own = f"{_root(request)}/collections/{collection}"
        links = [_link("self", f"{own}/items", GEOJSON), _link("collection", own)]
        return await run_in_threadpool(self._answer, request, search, None, links)

    async def search(self, request: Request) -> Response:
        body: dict[str, Any] | None = None
        if request.method == "POST":
            body = await json_object(request)
            if body is None:
                raise refusal(400, "Request body is not a JSON object")
        parameters = _parsed(search_of_query, dict(request.query_params)) if body is None else body
        return await run_in_threadpool(self._answer, request, _parsed(search_of_body, parameters), body, [])

    def _collection(self, request: Request) -> dict[str, Any]:
        for one in self.world.collections():
            if one["id"] == request.path_params["collection"]:
                return one
        raise refusal(404, "Collection not found")

    def _answer(
        self, request: Request, search: Search, body: dict[str, Any] | None, links: list[dict[str, Any]]
    ) -> Response:
        known = [one["id"] for one in self.world.collections()]
        wanted = known if search.collections is None else [one for one in search.collections if one in known]
        items = (item for one in wanted for item in self.world.items(one, search.bounds, *search.window))
        found, matched, token = _parsed(search.page, items)
        root, address = _root(request), own_address(request)
        paging = [] if token is None else [_next_link(request, address, body, token)]
        return JSONResponse(
            {
                "type": "FeatureCollection",
                "stac_version": VERSION,
                "stac_extensions": [],
                "context": {"limit": search.limit, "matched": matched, "returned": len(found)},
                "numberMatched": matched,
                "numberReturned": len(found),
                "features": [_selected_item(search, item, root, address) for item in found],
                "links": [*paging, _link("root", root), *links],
            },
            media_type=GEOJSON,
        )


def _parsed(parse: Callable[[Given], Made], given: Given) -> Made:
    """What ``parse`` makes of ``given``, its complaints turned into the service's answers."""
    try:
        return parse(given)
    except InvalidSearch as error:
        raise refusal(400, str(error)) from error
    except SearchTooLarge as error:
        answer = JSONResponse({"code": "InternalServerError", "description": "Internal Server Error"}, 500)
        raise RefusedRequest(answer) from error


def _root(request: Request) -> str:
    return f"{own_address(request)}/v1"


def _link(rel: str, href: str, media_type: str = "application/json") -> dict[str, Any]:
    return {"rel": rel, "type": media_type, "href": href}


def _next_link(request: Request, address: str, body: dict[str, Any] | None, token: str) -> dict[str, Any]:
    link = {"rel": "next", "title": "Next page of Items", "method": request.method, "type": GEOJSON}
    href = address + request.url.path
    if body is None:
        return link | {"href": f"{href}?{urlencode(dict(request.query_params) | {'next': token})}"}
    return link | {"href": href, "merge": False, "body": body | {"next": token}}


def _linked_collection(collection: dict[str, Any], root: str, address: str) -> dict[str, Any]:
    own = f"{root}/collections/{collection['id']}"
    links = [
        _link("self", own),
        *(link for link in collection.get("links", []) if link["rel"] not in _SERVER_LINKS),
        _link("parent", root),
        _link("root", root),
        _link("items", f"{own}/items", GEOJSON),
    ]
    return absolute(collection | {"links": links}, address)


def _linked_item(item: Item, root: str, address: str) -> Item:
    collection = f"{root}/collections/{item['collection']}"
    links = [
        _link("self", f"{collection}/items/{item['id']}", GEOJSON),
        *(link for link in item.get("links", []) if link["rel"] not in _SERVER_LINKS),
        _link("parent", collection),
        _link("collection", collection),
        _link("root", root),
    ]
    return absolute(item | {"links": links}, address)


def _selected_item(search: Search, item: Item, root: str, address: str) -> Item:
    """The item's asked fields; the service adds its links whatever the fields are."""
    linked = _linked_item(item, root, address)
    return search.selected(linked) | {"links": linked["links"]}


def routes(world: SharedWorld) -> list[BaseRoute]:
    """``/v1``"""
    catalogue = StacCatalogue(world)
    return [
        Route("/v1", catalogue.landing),
        Route("/v1/", catalogue.landing),
        Route("/v1/conformance", catalogue.conformance),
        Route("/v1/collections", catalogue.collections),
        Route("/v1/collections/{collection}", catalogue.collection),
        Route("/v1/collections/{collection}/items", catalogue.items),
        Route("/v1/collections/{collection}/items/{item}", catalogue.item),
        Route("/v1/search", catalogue.search, methods=["GET", "POST"]),
    ]
