"""What can go wrong between us and the openEO back-end, as far as the room tells it apart."""

from __future__ import annotations

import re
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from satfusion_assets.archives.patience import LONGEST_WAIT_S, TRANSIENT, Patience, retry_after_s

_SECRETIVE: Final = re.compile(r"\w+://\S+|[A-Za-z0-9_\-.=+/]{24,}")
_LONGEST_QUOTE: Final = 200


class NothingThere(Exception):
    """The back-end says that a request has no data: empty, and done."""


class Unsure(Exception):
    """No usable answer: whether something happened is not known, and asking again may help."""


class Throttled(Exception):
    """Refused for now (429): nothing happened. wait_s: what the service asks for, None = it does not say."""

    def __init__(self, wait_s: float | None) -> None:
        super().__init__("HTTP 429")
        self.wait_s = wait_s


class SlotsTaken(Exception):
    """As many jobs of this account run as may: nothing happened, and the job may start when another ends."""


class TokenRefused(Exception):
    """The access token is too old or not accepted."""


class SignInRefused(Exception):
    """The identity service does not accept the credentials."""


class Gone(Exception):
    """The back-end has no such job any more."""


class Unconfirmed(Exception):
    """A change was sent and its outcome is not known."""


def harmless(text: str) -> str:
    """``text`` for a message: addresses and anything that could be a token taken out, cut to one line."""
    words = _SECRETIVE.sub("...", " ".join(text.split()))
    return words if len(words) <= _LONGEST_QUOTE else words[:_LONGEST_QUOTE] + " ..."


class PoliteSession(requests.Session):
    """A session with a time-out on every request, which repeats reads (never POST) on transient statuses.

    retry_after: seconds that the latest answer asked for, None when it did not.
    """

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self._timeout_s = patience.timeout_s
        self.retry_after: float | None = None
        retry = Retry(
            total=None,
            connect=0,
            read=0,
            other=0,
            status=patience.attempts - 1,
            backoff_factor=patience.first_wait_s,
            status_forcelist=sorted(TRANSIENT),
            raise_on_status=False,
            retry_after_max=int(LONGEST_WAIT_S),
        )
        self.mount("http://", HTTPAdapter(max_retries=retry))
        self.mount("https://", HTTPAdapter(max_retries=retry))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs["timeout"] = self._timeout_s
        response = super().request(method, url, *args, **kwargs)
        pause = retry_after_s(response.headers.get("Retry-After"))
        self.retry_after = min(pause, LONGEST_WAIT_S) if pause is not None else None
        return response
