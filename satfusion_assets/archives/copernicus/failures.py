"""What can go wrong between us and the openEO back-end, as far as the room tells it apart."""

from __future__ import annotations

import re
from typing import Final

_SECRETIVE: Final = re.compile(r"\w+://\S+|[A-Za-z0-9_\-.=+/]{24,}")
_LONGEST_QUOTE: Final = 200


class NothingThere(Exception):
    """The back-end says that a request has no data."""


class Unsure(Exception):
    """No usable answer: whether something happened is not known, and asking again may help.

    wait_s: what the service asks for, None = it does not say.
    """

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Throttled(Exception):
    """Refused for now (429): nothing happened. wait_s: what the service asks for, None = it does not say."""

    def __init__(self, why: str, wait_s: float | None) -> None:
        super().__init__(why)
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
