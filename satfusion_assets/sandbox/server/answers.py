"""What every service's answers have in common: refusals, own addresses, JSON bodies."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


class RefusedRequest(Exception):
    """The request ends here with ``response``, worded as the service would word it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


async def refused(request: Request, error: Exception) -> Response:
    """Exception handler that sends a refusal."""
    if not isinstance(error, RefusedRequest):
        raise error
    return error.response


def own_address(request: Request) -> str:
    """``http://127.0.0.1:PORT`` as the client wrote it."""
    return str(request.base_url).rstrip("/")


def absolute(node: Any, address: str) -> Any:
    """A copy of a JSON document in which root-relative hrefs start with ``address``."""
    if isinstance(node, list):
        return [absolute(value, address) for value in node]
    if not isinstance(node, dict):
        return node
    return {
        key: address + value
        if key == "href" and isinstance(value, str) and value.startswith("/")
        else absolute(value, address)
        for key, value in node.items()
    }


async def json_object(request: Request) -> dict[str, Any] | None:
    """The request's body when it is a JSON object; an empty body is an empty object; None = malformed."""
    body = await request.body()
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
