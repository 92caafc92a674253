"""Batch jobs that survive us: ids are noted before a job starts, and the next run takes them up again.

The service allows two jobs at a time and twelve starts a minute; a job that fails is tried once more with a fresh
token, since the back-end hands our short-lived token to its own readers. So is a job whose result cannot be used, which
would otherwise be taken up by every later run. What fails again is reported as the trouble of that one request.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from satfusion_assets.archives.copernicus.answers import Asset, job_id_of, netcdf_among
from satfusion_assets.archives.copernicus.backend import BackEnd
from satfusion_assets.archives.copernicus.failures import NothingThere, SlotsTaken
from satfusion_assets.archives.copernicus.requests import CubeRequest
from satfusion_assets.archives.http import Answer, FileWithheld, HttpArchive
from satfusion_assets.vocabulary.errors import (
    ArchiveAnswerInvalid,
    ArchiveError,
    ArchiveUnavailable,
    CredentialsRejected,
)

log = logging.getLogger(__name__)

JOBS_AT_ONCE: Final = 2
STARTS_A_MINUTE: Final = 12
_TRIES: Final = 2
_FIRST_LOOK_S: Final = 0.25

Check = Callable[[bytes, CubeRequest], object]
"""Raises ArchiveAnswerInvalid on bytes that are not a whole result of the request."""


@dataclass(frozen=True)
class JobNote:
    """A job that was created. as_of: day of its creation, which is what its data are as of."""

    job_id: str
    as_of: date


class JobLedger:
    """Jobs by request fingerprint, in a small JSON file that is replaced whole. today: day of new jobs. saved: called
    with each replacement.
    """

    def __init__(self, path: Path, today: date, saved: Callable[[Path], None] = lambda path: None) -> None:
        self._saved = saved
        self._path = path
        self._today = today
        try:
            stored = json.loads(path.read_text("utf-8"))
            self._notes = {
                key: JobNote(job_id_of(job_id), date.fromisoformat(day)) for key, (job_id, day) in stored.items()
            }
        except (FileNotFoundError, ValueError, TypeError, AttributeError, ArchiveAnswerInvalid):
            self._notes = {}  # none yet; a lost ledger costs a job, no data

    def job_of(self, request: CubeRequest) -> JobNote | None:
        return self._notes.get(request.fingerprint)

    def note(self, request: CubeRequest, job_id: str) -> None:
        self._write({**self._notes, request.fingerprint: JobNote(job_id, self._today)})

    def forget(self, request: CubeRequest) -> date:
        """Drop the job of ``request`` and return what its data are as of."""
        note = self._notes.get(request.fingerprint)
        self._write({key: value for key, value in self._notes.items() if key != request.fingerprint})
        return note.as_of if note else self._today

    def _write(self, notes: dict[str, JobNote]) -> None:
        staged = self._path.with_name(self._path.name + ".new")
        with staged.open("w", encoding="utf-8") as file:
            json.dump({key: (note.job_id, note.as_of.isoformat()) for key, note in notes.items()}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self._path)
        self._saved(self._path)
        self._notes = notes


@dataclass(frozen=True)
class JobResult:
    """What came of a request.

    content: the NetCDF, None when the archive has nothing there or when ``trouble`` says why nothing came of it.
    as_of: day the job was made.
    """

    request: CubeRequest
    job_id: str | None
    as_of: date
    content: bytes | None
    etag: str | None = None
    trouble: ArchiveError | None = None


@dataclass
class _Pace:
    """At most twelve starts in any minute."""

    starts: deque[float] = field(default_factory=deque)

    def wait(self) -> None:
        if len(self.starts) >= STARTS_A_MINUTE:
            sleep(max(60.0 - (monotonic() - self.starts.popleft()), 0.0))
        self.starts.append(monotonic())


@dataclass
class _Running:
    """A job under way. old: an earlier run left it."""

    request: CubeRequest
    job_id: str
    old: bool
    tries: int = 1


def run_requests(
    back_end: BackEnd,
    files: HttpArchive,
    requests: Sequence[CubeRequest],
    ledger: JobLedger,
    check: Check,
    *,
    poll_s: float,
    give_up_s: float,
) -> Iterator[JobResult]:
    """Results of ``requests`` as their jobs finish, two jobs at a time.

    Raises ArchiveUnavailable when the back-end does not answer or a job has not finished after ``give_up_s``; jobs
    under way stay in the ledger.
    """
    runner = _Runner(back_end, files, ledger, check)
    waiting = deque(requests)
    running: list[_Running] = []
    give_up = monotonic() + give_up_s
    pause = min(_FIRST_LOOK_S, poll_s)
    while waiting or running:
        while waiting and len(running) < JOBS_AT_ONCE:
            request = waiting.popleft()
            try:
                note = ledger.job_of(request)
                job_id = runner.take_up(request)
                running.append(_Running(request, job_id, old=note is not None and note.job_id == job_id))
            except NothingThere:
                yield runner.empty(request, None)
            except ArchiveAnswerInvalid as error:
                yield runner.troubled(request, None, error)
            except SlotsTaken:
                log.info("Copernicus openEO: the account's jobs are all in use; waiting for one to end.")
                waiting.appendleft(request)
                break
        done = []
        for job in running:
            result = runner.look(job)
            if result is not None:
                done.append(job)
                yield result
        running = [job for job in running if job not in done]
        if done:
            pause = min(_FIRST_LOOK_S, poll_s)
        elif running or waiting:
            if monotonic() > give_up:
                what = f"finished job {running[0].job_id}" if running else "had a free slot for a job"
                raise ArchiveUnavailable(
                    f"Copernicus openEO has not {what} in {give_up_s / 3600:.1f} h; run this again to take it up."
                )
            sleep(pause)
            pause = min(pause * 2, poll_s)


class _Runner:
    def __init__(self, back_end: BackEnd, files: HttpArchive, ledger: JobLedger, check: Check) -> None:
        self._back_end = back_end
        self._files = files
        self._ledger = ledger
        self._check = check
        self._pace = _Pace()

    def take_up(self, request: CubeRequest) -> str:
        """Id of a started job for ``request``: the one in the ledger, or a new one."""
        note = self._ledger.job_of(request)
        job_id = note.job_id if note else None
        status = self._status_of_old(job_id) if job_id is not None else None
        if job_id is None or status in (None, "error", "canceled"):
            job_id = self._back_end.create(request)
            self._ledger.note(request, job_id)
            status = self._back_end.status(job_id)
        if status == "created":
            self._pace.wait()
            self._back_end.start(job_id)
            log.info("Copernicus openEO: started job %s (%s to %s).", job_id, request.start, request.end)
        else:
            log.info("Copernicus openEO: took up job %s (%s).", job_id, status)
        return job_id

    def look(self, job: _Running) -> JobResult | None:
        """The result when the job is over, None while it runs."""
        try:
            status = self._back_end.status(job.job_id)
            if status in ("queued", "running"):
                return None
            if status == "created":  # there was no slot for it when it was tried again
                with suppress(SlotsTaken):
                    self.take_up(job.request)
                return None
            if status == "finished":
                return self._download(job)
            why = self._back_end.failure(job.job_id) if status == "error" else f"its status is {status}"
            trouble: ArchiveError = ArchiveUnavailable(
                f"Copernicus openEO failed twice on {_what(job.request)} (job {job.job_id}: {why}); "
                f"run this again later."
            )
        except NothingThere:
            return self.empty(job.request, job.job_id)
        except FileWithheld as error:
            return self.withheld(job, error)
        except ArchiveAnswerInvalid as error:
            why = str(error)
            trouble = ArchiveAnswerInvalid(
                f"Copernicus openEO finished {_what(job.request)} twice without a result that can be used "
                f"({why.removesuffix('.')}); run this again later."
            )
        log.warning("Copernicus openEO: nothing came of job %s (%s).", job.job_id, why)
        return self.troubled(job.request, job.job_id, trouble) if job.tries >= _TRIES else self._try_again(job)

    def _try_again(self, job: _Running) -> JobResult | None:
        self._ledger.forget(job.request)
        self._back_end.sign_in()
        job.tries += 1
        job.old = False
        try:
            job.job_id = self.take_up(job.request)
        except NothingThere:
            return self.empty(job.request, None)
        except ArchiveAnswerInvalid as error:
            return self.troubled(job.request, None, error)
        except SlotsTaken:
            note = self._ledger.job_of(job.request)
            job.job_id = note.job_id if note else job.job_id
        return None

    def _status_of_old(self, job_id: str) -> str | None:
        """The status of a job of an earlier run; None when the back-end cannot say, so that another one is made."""
        try:
            return self._back_end.status(job_id)
        except ArchiveAnswerInvalid as error:
            log.warning("Copernicus openEO: job %s of an earlier run is left alone (%s)", job_id, error)
            return None

    def empty(self, request: CubeRequest, job_id: str | None) -> JobResult:
        return JobResult(request, job_id, self._ledger.forget(request), None)

    def troubled(self, request: CubeRequest, job_id: str | None, trouble: ArchiveError) -> JobResult:
        """Nothing came of the request; it is not in the ledger any more, so that the next run starts afresh."""
        return JobResult(request, job_id, self._ledger.forget(request), None, trouble=trouble)

    def withheld(self, job: _Running, trouble: FileWithheld) -> JobResult:
        """The job is done and its file is not given away: trouble of that quarter, whatever becomes of the others.

        The next run takes the job up again, in case the storage is down; what two runs cannot have is made anew.
        """
        if job.old:
            return self.troubled(job.request, job.job_id, trouble)
        note = self._ledger.job_of(job.request)
        assert note is not None, "a job under way is in the ledger"
        return JobResult(job.request, job.job_id, note.as_of, None, trouble=trouble)

    def _download(self, job: _Running) -> JobResult:
        file = self._file(job)
        try:
            answer = self._fetch(job, file)
        except (CredentialsRejected, ArchiveAnswerInvalid) as error:
            # Signed addresses hold for a day or a week, the credentials in them for hours; new ones are to be had.
            log.info("Copernicus openEO: asking for new addresses of job %s's result (%s)", job.job_id, error)
            answer = self._fetch_anew(job, self._file(job))
        return JobResult(job.request, job.job_id, self._ledger.forget(job.request), answer.body, answer.etag)

    def _fetch_anew(self, job: _Running, file: Asset) -> Answer:
        try:
            return self._fetch(job, file)
        except CredentialsRejected as error:
            raise ArchiveAnswerInvalid(
                f"Copernicus openEO's signed address of job {job.job_id}'s result is refused even when it is new (the "
                f"account's credentials are not in question)."
            ) from error

    def _file(self, job: _Running) -> Asset:
        return netcdf_among(self._back_end.assets(job.job_id), job.job_id)

    def _fetch(self, job: _Running, file: Asset) -> Answer:
        return self._files.get_checked(file.href, lambda answer: self._checked(answer, file, job.request))

    def _checked(self, answer: Answer, asset: Asset, request: CubeRequest) -> Answer:
        if asset.size is not None and len(answer.body) != asset.size:
            raise ArchiveAnswerInvalid(
                f"Copernicus openEO sent {len(answer.body)} bytes of {request.title} instead of {asset.size}."
            )
        self._check(answer.body, request)
        return answer


def _what(request: CubeRequest) -> str:
    return f"{request.product.collection} from {request.start} to {request.end}"
