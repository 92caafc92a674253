"""Numbers on the command line that no command can use are named, each with its option."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from satfusion_assets.cli import app


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("clean", "--runs-days", "1e6"),
        ("clean", "--grace-hours", "1e15"),
        ("store collect", "--grace-hours", "1e15"),
        ("view", "--port", "99999"),
        ("up", "--dagster-port", "0"),
        ("demo", "--viewer-port", "70000"),
        ("sandbox serve", "--port", "-1"),
    ],
)
def test_a_number_out_of_range_is_refused(command: str, option: str, value: str) -> None:
    said = CliRunner().invoke(app, [*command.split(), option, value], catch_exceptions=False)
    assert said.exit_code == 2
    assert option in said.output
