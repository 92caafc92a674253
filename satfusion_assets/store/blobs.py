"""Blobs below one prefix of a bucket, or of a folder: whole, by name, and "create only where there is none".

Nothing else of S3 is relied on. Servers differ in everything beyond: some take ``If-Match`` only without its quotes,
some ignore conditions when a multipart upload ends. A server that ignores ``If-None-Match`` on a plain PUT is refused.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from satfusion_assets.vocabulary.errors import StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

log = logging.getLogger(__name__)

T = TypeVar("T")

_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_CONNECT_S: Final = 5.0
_PROBE: Final = ".satfusion/probe"


@dataclass(frozen=True)
class Waits:
    """How long an answer is waited for: of one request, and in all with its repetitions. Seconds."""

    request_s: float = 60.0
    in_all_s: float = 180.0


@dataclass(frozen=True)
class Blob:
    """What a listing says of a blob. name: below the prefix. size: bytes."""

    name: str
    size: int
    modified: datetime


class Blobs:
    """Blobs below ``where``: ``s3://bucket/prefix``, or a folder for tests and shared file systems.

    Endpoint, keys and region of S3 come from the environment (``AWS_*``). Whatever fails is StoreUnavailable when it
    may succeed later, StoreRefused when a person has to act.
    """

    def __init__(self, where: str, policy: Waits | None = None) -> None:
        self.where = where.rstrip("/")
        self._retry_policy = policy or Waits()
        self._store: ObjectStore = _open(self.where, self._retry_policy)

    def read(self, name: str) -> bytes | None:
        """The blob's content, None where there is none."""
        import obstore

        return self._ask(f"read {name}", lambda: bytes(obstore.get(self._store, name).bytes()), missing=None)

    def download(self, name: str, write: Callable[[bytes], Any]) -> bool:
        """Give the blob's content to ``write``, piece by piece; False where there is none.

        An answer that breaks off is StoreUnavailable: what was written by then is the caller's to discard.
        """
        import obstore

        answer = self._ask(f"read {name}", lambda: obstore.get(self._store, name), missing=None)
        if answer is None:
            return False
        try:
            for piece in answer.stream():
                write(bytes(piece))
        except obstore.exceptions.BaseError as error:
            raise StoreUnavailable(f"{self.where} broke off while {name} was read; run this again.") from error
        return True

    def put(self, name: str, content: bytes | memoryview | Path) -> None:
        """Write a blob in the place of whatever is there."""
        import obstore

        self._ask(f"write {name}", lambda: obstore.put(self._store, name, content, use_multipart=False))

    def create(self, name: str, content: bytes) -> bool:
        """Write a blob unless there is one; whether the one that is there now has this content.

        ``content`` holds something that nobody else writes. A request that got no answer may have been carried out:
        what lies there is read back and compared before it is repeated, so that nobody takes their own blob for
        another's.
        """
        import obstore

        def attempt() -> bool:
            try:
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except obstore.exceptions.AlreadyExistsError:
                return self.read(name) == content
            except obstore.exceptions.GenericError:
                found = self.read(name)
                if found is None:
                    raise
                return found == content
            return True

        return self._ask(f"create {name}", attempt)

    def about(self, name: str) -> Blob | None:
        """Size and age of a blob, None where there is none."""
        import obstore

        found = self._ask(f"look at {name}", lambda: obstore.head(self._store, name), missing=None)
        return None if found is None else Blob(name, found["size"], found["last_modified"])

    def below(self, folder: str, after: str | None = None) -> list[Blob]:
        """All blobs below ``folder``, by name; those behind the name ``after`` alone where it is given."""
        import obstore

        def all_of_them() -> list[Blob]:
            pages = obstore.list(self._store, f"{folder}/", offset=after, chunk_size=1000)
            found = (Blob(one["path"], one["size"], one["last_modified"]) for page in pages for one in page)
            return sorted(found, key=lambda blob: blob.name)

        return self._ask(f"list {folder}", all_of_them)

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders right below ``folder``."""
        import obstore

        prefix = f"{folder}/" if folder else None
        found = self._ask(f"list {folder or '/'}", lambda: obstore.list_with_delimiter(self._store, prefix))
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found["common_prefixes"])

    def delete(self, name: str) -> None:
        """Remove a blob; one that is not there is no error."""
        import obstore

        self._ask(f"delete {name}", lambda: obstore.delete(self._store, name), missing=None)

    def refuse_unless_conditional(self) -> None:
        """StoreRefused when the server writes over a blob that it was asked to create: two hosts would then lose each
        other's products."""
        import obstore

        name = f"{_PROBE}/{uuid.uuid4().hex}"
        create = partial(obstore.put, self._store, name, mode="create", use_multipart=False)
        self._ask("be probed", lambda: create(file=b"first"))
        try:
            create(file=b"second")
        except obstore.exceptions.AlreadyExistsError:
            return
        except obstore.exceptions.BaseError as error:
            raise StoreUnavailable(
                f"{self.where} did not answer while it was probed ({_first_line(error)})."
            ) from error
        finally:
            self.delete(name)
        raise StoreRefused(
            f"The server of {self.where} ignores conditions (If-None-Match: *), so hosts would overwrite each other's "
            f"products; use another server."
        )

    def _ask(self, what: str, call: Callable[[], T], **missing: T) -> T:
        """``call``, repeated while the server does not answer. missing: what stands for a blob that is not there."""
        import obstore

        deadline, pause = time.monotonic() + self._retry_policy.in_all_s, _FIRST_PAUSE_S
        while True:
            try:
                return call()
            except (obstore.exceptions.NotFoundError, FileNotFoundError) as error:
                if "missing" in missing and not _is_bucket_missing(error):
                    return missing["missing"]
                raise StoreRefused(
                    f"{self.where} is not there; make the bucket, or correct SATFUSION_STORE."
                ) from error
            except obstore.exceptions.BaseError as error:
                if _is_forbidden(error):
                    raise StoreRefused(
                        f"{self.where} does not let us {what}; check AWS_ACCESS_KEY_ID and what its key may do."
                    ) from error
                if time.monotonic() + pause > deadline:
                    raise StoreUnavailable(
                        f"{self.where} did not answer for {self._retry_policy.in_all_s:.0f} s ({what}); look after its "
                        f"server and run this again, what was published before is whole."
                    ) from error
                log.warning("%s does not answer (%s); asking again.", self.where, what)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def _open(where: str, policy: Waits) -> ObjectStore:
    import obstore
    from obstore.store import LocalStore, S3Store

    if not where.startswith("s3://"):
        return LocalStore(Path(where).absolute(), mkdir=True)
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    endpoint = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)
    try:
        return S3Store(
            bucket,
            prefix=prefix or None,
            config={} if endpoint is None else {"endpoint": endpoint},
            client_options={
                "allow_http": endpoint is not None and endpoint.startswith("http://"),
                "timeout": timedelta(seconds=policy.request_s),
                "connect_timeout": timedelta(seconds=min(_CONNECT_S, policy.request_s)),
            },
            retry_config={"max_retries": 0},
        )
    except obstore.exceptions.BaseError as error:
        raise StoreRefused(f"{where} cannot be used as a store ({_first_line(error)}).") from error


def _is_forbidden(error: Exception) -> bool:
    """Whether the server says that the key may not do this; of a deletion it says so in an answer of success."""
    import obstore

    refusals = (obstore.exceptions.PermissionDeniedError, obstore.exceptions.UnauthenticatedError)
    return isinstance(error, refusals) or "(code: AccessDenied)" in str(error)


def _is_bucket_missing(error: Exception) -> bool:
    return "NoSuchBucket" in str(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
