"""A job's results as the back-end lists them, in the forms that it has had, and the files behind their addresses.

2024: files at the back-end itself, behind an address that is signed for a week. 2026: files in object storage on
another host, behind an address that is signed for a day; the storage refuses a request that brings credentials of its
own, and nobody says how long a file is. The newest jobs name files by a key that says nothing of their format.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from satfusion_assets.sandbox.server.answers import own_address
from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.errors import OpenEoError
from satfusion_assets.sandbox.server.files import MEDIA_TYPES, file_answer
from satfusion_assets.sandbox.server.jobs import Jobs
from satfusion_assets.sandbox.server.spoilt import ResultForm

BUCKET: Final = "/openeo-data-prod-waw4-1/batch_jobs"
WEEK: Final = 7 * 86400
DAY: Final = 86400
_OTHER_HOSTS: Final = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}
"""Another name of the same machine is another host to a client; at another address there is none that all know."""
_STORAGE_ERROR: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{words}</Message></Error>'
)


class ResultFiles:
    """Addresses of result files, and what is behind them. key: signs them."""

    def __init__(self, jobs: Jobs, controls: Controls, key: bytes) -> None:
        self._jobs = jobs
        self._controls = controls
        self._key = key

    def assets(self, request: Request, address: str, identifier: str, files: dict[str, Path]) -> dict[str, Any]:
        """The assets of a job's results, which lie at ``address``."""
        form = self._controls.result_form
        if form is ResultForm.OWN_HOST:
            return {
                name: _asset(name, path, self._own(address, identifier, name)) | {"file:size": path.stat().st_size}
                for name, path in files.items()
            }
        assets = {}
        for name, path in files.items():
            key = f"{hashlib.sha256(identifier.encode()).hexdigest()[:8]}_{path.stem}"
            shown = key if form is ResultForm.KEYS_WITHOUT_ENDING else name
            assets[shown] = _asset(shown, path, self._stored(request, identifier, name)) | {"proj:code": "EPSG:4326"}
        return assets

    async def own(self, request: Request) -> Response:
        """A file at the back-end; its address is the permission."""
        identifier, name = request.path_params["job"], request.path_params["name"]
        expires = request.query_params.get("expires", "")
        if not hmac.compare_digest(request.path_params["signature"], self._signature(identifier, name, expires)):
            raise OpenEoError("CredentialsInvalid", 403, "Invalid result address.").refusal()
        if time.time() > float(expires):
            raise OpenEoError("ResultLinkExpired", 410, "The link to the batch job result has expired.").refusal()
        path = self._jobs.result(identifier, name)
        if path is None:
            raise OpenEoError("FilePathNotFound", 404, f"File {name!r} does not exist.").refusal()
        return file_answer(request, path)

    async def stored(self, request: Request) -> Response:
        """A file in object storage, which knows no tokens."""
        identifier, name, query = request.path_params["job"], request.path_params["name"], request.query_params
        if "authorization" in request.headers:
            return _refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        issued, life = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
        signed = self._signature(identifier, name, f"{issued}+{life}")
        if not hmac.compare_digest(query.get("X-Amz-Signature", ""), signed):
            return _refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        since = datetime.strptime(issued, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
        if (datetime.now(UTC) - since).total_seconds() > float(life):
            return _refused(403, "AccessDenied", "Request has expired")
        path = self._jobs.result(identifier, name)
        if path is None:
            return _refused(404, "NoSuchKey", "The specified key does not exist.")
        return file_answer(request, path)

    def _own(self, address: str, identifier: str, name: str) -> str:
        expires = str(time.time() + self._life(WEEK))
        return f"{address}/assets/{self._signature(identifier, name, expires)}/{name}?expires={expires}"

    def _stored(self, request: Request, identifier: str, name: str) -> str:
        parts = urlsplit(own_address(request))
        host = _OTHER_HOSTS.get(parts.hostname or "", parts.hostname or "localhost")
        issued, life = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}", str(self._life(DAY))
        query = {
            "X-Proxy-Head-As-Get": "true",
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": "sandbox/20240101/default/s3/aws4_request",
            "X-Amz-Date": issued,
            "X-Amz-Expires": life,
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Security-Token": "sandbox-session",
            "X-Amz-Signature": self._signature(identifier, name, f"{issued}+{life}"),
        }
        path = f"{BUCKET}/{identifier}/{name}"
        return urlunsplit((parts.scheme, f"{host}:{parts.port}", path, urlencode(query), ""))

    def _life(self, usual: int) -> float:
        """Seconds that an address holds."""
        return usual if self._controls.link_seconds is None else self._controls.link_seconds

    def _signature(self, identifier: str, name: str, until: str) -> str:
        return hmac.new(self._key, f"{identifier}/{name}?{until}".encode(), hashlib.sha256).hexdigest()


def _asset(name: str, path: Path, href: str) -> dict[str, Any]:
    return {"href": href, "title": name, "type": MEDIA_TYPES[path.suffix], "roles": ["data"], "proj:epsg": 4326}


def _refused(status: int, code: str, words: str) -> Response:
    return Response(_STORAGE_ERROR.format(code=code, words=words), status, media_type="application/xml")


def routes(files: ResultFiles, root: str) -> list[BaseRoute]:
    """Files below the back-end's ``root``, and in its bucket."""
    return [
        Route(f"{root}/jobs/{{job}}/results/assets/{{signature}}/{{name}}", files.own),
        Route(f"{BUCKET}/{{job}}/{{name}}", files.stored),
    ]
