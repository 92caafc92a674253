"""``deploy/compose.yaml`` and its image. No container is started here: files and what they name are checked."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from celery.bin.celery import celery
from dagster._cli import create_dagster_cli
from dagster._cli.api import grpc_command
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import create_dagster_webserver_cli

from satfusion_assets.cli import app
from satfusion_assets.orchestration.cluster.worker import BROKER, POSTGRES
from satfusion_assets.orchestration.instance import code_server
from satfusion_assets.vocabulary.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
DOCKERFILE = DEPLOY / "Dockerfile"
BIN = Path(sys.executable).parent

Service = dict[str, Any]
SERVICES: dict[str, Service] = yaml.safe_load(COMPOSE.read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "satfusion:local"}
PROGRAMS: dict[str, Any] = {
    "celery": celery,
    "dagster": create_dagster_cli(),
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": create_dagster_webserver_cli(),
    "satfusion": typer.main.get_command(app),
    f"python -m {code_server.__name__}": grpc_command,
}


def checked(*command: str) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))


def test_the_image_file_passes_its_linter() -> None:
    checked("hadolint", "--failure-threshold", "info", str(DOCKERFILE))


def parse(command: Any, arguments: list[str]) -> None:
    """Fail unless the command line has these subcommands and options; nothing is executed."""
    context = command.context_class(command, info_name=command.name)
    _, rest, _ = command.make_parser(context).parse_args(list(arguments))
    if hasattr(command, "resolve_command"):
        _, inner, rest = command.resolve_command(context, rest)
        parse(inner, rest)
    else:
        assert not rest, f"{rest} belongs to no option"


def commands(service: Service) -> Iterator[list[str]]:
    """What a container of our image executes: its service, and its health check."""
    yield service["command"]
    kind, *test = service.get("healthcheck", {}).get("test", ["NONE"])
    if kind == "CMD":
        yield test
    elif kind == "CMD-SHELL":
        yield test[0].replace('"', "").split()


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_a_container_exists_with_its_options(name: str) -> None:
    for command in commands(OURS[name]):
        plain = [re.sub(r"\$\{\w+:-(\w*)}", r"\1", word) for word in command]
        if plain[:2] == ["python", "-c"]:
            compile(plain[2], name, "exec")
            continue
        words = 3 if plain[0] == "python" else 1
        parse(PROGRAMS[" ".join(plain[:words])], plain[words:])


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("satfusion", ["view", "--adress", "0.0.0.0"]),
        ("satfusion", ["store", "gather"]),
        ("celery", ["worker", "--concurency", "2"]),
        ("dagster", ["instance", "migrat"]),
    ],
)
def test_a_command_that_does_not_exist_is_found(program: str, arguments: list[str]) -> None:
    with pytest.raises(Exception, match="No such"):
        parse(PROGRAMS[program], arguments)


def test_every_setting_of_a_container_is_one_of_ours() -> None:
    known = {f"{PREFIX}{field}".upper() for field in Settings.model_fields} | {POSTGRES, BROKER}
    named = {variable for service in OURS.values() for variable in service.get("environment", {})}
    named |= set(re.findall(rf"{PREFIX}\w+(?==)", DOCKERFILE.read_text()))
    assert {variable for variable in named if variable.startswith(PREFIX)} - known == set()


def test_the_example_names_every_secret_and_nothing_else() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text()))
    example = set(re.findall(r"^(\w+)=", (DEPLOY / "compose.env.example").read_text(), re.MULTILINE))
    assert asked == example


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if "PASS" in variable or "SECRET" in variable:
                assert value.startswith("${"), f"{variable} of {name}"


def test_only_the_two_user_interfaces_are_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"webserver", "viewer"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert not any(service.get("network_mode") or service.get("privileged") for service in SERVICES.values())


def test_only_workers_get_the_archives_passwords_and_only_what_publishes_gets_a_key_that_writes() -> None:
    def having(variable: str, value: str | None = None) -> set[str]:
        environments = {name: service.get("environment", {}) for name, service in OURS.items()}
        return {name for name, seen in environments.items() if variable in seen and value in (None, seen[variable])}

    assert having("CDSE_PASSWORD") == {"worker-1", "worker-2"}
    assert having("AWS_ACCESS_KEY_ID", "runs") == {"worker-1", "worker-2", "code-server"}
    assert having("AWS_ACCESS_KEY_ID", "collect") == {"collect"}
    assert having("AWS_ACCESS_KEY_ID", "viewer") == {"viewer"}
    assert not having(POSTGRES) & {"viewer", "collect"}


def test_what_stays_up_is_watched_confined_and_keeps_its_state_in_named_volumes() -> None:
    for name, service in SERVICES.items():
        if service.get("restart", "no") == "no":
            continue  # ends by itself
        assert "healthcheck" in service, name
        assert "no-new-privileges:true" in service["security_opt"], name
    volumes = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {volume for volume in volumes if not volume.startswith("./")} == set(
        yaml.safe_load(COMPOSE.read_text())["volumes"]
    )


def test_the_image_takes_only_files_of_the_checkout_and_drops_root() -> None:
    instructions = DOCKERFILE.read_text().splitlines()
    taken = [line.split()[-2] for line in instructions if line.startswith("COPY") and "--from" not in line]
    assert [path for path in taken if not (DEPLOY.parent / path).exists()] == []
    user = [line.split()[1] for line in instructions if line.startswith("USER")]
    assert user == ["10001:10001"]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert ignored[1] == "*"
    assert [path for path in kept if not (DEPLOY.parent / path).exists()] == []


def test_the_workspace_names_the_code_servers_container_and_port() -> None:
    server = yaml.safe_load((DEPLOY / "cluster" / "workspace.yaml").read_text())["load_from"][0]["grpc_server"]
    command = SERVICES[server["host"]]["command"]
    assert command[command.index("-p") + 1] == str(server["port"])
    assert command[command.index("--location-name") + 1] == server["location_name"]
