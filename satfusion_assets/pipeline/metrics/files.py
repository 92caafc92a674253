"""Where a site-season's scores lie."""

from __future__ import annotations

from typing import Final

METRICS_FILE: Final = "metrics.json"


SKILL_FILE: Final = "skill.json"
