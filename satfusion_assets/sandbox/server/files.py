"""Files with ranges and validators, as the bucket of cloud-optimised GeoTIFFs and the PhenoCam archive serve them."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.shared import SharedWorld
from satfusion_assets.sandbox.server.spoilt import defective

MEDIA_TYPES: Final = {
    ".tif": "image/tiff",
    ".nc": "application/x-netcdf",
    ".json": "application/json",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}

_CHUNK: Final = 1 << 18
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")

_MISSING_KEY: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Key>{key}</Key></Error>'


@dataclass(frozen=True)
class Span:
    """Bytes [start, stop) of a file."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class FileAnswer(Response):
    """A span of a file, read in the event loop: files lie in the page cache, a thread would cost more than pread."""

    def __init__(self, path: Path, span: Span, status: int, headers: dict[str, str]) -> None:
        super().__init__(None, status, {**headers, "Content-Length": str(span.length)})
        self.path = path
        self.span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD" or not self.span.length:
            return await send({"type": "http.response.body", "body": b""})
        file = os.open(self.path, os.O_RDONLY)
        try:
            for at in range(self.span.start, self.span.stop, _CHUNK):
                stop = min(at + _CHUNK, self.span.stop)
                more = stop < self.span.stop
                await send({"type": "http.response.body", "body": os.pread(file, stop - at, at), "more_body": more})
        finally:
            os.close(file)


def file_answer(request: Request, path: Path) -> Response:
    """``path`` as the request asks for it: 200, 206, 304 or 416."""
    status = path.stat()
    etag = _etag(path, status.st_mtime_ns, status.st_size)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        "Content-Type": MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
    }
    if _unchanged(request, etag, status.st_mtime):
        return Response(None, 304, {key: headers[key] for key in ("ETag", "Last-Modified")})
    whole = Span(0, status.st_size)
    wanted = request.headers.get("range")
    if wanted is None or request.headers.get("if-range", etag) != etag:
        return FileAnswer(path, whole, 200, headers)
    span = _span(wanted, status.st_size)
    if span is None:
        return FileAnswer(path, whole, 200, headers)
    if not span.length:
        return Response(None, 416, {"Content-Range": f"bytes */{status.st_size}", "Accept-Ranges": "bytes"})
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{status.st_size}"
    return FileAnswer(path, span, 206, headers)


def _span(header: str, size: int) -> Span | None:
    """The span of a single Range; None = not one (several, another unit): the whole file, as S3 answers."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return Span(max(0, size - int(last)), size)
    stop = min(int(last) + 1, size) if last else size
    return Span(int(first), max(stop, int(first))) if int(first) < size else Span(0, 0)


def _unchanged(request: Request, etag: str, modified: float) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
    since = request.headers.get("if-modified-since")
    try:
        return since is not None and int(modified) <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False


@lru_cache(maxsize=20_000)
def _etag(path: Path, modified: int, size: int) -> str:
    """MD5 of the content, as S3 gives for files uploaded whole; equal bytes have equal tags in every run."""
    return f'"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"'


def routes(world: SharedWorld, controls: Controls) -> list[BaseRoute]:
    """``/data/...``"""

    async def data(request: Request) -> Response:
        path = request.url.path
        found = world.known_file(path)
        if found is None and ".." not in PurePosixPath(path).parts:
            found = await run_in_threadpool(world.file, path)
        if found is not None and controls.defective_pixels:
            found = await run_in_threadpool(defective, found)
        if found is not None:
            return file_answer(request, found)
        if path.startswith("/data/archive/"):
            return Response("<h1>Not Found</h1>", 404, media_type="text/html")
        return Response(_MISSING_KEY.format(key=path[1:]), 404, media_type="application/xml")

    return [Route("/data/{path:path}", data)]
