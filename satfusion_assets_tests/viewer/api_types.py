"""The front end's types, made from what the server's answers are declared to be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from satfusion_assets.viewer.answers import schema

WEBAPP = Path(__file__).parents[2] / "webapp"
HEAD = """/* Written by `make api-types` from satfusion_assets/viewer/answers.py. */
import type { Series } from './api';
import type { Source, Stage } from './route';

"""


def typescript() -> str:
    """The text of ``webapp/src/answers.ts``."""
    program = WEBAPP / "node_modules" / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
    style = ["--style.singleQuote", "--style.printWidth=120"]
    command = [str(Path(sys.executable).parent / "node"), str(program), "--no-additionalProperties", *style]
    made = subprocess.run(
        [*command, "--bannerComment", ""], input=json.dumps(schema()), capture_output=True, text=True, check=True
    )
    return HEAD + made.stdout.lstrip()


if __name__ == "__main__":
    sys.stdout.write(typescript())
