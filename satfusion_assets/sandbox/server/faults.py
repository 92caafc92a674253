"""Faults on request: what an archive does on a bad day, and the log of what was asked.

Rules are JSON objects at ``/_faults`` (POST adds one or a list, GET lists them with how often each struck,
DELETE clears); ``/_faults?log`` is the request log (DELETE empties it). The first rule that matches a request
strikes; ``delay`` rules add up and let the request go on, so latency combines with every other fault.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG_LENGTH: Final = 200_000
"""Requests that the log remembers."""
_FLOOD: Final = 2**20


class Edit(BaseModel):
    """A change of a JSON answer. at: where, as ``features.3.assets.green.href``; ``*`` is every member, and
    ``id=S2A_...`` the members that have that value. value: what stands there then. drop: nothing does.
    """

    model_config = ConfigDict(extra="forbid")

    at: str
    value: Any = None
    drop: bool = False

    def apply(self, document: Any) -> None:
        """Change ``document``; a place that it does not have is left alone."""
        *way, last = self.at.split(".")
        for node in _members([document], way):
            for key in _keys(node, last):
                if self.drop:
                    del node[key]
                else:
                    node[key] = self.value
            if isinstance(node, dict) and last != "*" and not self.drop:
                node[last] = self.value


def _members(nodes: list[Any], way: list[str]) -> list[Any]:
    for step in way:
        nodes = [node[key] for node in nodes for key in _keys(node, step)]
    return nodes


def _keys(node: Any, step: str) -> list[Any]:
    """Keys or indices of ``node`` that ``step`` means."""
    field, _, wanted = step.partition("=")
    if isinstance(node, dict):
        return list(node) if step == "*" else [step] if step in node else []
    if not isinstance(node, list):
        return []
    if wanted:
        return [i for i, one in enumerate(node) if isinstance(one, dict) and str(one.get(field)) == wanted]
    return list(range(len(node))) if step == "*" else [int(step)] if step.isdecimal() and int(step) < len(node) else []


class Rule(BaseModel):
    """One fault and the requests it strikes.

    path: regular expression searched in ``/path?query``. method: exact, None = any.
    skip: matching requests that pass first. times: strikes before the rule retires, None = never. p: probability.
    keep: what stays whole of a body (truncate, corrupt) or what Content-Length claims (lying_length): a fraction
    below 1, else bytes. seconds: of a delay; of a hang before the connection closes, 0 = until the client goes; for
    which a truncated body stalls before it does. empty: the file is there and has no bytes, as S3 answers for one.
    trickle: one byte every ``seconds``, from the first of the status line on, without an end. flood: an answer of
    ``keep`` bytes without a length. edit: a JSON answer changed by ``edits``. headers: of a status (``Location``).
    rewrite: the body after each of ``rewrites``, a regular expression and what stands in its place; headers stay true.
    """

    model_config = ConfigDict(extra="forbid")

    path: str
    kind: Literal[
        "status",
        "delay",
        "hang",
        "truncate",
        "corrupt",
        "drop",
        "lying_length",
        "empty",
        "trickle",
        "flood",
        "edit",
        "rewrite",
    ]
    method: str | None = None
    times: int | None = Field(None, ge=1)
    skip: int = Field(0, ge=0)
    p: float = Field(1.0, ge=0, le=1)
    status: int = Field(503, ge=200, le=599)
    retry_after: int | str | None = None
    body: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    edits: list[Edit] = Field(default_factory=list)
    seconds: float = Field(0.0, ge=0)
    keep: float = Field(0.5, ge=0)
    rewrites: list[tuple[str, str]] = []
    struck: int = 0

    @field_validator("path")
    @classmethod
    def _compiles(cls, path: str) -> str:
        try:
            re.compile(path)
        except re.error as error:
            raise ValueError(f"{path!r} is not a regular expression: {error}") from error
        return path

    @field_validator("rewrites")
    @classmethod
    def _all_compile(cls, rewrites: list[tuple[str, str]]) -> list[tuple[str, str]]:
        for pattern, _ in rewrites:
            cls._compiles(pattern)
        return rewrites

    def rewritten(self, body: bytes) -> bytes:
        """``body`` after all rewrites; ``^`` and ``$`` are those of lines."""
        for pattern, text in self.rewrites:
            body = re.sub(pattern.encode(), text.encode(), body, flags=re.MULTILINE)
        return body

    def kept(self, length: int) -> int:
        """Bytes that ``keep`` means for a body of ``length`` bytes."""
        return int(self.keep * length) if self.keep < 1 else int(self.keep)


@dataclass
class RequestLogEntry:
    """One request and what became of it; no header but Range is kept, so no secret is."""

    method: str
    path: str
    query: str
    range: str | None
    status: int | None = None
    bytes: int = 0
    delay: float = 0.0
    fault: str | None = None


class FaultBoard:
    """The rules in force and the request log."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.log: deque[RequestLogEntry] = deque(maxlen=LOG_LENGTH)
        self._dice = random.Random(0)

    def clear(self) -> None:
        """No faults from here on; the same rules posted again strike the same requests."""
        self.rules.clear()
        self._dice.seed(0)

    def strike(self, entry: RequestLogEntry) -> tuple[float, Rule | None]:
        """Seconds of delay, and the rule that strikes this request."""
        target = f"{entry.path}?{entry.query}" if entry.query else entry.path
        seconds = 0.0
        for rule in self.rules:
            if not self._strikes(rule, entry.method, target):
                continue
            rule.struck += 1
            if rule.kind != "delay":
                return seconds, rule
            seconds += rule.seconds
        return seconds, None

    def _strikes(self, rule: Rule, method: str, target: str) -> bool:
        if rule.method not in (None, method) or not re.search(rule.path, target):
            return False
        if rule.skip:
            rule.skip -= 1
            return False
        if rule.times is not None and rule.struck >= rule.times:
            return False
        return rule.p >= 1 or self._dice.random() < rule.p


