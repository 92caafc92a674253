"""The server: what it never gives, to whom it answers, and what nobody can do to it."""

from __future__ import annotations

import http.client
from typing import Any

import httpx
import pytest
from starlette.middleware.trustedhost import TrustedHostMiddleware

from satfusion_assets.cli.view import view
from satfusion_assets_tests.viewer.conftest import SEASON, SECRET
from satfusion_assets_tests.viewer.test_server import FUSED


def get_as_written(client: httpx.Client, path: str) -> tuple[int, str]:
    """Status and body of ``path``, sent without the tidying that clients do to dots."""
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    connection.putrequest("GET", path)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace")


TRAVERSALS = [
    "/_files/innsbruck/2024/.env",
    "/_files/innsbruck/2024/.hidden/list.json",
    "/_files/innsbruck/2024/.satfusion/fused/current/inside.json",
    "/_files/innsbruck/2024/escape.json",
    "/_files/innsbruck/2024/loop.json",
    "/_files/tables/.env",
    "/_files/tables/escape.csv",
    "/_files/sites.geojson",
    "/_files/innsbruck/2024/elsewhere/outside.json",
    "/_files/innsbruck/2024/pack.zarr/.secret",
    "/_files/innsbruck/2024/pack.zarr/stolen",
    "/_index/gcc/innsbruck/2024/escape.json",
    "/_files/innsbruck/2024/../../../outside.json",
    "/_files/innsbruck/2024/%2e%2e/%2e%2e/%2e%2e/outside.json",
    "/_files/innsbruck/2024/..%2f..%2f..%2foutside.json",
    "/_files/innsbruck/2024/..%5c..%5coutside.json",
    "/_files//etc/passwd",
    "/_files/%2fetc%2fpasswd",
    "/_files/innsbruck/2024/raw%00.json",
    "/_api/json/innsbruck/2024/escape.json",
    "/_frame/innsbruck/2024/escape.json",
    "/_assets/../../pyproject.toml",
    "/_assets/%2e%2e/%2e%2e/package.json",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_nothing_outside_the_products_is_served(damaged_client, path):
    status, body = get_as_written(damaged_client, path)
    assert status == 404
    assert SECRET not in body
    assert "root:" not in body


def test_a_link_within_the_store_is_followed(damaged_client):
    assert damaged_client.get(f"/_files/{SEASON}/inside.json").json() == {"seen": True}


def test_the_tables_over_all_seasons_are_listed_and_served(damaged_client):
    assert damaged_client.get("/_api/catalog").json()["tables"] == ["tables/escape.csv", "tables/scores.csv"]
    assert damaged_client.get("/_files/tables/scores.csv").text.startswith("site,season")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.4"])
def test_a_foreign_host_is_refused(client, host):
    assert client.get("/_api/catalog", headers={"host": host}).status_code == 400


def test_it_listens_on_loopback_and_answers_to_its_names_alone(monkeypatch, tmp_path):
    started: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.run", lambda app, **options: started.update(options, app=app))
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(tmp_path))
    monkeypatch.setattr("satfusion_assets.cli.view.typer.echo", lambda words: None)
    view(allow=["viewer.lan"])
    guard = next(one for one in started["app"].user_middleware if one.cls is TrustedHostMiddleware)
    assert started["host"] == "127.0.0.1"
    assert guard.kwargs["allowed_hosts"] == ["127.0.0.1", "localhost", "[::1]", "viewer.lan"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [f"/_files/{FUSED}", "/_api/catalog", "/innsbruck/2024"])
def test_nothing_can_be_written(client, method, path):
    assert client.request(method, path).status_code == 405


@pytest.mark.parametrize("path", ["/", "/_api/catalog", f"/_files/{FUSED}", "/_api/json/no/2024/such.json"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
