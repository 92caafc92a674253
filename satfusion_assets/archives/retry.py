"""How long an archive is waited for, and what is worth asking again: one rule for every client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import time
from typing import Final
from urllib.parse import urlsplit

from satfusion_assets.vocabulary.settings import Settings

TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that a later request may not see."""
THROTTLED: Final = TRANSIENT | {403}
"""The same for Amazon-hosted archives, which also throttle with 403."""
LONGEST_WAIT_S: Final = 120.0
"""Longest pause between two attempts; a Retry-After beyond it ends the run instead of blocking it."""
MOST_BYTES: Final = 512 * 2**20
"""Longest answer that is read. The largest file of the archives, a Sentinel-2 band, has about 250 MB."""
MOST_TEXT: Final = 64 * 2**20
"""The same for JSON; a full page of the catalogue has about 3 MB."""
_SECONDS: Final = re.compile(r"\s*\d+(\.\d*)?\s*")
_LONGEST_SHOWN: Final = 300


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds on asking an archive.

    attempts: requests in all before giving up. first_wait_s: pause after the first failure, doubled each time.
    timeout_s: silence on a connection that counts as dead. deadline_s: longest time of one request, from
    the first byte sent to the last one read.
    """

    attempts: int = 5
    first_wait_s: float = 1.0
    timeout_s: float = 60.0
    deadline_s: float = 900.0

    @classmethod
    def of(cls, settings: Settings) -> RetryPolicy:
        return cls(
            attempts=settings.archive_attempts,
            first_wait_s=settings.archive_first_wait_s,
            timeout_s=settings.archive_timeout_s,
            deadline_s=settings.archive_deadline_s,
        )

    def wait_s(self, failures: int) -> float:
        """Seconds to pause after the given number of failures (1, 2, ...)."""
        return float(min(self.first_wait_s * 2 ** (failures - 1), LONGEST_WAIT_S))


def retry_after_s(header: str | None) -> float | None:
    """Seconds a Retry-After header asks for (number or HTTP date); None when absent or unreadable (nan, negative)."""
    if header is None:
        return None
    if _SECONDS.fullmatch(header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return max(moment.timestamp() - time(), 0.0)
    except (ValueError, OverflowError):
        return None


def is_web_address(url: str) -> bool:
    """Whether ``url`` is something that can be fetched over HTTP at all: scheme, host, port."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def public_url(url: str) -> str:
    """``url`` without user, password, query and fragment: signed links and tokens never reach a message."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no address)"
    shown = f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."
