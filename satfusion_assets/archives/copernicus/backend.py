"""The openEO back-end through its own client, with what that client leaves out.

The client bounds no answer, retries no POST, follows no list to its second page, and does not renew a token that is
answered with 401. Reads are repeated here; what changes something (create, start) is never repeated blindly: the
caller looks first whether it has happened.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterator
from time import sleep
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from openeo.rest import OpenEoApiError, OpenEoApiPlainError, OpenEoClientException, OpenEoRestError
from openeo.rest.auth.oidc import (
    OidcClientCredentialsAuthenticator,
    OidcClientInfo,
    OidcException,
    OidcProviderInfo,
    OidcResourceOwnerPasswordAuthenticator,
)
from openeo.rest.connection import Connection
from pydantic import BaseModel
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from satfusion_assets.archives.copernicus.answers import (
    Asset,
    JobPage,
    JobState,
    ListedJob,
    LogPage,
    Malformed,
    Page,
    Results,
    files_of,
    found_nothing,
    job_id_of,
    parsed,
    says_nothing_there,
)
from satfusion_assets.archives.copernicus.credentials import QUOTING, Credentials
from satfusion_assets.archives.copernicus.failures import (
    Gone,
    NothingThere,
    SignInRefused,
    SlotsTaken,
    Throttled,
    TokenRefused,
    Unconfirmed,
    Unsure,
    harmless,
)
from satfusion_assets.archives.copernicus.requests import CubeRequest
from satfusion_assets.archives.copernicus.session import AnswerTooLarge, AnswerTooSlow, PoliteSession, RedirectRefused
from satfusion_assets.archives.retry import LONGEST_WAIT_S, TRANSIENT, RetryPolicy, public_url
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, CredentialsRejected

log = logging.getLogger(__name__)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
P = TypeVar("P", bound=Page)

_PROVIDER: Final = "CDSE"
_PUBLIC_CLIENT: Final = "cdse-public"
_SLOTS_TAKEN: Final = "ConcurrentJobLimit"
_TOKEN_REFUSED: Final = frozenset({"TokenInvalid", "AuthenticationRequired", "AuthenticationSchemeInvalid"})
_PAGE: Final = 100
_MOST_PAGES: Final = 1000
_MOST_ITEMS: Final = 20
"""Items of one result that are looked into when it lists no file itself; our jobs make one file."""
_FUMBLES: Final = (
    OpenEoClientException,
    requests.RequestException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What the client raises, and what it falls over in answers that it does not expect."""
_STATUS: Final = re.compile(r": (\d{3}) ")


