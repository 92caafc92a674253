"""The Copernicus identity service: Keycloak's realm CDSE, as far as machines and a person at a terminal use it.

Grants: client credentials, password (public client), refresh token, device code. Tokens are signed and carry their
own dates, so they survive a restart of the server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from satfusion_assets.sandbox.server.answers import RefusedRequest, own_address
from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.credentials import CLIENT_ID, CLIENT_SECRET, PASSWORD, PUBLIC_CLIENTS, USER

REALM: Final = "/auth/realms/CDSE"
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_SECONDS: Final = 600


class BearerRefused(Exception):
    """An access token that is malformed, forged or expired."""


@dataclass
class Device:
    """A sign-in that waits for its person."""

    client: str
    user_code: str
    expires: float
    approved: bool = False


class TokenOffice:
    """Issues and reads tokens; ``key`` signs them."""

    def __init__(self, key: bytes, controls: Controls) -> None:
        self._key = key
        self._controls = controls

    def issue(self, kind: str, subject: str, client: str) -> str:
        """A signed token: ``kind`` is Bearer or Refresh."""
        claims = {"typ": kind, "sub": subject, "azp": client, "iat": time.time(), "jti": secrets.token_hex(8)}
        unsigned = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{unsigned}.{self._signature(unsigned)}"

    def read(self, token: str, kind: str) -> dict[str, Any]:
        """The claims of a valid token of this kind; TokenRefused otherwise."""
        unsigned, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(unsigned).encode()):
            raise BearerRefused("Token signature is not valid")
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(unsigned.split(".")[1] + "=="))
        life = self._controls.token_seconds if kind == "Bearer" else self._controls.refresh_seconds
        if claims["typ"] != kind or time.time() >= claims["iat"] + life:
            raise BearerRefused("Token has expired")
        return claims

    def grant(self, subject: str, client: str, refreshable: bool) -> Response:
        """The token endpoint's success."""
        answer: dict[str, Any] = {
            "access_token": self.issue("Bearer", subject, client),
            "expires_in": int(self._controls.token_seconds),
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "openid profile email",
        }
        if refreshable:
            answer["refresh_token"] = self.issue("Refresh", subject, client)
            answer["refresh_expires_in"] = int(self._controls.refresh_seconds)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _signature(self, unsigned: str) -> str:
        return _base64(hmac.digest(self._key, unsigned.encode(), hashlib.sha256))


def signing_key(folder: Path) -> bytes:
    """The key kept in ``folder``, made with the first start."""
    path = folder / "signing.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


def _encoded(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _denied(status: int, error: str, description: str) -> RefusedRequest:
    return RefusedRequest(JSONResponse({"error": error, "error_description": description}, status))


class Realm:
    """The realm's endpoints."""

    def __init__(self, office: TokenOffice) -> None:
        self._office = office
        self._devices: dict[str, Device] = {}

    def discovery(self, request: Request) -> Response:
        issuer = own_address(request) + REALM
        connect = f"{issuer}/protocol/openid-connect"
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{connect}/auth",
                "token_endpoint": f"{connect}/token",
                "userinfo_endpoint": f"{connect}/userinfo",
                "device_authorization_endpoint": f"{connect}/auth/device",
                "jwks_uri": f"{connect}/certs",
                "grant_types_supported": ["client_credentials", "password", "refresh_token", DEVICE_GRANT],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["HS256"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["plain", "S256"],
            }
        )

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        client = self._client(request, form)
        match form.get("grant_type"):
            case "client_credentials":
                if client != CLIENT_ID:
                    raise _denied(401, "unauthorized_client", "Client not enabled to retrieve service account")
                return self._office.grant(f"service-account-{client}", client, refreshable=False)
            case "password":
                if (form.get("username"), form.get("password")) != (USER, PASSWORD):
                    raise _denied(401, "invalid_grant", "Invalid user credentials")
                return self._office.grant(USER, client, refreshable=True)
            case "refresh_token":
                return self._refreshed(form.get("refresh_token", ""), client)
            case grant if grant == DEVICE_GRANT:
                return self._device_token(form.get("device_code", ""), client)
        raise _denied(400, "unsupported_grant_type", "Unsupported grant_type")

    def _client(self, request: Request, form: dict[str, str]) -> str:
        """The client that signs in, by form or Basic header; a confidential one must show its secret."""
        name, secret = form.get("client_id"), form.get("client_secret")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
        if name in PUBLIC_CLIENTS or (name, secret) == (CLIENT_ID, CLIENT_SECRET):
            return str(name)
        raise _denied(401, "invalid_client", "Invalid client or Invalid client credentials")

    def _refreshed(self, token: str, client: str) -> Response:
        try:
            claims = self._office.read(token, "Refresh")
        except BearerRefused as error:
            raise _denied(400, "invalid_grant", "Token is not active") from error
        if claims["azp"] != client:
            raise _denied(400, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match")
        return self._office.grant(claims["sub"], client, refreshable=True)

    async def device(self, request: Request) -> Response:
        form = await _form(request)
        client = self._client(request, form)
        code, user_code = secrets.token_urlsafe(24), secrets.token_hex(4).upper()
        self._devices[code] = Device(client, user_code, time.monotonic() + DEVICE_SECONDS)
        page = f"{own_address(request)}{REALM}/device"
        return JSONResponse(
            {
                "device_code": code,
                "user_code": user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={user_code}",
                "expires_in": DEVICE_SECONDS,
                "interval": 1,
            }
        )

    def approve(self, request: Request) -> Response:
        """The page a person opens; opening it with a code is consent."""
        code = request.query_params.get("user_code")
        for device in self._devices.values():
            if device.user_code == code:
                device.approved = True
                return HTMLResponse("<h1>Device login successful</h1>")
        return HTMLResponse("<h1>Invalid code, please try again.</h1>", 400)

    def _device_token(self, code: str, client: str) -> Response:
        device = self._devices.get(code)
        if device is None or device.client != client or time.monotonic() > device.expires:
            raise _denied(400, "expired_token", "Device code is expired")
        if not device.approved:
            raise _denied(400, "authorization_pending", "The authorization request is still pending")
        del self._devices[code]
        return self._office.grant(USER, client, refreshable=True)

    def userinfo(self, request: Request) -> Response:
        _, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = self._office.read(token, "Bearer")
        except BearerRefused as error:
            raise _denied(401, "invalid_token", "Token verification failed") from error
        return JSONResponse({"sub": claims["sub"], "preferred_username": claims["sub"]})


def routes(office: TokenOffice) -> list[BaseRoute]:
    """``/auth/realms/CDSE``"""
    realm = Realm(office)
    connect = f"{REALM}/protocol/openid-connect"
    return [
        Route(f"{REALM}/.well-known/openid-configuration", realm.discovery),
        Route(f"{connect}/token", realm.token, methods=["POST"]),
        Route(f"{connect}/auth/device", realm.device, methods=["POST"]),
        Route(f"{connect}/userinfo", realm.userinfo),
        Route(f"{REALM}/device", realm.approve),
    ]
