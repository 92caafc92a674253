"""The openEO back-end through its own client, with what that client leaves out.

The client has no time-outs towards the identity service, retries no POST, and does not renew a token that is
answered with 401. Reads are repeated here; what changes something (create, start) is never repeated blindly: the
caller looks first whether it has happened.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from typing import Any, Final, TypeVar

import requests
from openeo import Connection
from openeo.rest import OpenEoApiError, OpenEoApiPlainError, OpenEoClientException, OpenEoRestError
from openeo.rest.auth.oidc import (
    OidcClientCredentialsAuthenticator,
    OidcClientInfo,
    OidcException,
    OidcProviderInfo,
    OidcResourceOwnerPasswordAuthenticator,
)
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from satfusion_assets.archives.copernicus.credentials import Credentials
from satfusion_assets.archives.copernicus.failures import (
    Gone,
    NothingThere,
    PoliteSession,
    SignInRefused,
    SlotsTaken,
    Throttled,
    TokenRefused,
    Unconfirmed,
    Unsure,
    harmless,
)
from satfusion_assets.archives.copernicus.requests import CubeRequest
from satfusion_assets.archives.patience import TRANSIENT, Patience, public_url
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected

log = logging.getLogger(__name__)

T = TypeVar("T")

_PROVIDER: Final = "CDSE"
_PUBLIC_CLIENT: Final = "cdse-public"
_SLOTS_TAKEN: Final = "ConcurrentJobLimit"
_TOKEN_REFUSED: Final = frozenset({"TokenInvalid", "AuthenticationRequired", "AuthenticationSchemeInvalid"})
_EMPTY: Final = re.compile(r"NoDataAvailable|NoSuchFeatures|no data available|no products found", re.IGNORECASE)
_STATUS: Final = re.compile(r": (\d{3}) ")


@dataclass(frozen=True)
class Asset:
    """A file of a job's result. href may be signed: never show it. size: bytes, None when not told."""

    name: str
    href: str
    size: int | None