class BackEnd:
    """One signed-in connection to the back-end at ``url`` (versioned, as ``.../openeo/1.2``)."""

    def __init__(self, url: str, credentials: Credentials, policy: RetryPolicy) -> None:
        self._url = url
        self._credentials = credentials
        self._retry_policy = policy
        self._session = PoliteSession(policy)
        self._seen: set[str] = set()
        """Jobs that are known to be there; none of them is one whose creation was not confirmed."""
        self._connection = self._repeat(self._connect)
        self.sign_in()

    def sign_in(self) -> None:
        """Get a fresh access token; CredentialsRejected when the identity service refuses."""
        self._repeat(self._sign_in)

    def describe(self, collection: str) -> dict[str, Any]:
        """Metadata of a collection, kept with what was acquired from it."""
        return self._asked(lambda: dict(self._connection.describe_collection(collection)))

    def find(self, title: str) -> str | None:
        """Id of this account's newest job with ``title``, on any page of its list, that was not dealt with before."""
        found = [job for job in self._jobs() if job.title == title and job.id not in self._seen]
        return max(found, key=lambda job: job.created).id if found else None

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
        self._seen.add(job_id)
        try:
            return self._read(f"/jobs/{job_id}", JobState, f"answer about job {job_id}").status
        except Gone:
            return None

    def failure(self, job_id: str) -> str:
        """Why a job failed, in the back-end's words without anything secret; NothingThere when it found no data."""
        pages = self._pages(f"/jobs/{job_id}/logs", LogPage, f"log of job {job_id}", {"level": "error"})
        log = [entry for page in pages for entry in page.entries()]
        if found_nothing(log):
            raise NothingThere
        return harmless(" ".join(f"{entry.code} {entry.message}" for entry in log)) or "no reason given"

    def assets(self, job_id: str) -> list[Asset]:
        """Files of a finished job, with addresses that hold for a day or a week; asked for anew each time."""
        address, what = f"/jobs/{job_id}/results", f"result of job {job_id}"
        results = self._read(address, Results, what)
        files = files_of(results, f"{self._url.rstrip('/')}{address}")
        for item in results.items()[:_MOST_ITEMS] if not files else ():
            files += files_of(self._read(item, Results, what), item)
        return files

    # -- inside ----------------------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        return Connection(
            self._url,
            session=self._session,
            default_timeout=math.ceil(self._retry_policy.timeout_s),
            auto_validate=False,
        )

    def _sign_in(self) -> None:
        providers = [one for one in self._connection.list_auth_providers() if one.get("issuer")]
        if not providers:
            raise OpenEoClientException("no identity provider")
        chosen = next((one for one in providers if one["id"] == _PROVIDER), providers[0])
        provider = OidcProviderInfo(
            issuer=chosen["issuer"],
            provider_id=chosen["id"],
            title=str(chosen.get("title") or ""),
            scopes=list(chosen.get("scopes") or ()),
            requests_session=self._session,
        )
        if self._session.should_strip_auth(chosen["issuer"], provider.config["token_endpoint"]):
            raise RedirectRefused(urlsplit(provider.config["token_endpoint"]).hostname or "nowhere")
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
        return job_id_of(job.job_id)

    def _jobs(self) -> Iterator[ListedJob]:
        for page in self._pages("/jobs", JobPage, "list of jobs", {"limit": str(_PAGE)}):
            yield from page.entries()

    def _pages(self, address: str, model: type[P], what: str, query: dict[str, str]) -> Iterator[P]:
        """The pages of a list; one that names an earlier one as the next is the last."""
        asked: list[dict[str, str]] = []
        following: dict[str, str] | None = query
        while following is not None and following not in asked and len(asked) < _MOST_PAGES:
            asked.append(following)
            page = self._read(address, model, what, following)
            yield page
            following = page.next

    def _read(self, address: str, model: type[M], what: str, query: dict[str, str] | None = None) -> M:
        """The answer to GET as ``model``."""
        return self._asked(
            lambda: parsed(model, self._connection.get(address, params=query, expected_status=200).json(), what)
        )

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
        for attempt in range(1, self._retry_policy.attempts + 1):
            try:
                return action()
            except _FUMBLES as error:
                failure = self._classified(error)
                if isinstance(failure, TokenRefused) and attempt == 1:
                    self.sign_in()
                elif isinstance(failure, Throttled) and attempt < self._retry_policy.attempts:
                    sleep(failure.wait_s if failure.wait_s is not None else self._retry_policy.wait_s(attempt))
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
            retry=retry_if_exception_type((Unsure, Throttled, Malformed)),
            stop=stop_after_attempt(self._retry_policy.attempts),
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
        except _FUMBLES as error:
            raise self._classified(error) from error

    def _classified(self, error: Exception) -> Exception:
        """What an exception of the client means."""
        if (bounded := _bounded(error)) is not None:
            return bounded
        if isinstance(error, OidcException):
            status = _STATUS.search(str(error))
            refused = status is not None and status[1] in ("400", "401", "403")
            return SignInRefused() if refused else self._unsure("the identity service failed")
        if isinstance(error, OpenEoApiPlainError):
            return self._classified_status(error)
        if isinstance(error, OpenEoClientException) and not isinstance(error, OpenEoRestError):
            return Unsure(harmless(str(error)))
        return Unsure(str(error) if isinstance(error, AnswerTooSlow) else type(error).__name__)

    def _classified_status(self, error: OpenEoApiPlainError) -> Exception:
        status = error.http_status_code
        code, message = (error.code, error.message) if isinstance(error, OpenEoApiError) else ("", "")
        if says_nothing_there(code, message):
            return NothingThere()
        if code in _TOKEN_REFUSED or status == 401:
            return TokenRefused()
        if code == _SLOTS_TAKEN:
            return SlotsTaken()
        if status == 429:
            return self._unsure("HTTP 429", Throttled)
        if status in TRANSIENT:
            return self._unsure(f"HTTP {status}")
        if status == 404 and code == "JobNotFound":
            return Gone()
        words = harmless(f"{code} {message}".strip())
        return ArchiveAnswerInvalid(f"Copernicus openEO refused a request (HTTP {status}: {words}).")

    def _unsure(self, why: str, kind: type[Unsure] | type[Throttled] = Unsure) -> Exception:
        """Worth another attempt after the pause that the answer asks for, unless that is longer than a run waits."""
        wait_s = self._session.retry_after
        if wait_s is not None and wait_s > LONGEST_WAIT_S:
            return ArchiveUnavailable(
                f"Copernicus openEO at {public_url(self._url)} asks for {wait_s:.0f} s before it is asked again "
                f"({why}); run this again then, jobs already started are taken up again."
            )
        return kind(why, wait_s)

    def _final(self, failure: Exception) -> Exception:
        """The error of ours that a failure ends in."""
        if isinstance(failure, (SignInRefused, TokenRefused)):
            return CredentialsRejected(
                f"The Copernicus Data Space refused the sign-in as {self._credentials.who}; check both ({QUOTING})."
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
        return wait_s if wait_s is not None else self._retry_policy.wait_s(state.attempt_number)


def _bounded(error: BaseException | None) -> ArchiveAnswerInvalid | None:
    """The error of ours for an answer that was not taken in, however the client has wrapped it."""
    while error is not None:
        if isinstance(error, RedirectRefused):
            return ArchiveAnswerInvalid(
                f"Copernicus openEO sends requests with credentials on to another host ({harmless(error.host)}), where "
                f"they do not belong; check SATFUSION_OPENEO_URL."
            )
        if isinstance(error, AnswerTooLarge):
            return ArchiveAnswerInvalid(
                f"Copernicus openEO sent an answer of {error}, which nothing that is asked has."
            )
        error = error.__cause__
    return None


def _note(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    log.info("Copernicus openEO: attempt %d failed (%s); trying again.", state.attempt_number, failure)