class Faults:
    """The outermost ASGI application: logs every request and lets the board's rules spoil its answer.

    ASGI has no word for closing a connection, so ``send`` must be uvicorn's own bound method: its transport is
    reached through it (``tests/.../test_faults.py`` pins that).
    """

    def __init__(self, app: ASGIApp, board: FaultBoard) -> None:
        self.app = app
        self.board = board

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            return await self.app(scope, receive, send)
        entry = RequestLogEntry(
            scope["method"], scope["path"], scope["query_string"].decode("latin-1"), Headers(scope=scope).get("range")
        )
        self.board.log.append(entry)
        entry.delay, rule = self.board.strike(entry)
        if entry.delay:
            await asyncio.sleep(entry.delay)
        logged = _Logged(send, entry)
        if rule is None:
            return await self.app(scope, receive, logged)
        entry.fault = rule.kind
        if rule.kind == "status":
            await _status_answer(rule)(scope, receive, logged)
        elif rule.kind == "empty":
            await _empty_answer(entry)(scope, receive, logged)
        elif rule.kind == "trickle":
            await _trickle(receive, send, rule.seconds)
        elif rule.kind == "flood":
            await _flood(logged, int(rule.keep))
        elif rule.kind in ("drop", "hang"):
            if rule.kind == "hang":
                await _until_gone(receive, rule.seconds or None)
            await _hang_up(receive, send)
        else:
            await self._spoil(rule, scope, receive, logged)

    async def _spoil(self, rule: Rule, scope: Scope, receive: Receive, send: _Logged) -> None:
        start, body = await _whole_answer(self.app, scope, receive)
        headers = MutableHeaders(raw=start["headers"])
        whole = len(body)
        if rule.kind in ("edit", "rewrite"):
            body = _edited(body, rule.edits) if rule.kind == "edit" else rule.rewritten(body)
            headers["content-length"] = str(len(body))
        elif rule.kind == "corrupt":
            body = _corrupted(body, rule.kept(whole))
        elif rule.kind == "truncate":
            body = body[: rule.kept(whole)]
        else:
            claimed = rule.kept(int(headers.get("content-length", whole)))
            headers["content-length"] = str(claimed)
            body = body[:claimed]
        complete = scope["method"] == "HEAD" or len(body) == int(headers.get("content-length", whole))
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": not complete})
        if not complete:
            if rule.seconds:
                await _until_gone(receive, rule.seconds)
            await _hang_up(receive, send.send)