class BackEnd:
    """One signed-in connection to the back-end at ``url`` (versioned, as ``.../openeo/1.2``)."""

    def __init__(self, url: str, credentials: Credentials, patience: Patience) -> None:
        self._url = url
        self._credentials = credentials
        self._patience = patience
        self._session = PoliteSession(patience)
        self._connection = self._repeat(self._connect)
        self.sign_in()

    def sign_in(self) -> None:
        """Get a fresh access token; CredentialsRejected when the identity service refuses."""
        self._repeat(self._sign_in)

    def describe(self, collection: str) -> dict[str, Any]:
        """Metadata of a collection, kept with what was acquired from it."""
        return self._asked(lambda: dict(self._connection.describe_collection(collection)))

    def find(self, title: str) -> str | None:
        """Id of this account's newest job with ``title``."""
        jobs = self._asked(lambda: list(self._connection.list_jobs()))
        found = sorted((job for job in jobs if job.get("title") == title), key=lambda job: job.get("created") or "")
        return str(found[-1]["id"]) if found else None

    def create(self, request: CubeRequest) -> str:
        """Create the job of ``request`` and return its id; an unconfirmed creation is looked for, not repeated."""
        try:
            return self._changed(lambda: self._create(request))
        except Unconfirmed:
            found = self.find(request.title)
            if found is not None:
                return found
            return self._last_try(lambda: self._create(request))

    def start(self, job_id: str) -> None:
        """Start a created job; an unconfirmed start is checked by the job's status, not repeated.

        SlotsTaken when the account runs as many jobs as it may, in other runs or by hand.
        """
        try:
            self._changed(lambda: self._connection.job(job_id).start())
        except Unconfirmed:
            if self.status(job_id) == "created":
                self._last_try(lambda: self._connection.job(job_id).start())

    def status(self, job_id: str) -> str | None:
        """created, queued, running, finished, canceled or error; None when the back-end no longer has the job."""
        try:
            return self._asked(lambda: str(self._connection.job(job_id).status()))
        except Gone:
            return None

    def failure(self, job_id: str) -> str:
        """Why a job failed, in the back-end's words without anything secret; NothingThere when it found no data."""
        entries = self._asked(lambda: list(self._connection.job(job_id).logs(level="error")))
        text = " ".join(str(entry.get("message", "")) + " " + str(entry.get("code", "")) for entry in entries)
        if _EMPTY.search(text):
            raise NothingThere
        return harmless(text) or "no reason given"

    def assets(self, job_id: str) -> list[Asset]:
        """Files of a finished job."""
        found = self._asked(lambda: self._connection.job(job_id).get_results().get_metadata(force=True))
        files = found.get("assets")
        if not isinstance(files, dict):
            raise ArchiveAnswerInvalid(f"Copernicus openEO lists no files for job {job_id}; run this again.")
        try:
            return [Asset(name, file["href"], file.get("file:size")) for name, file in files.items()]
        except (KeyError, TypeError, AttributeError) as error:
            raise ArchiveAnswerInvalid(f"Copernicus openEO's result of job {job_id} is malformed.") from error

    # -- inside ----------------------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        return Connection(
            self._url, session=self._session, default_timeout=math.ceil(self._patience.timeout_s), auto_validate=False
        )

    def _sign_in(self) -> None:
        providers = [one for one in self._connection.list_auth_providers() if one.get("issuer")]
        if not providers:
            raise OpenEoClientException("no identity provider")
        chosen = next((one for one in providers if one["id"] == _PROVIDER), providers[0])
        provider = OidcProviderInfo.from_dict(chosen)
        secret = self._credentials.secret.get_secret_value()
        authenticator: OidcClientCredentialsAuthenticator | OidcResourceOwnerPasswordAuthenticator
        if self._credentials.is_client:
            client = OidcClientInfo(self._credentials.name, provider, secret)
            authenticator = OidcClientCredentialsAuthenticator(client, requests_session=self._session)
        else:
            authenticator = OidcResourceOwnerPasswordAuthenticator(
                OidcClientInfo(_PUBLIC_CLIENT, provider),
                username=self._credentials.name,
                password=secret,
                requests_session=self._session,
            )
        token = authenticator.get_tokens().access_token
        self._connection.authenticate_oidc_access_token(token, provider_id=chosen["id"])

    def _create(self, request: CubeRequest) -> str:
        job = self._connection.create_job(request.process_graph, title=request.title)
        return str(job.job_id)

    def _asked(self, question: Callable[[], T]) -> T:
        """The answer to something that may be asked repeatedly; a refused token is renewed once."""
        try:
            return self._repeat(question)
        except TokenRefused:
            self.sign_in()
        try:
            return self._repeat(question)
        except TokenRefused as failure:
            raise self._final(failure) from None

    def _changed(self, action: Callable[[], T]) -> T:
        """Do something that must not happen twice; Unconfirmed when nobody knows whether it happened."""
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return action()
            except (OpenEoClientException, requests.RequestException, ValueError, KeyError) as error:
                failure = self._classified(error)
                if isinstance(failure, TokenRefused) and attempt == 1:
                    self.sign_in()
                elif isinstance(failure, Throttled) and attempt < self._patience.attempts:
                    sleep(failure.wait_s if failure.wait_s is not None else self._patience.wait_s(attempt))
                elif isinstance(failure, Unsure):
                    raise Unconfirmed from error
                else:
                    raise self._final(failure) from None
        raise AssertionError("the last attempt returns or raises")

    def _last_try(self, action: Callable[[], T]) -> T:
        """``action`` once more; what stays unconfirmed ends the run (its job is found again by the next)."""
        try:
            return self._changed(action)
        except Unconfirmed:
            raise self._unavailable("a request was not confirmed") from None

    def _repeat(self, question: Callable[[], T]) -> T:
        retrying = Retrying(
            retry=retry_if_exception_type((Unsure, Throttled)),
            stop=stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            before_sleep=_note,
            reraise=True,
        )
        try:
            return retrying(self._translated, question)
        except (Unsure, Throttled, SignInRefused) as failure:
            raise self._final(failure) from None

    def _translated(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except (OpenEoClientException, requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise self._classified(error) from error

    def _classified(self, error: Exception) -> Exception:
        """What an exception of the client means."""
        if isinstance(error, OidcException):
            status = _STATUS.search(str(error))
            refused = status is not None and status[1] in ("400", "401", "403")
            return SignInRefused() if refused else Unsure("the identity service failed")
        if isinstance(error, OpenEoApiPlainError):
            return self._classified_status(error)
        if isinstance(error, (requests.RequestException, OpenEoRestError, ValueError, KeyError, TypeError)):
            return Unsure(type(error).__name__)
        return Unsure(harmless(str(error)))

    def _classified_status(self, error: OpenEoApiPlainError) -> Exception:
        status = error.http_status_code
        code = error.code if isinstance(error, OpenEoApiError) else ""
        if code and _EMPTY.search(code):
            return NothingThere()
        if code in _TOKEN_REFUSED or status == 401:
            return TokenRefused()
        if code == _SLOTS_TAKEN:
            return SlotsTaken()
        if status == 429:
            return Throttled(self._session.retry_after)
        if status in TRANSIENT:
            return Unsure(f"HTTP {status}")
        if status == 404 and code == "JobNotFound":
            return Gone()
        words = harmless(f"{code} {error.message if isinstance(error, OpenEoApiError) else ''}".strip())
        return ArchiveAnswerInvalid(f"Copernicus openEO refused a request (HTTP {status}: {words}).")

    def _final(self, failure: Exception) -> Exception:
        """The error of ours that a failure ends in."""
        if isinstance(failure, (SignInRefused, TokenRefused)):
            return CredentialsRejected(
                f"The Copernicus Data Space refused the sign-in as {self._credentials.who}; check both."
            )
        if isinstance(failure, (Unsure, Throttled)):
            return self._unavailable(str(failure))
        return failure

    def _unavailable(self, why: str) -> ArchiveUnavailable:
        return ArchiveUnavailable(
            f"Copernicus openEO at {public_url(self._url)} did not answer ({why}); run this again, "
            f"jobs already started are taken up again."
        )

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        wait_s = getattr(failure, "wait_s", None)
        return wait_s if wait_s is not None else self._patience.wait_s(state.attempt_number)


def _note(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    log.info("Copernicus openEO: attempt %d failed (%s); trying again.", state.attempt_number, failure)