class _Logged:
    """``send`` that notes status and body bytes."""

    def __init__(self, send: Send, entry: RequestLogEntry) -> None:
        self.send = send
        self.entry = entry

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.entry.status = message["status"]
        else:
            self.entry.bytes += len(message.get("body", b""))
        await self.send(message)


def _status_answer(rule: Rule) -> Response:
    headers = dict(rule.headers)
    if rule.retry_after is not None:
        headers["Retry-After"] = str(rule.retry_after)
    if rule.status == 304:
        return Response(None, 304, headers)
    if rule.body is not None:
        return Response(rule.body, rule.status, headers, "application/json")
    return JSONResponse({"message": "Forbidden" if rule.status == 403 else "Fault injected"}, rule.status, headers)


def _empty_answer(entry: RequestLogEntry) -> Response:
    if entry.range is None:
        return Response(b"")
    return Response(b"", 416, {"Content-Range": "bytes */0"})


async def _whole_answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """What ``app`` would have sent: the start message and the whole body."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


def _edited(body: bytes, edits: list[Edit]) -> bytes:
    document = json.loads(body)
    for edit in edits:
        edit.apply(document)
    return json.dumps(document).encode()


async def _trickle(receive: Receive, send: Any, seconds: float) -> None:
    """A status line that never gets to its end, byte by byte, until the client goes."""
    transport = send.__self__.transport
    gone = asyncio.ensure_future(_until_gone(receive, None))
    for byte in itertools.chain(b"HTTP/1.1 200 OK\r\nX-Slow: ", itertools.repeat(ord("x"))):
        if gone.done():
            return
        transport.write(bytes([byte]))
        await asyncio.wait([gone], timeout=seconds)


async def _flood(send: Send, length: int) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for start in range(0, length, _FLOOD):
        body = bytes(min(_FLOOD, length - start))
        await send({"type": "http.response.body", "body": body, "more_body": start + _FLOOD < length})


def _corrupted(body: bytes, whole: int) -> bytes:
    """``body`` with every 7th byte after the first ``whole`` ones inverted."""
    spoilt = bytearray(body)
    spoilt[whole::7] = bytes(255 - value for value in spoilt[whole::7])
    return bytes(spoilt)


async def _until_gone(receive: Receive, seconds: float | None) -> None:
    """Until the client has gone, ``seconds`` at most."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return


async def _hang_up(receive: Receive, send: Any) -> None:
    """Close the connection after what was written; returns when it is closed."""
    send.__self__.transport.close()
    await _until_gone(receive, None)


def routes(board: FaultBoard) -> list[BaseRoute]:
    """``/_faults``, itself never struck and never logged."""
    rules = TypeAdapter(list[Rule])

    async def faults(request: Request) -> Response:
        log = "log" in request.query_params
        if request.method == "POST":
            body = await request.body()
            try:
                board.rules.extend(rules.validate_json(body if body.lstrip().startswith(b"[") else b"[%s]" % body))
            except ValidationError as error:
                return JSONResponse({"message": str(error)}, 400)
        elif request.method == "DELETE":
            board.log.clear() if log else board.clear()
        if log:
            return JSONResponse([asdict(entry) for entry in board.log])
        return JSONResponse(rules.dump_python(board.rules, mode="json"), 201 if request.method == "POST" else 200)

    return [Route("/_faults", faults, methods=["GET", "POST", "DELETE"])]
