"""Batch jobs: kept on disk, run one at a time in a thread, started within the service's quotas."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.errors import OpenEoError

GRACE_SECONDS: Final = 0.3
"""How long a start waits for the job, so that quick jobs are finished at the client's first look (it sleeps 5 s)."""

ACTIVE: Final = ("queued", "running")

_log = logging.getLogger(__name__)

Work = Callable[[Any, Path], list[Path]]
"""Runs a process graph and writes its files into a folder."""


@dataclass
class Job:
    """One batch job as it is stored."""

    id: str
    owner: str
    process_graph: Any
    title: str | None = None
    description: str | None = None
    status: str = "created"
    created: str = ""
    updated: str = ""
    files: list[str] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """What job lists show."""
        shown = {name: getattr(self, name) for name in ("id", "title", "description", "status", "created", "updated")}
        return {name: value for name, value in shown.items() if value is not None}

    def details(self) -> dict[str, Any]:
        """What the job itself shows."""
        progress = {"queued": 0, "running": 50, "finished": 100}.get(self.status)
        known = {} if progress is None else {"progress": progress}
        return self.summary() | known | {"process": {"process_graph": self.process_graph}}

    def note(self, level: str, message: str) -> None:
        """Add a log entry."""
        self.logs.append({"id": str(len(self.logs)), "level": level, "message": message, "time": _now()})


class Quota:
    """Starts of batch jobs and synchronous requests, per user."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._starts: dict[str, deque[float]] = {}

    def take(self, owner: str) -> None:
        """Count one start; OpenEoError 429 with the seconds to wait when the minute is used up."""
        now, minute = time.monotonic(), self._controls.minute_seconds
        starts = self._starts.setdefault(owner, deque())
        while starts and starts[0] <= now - minute:
            starts.popleft()
        if len(starts) >= self._controls.starts_per_minute:
            wait = max(1, math.ceil(starts[0] + minute - now))
            raise OpenEoError("TooManyRequests", 429, "Rate limit exceeded, try again later.", retry_after=wait)
        starts.append(now)


class Jobs:
    """All users' jobs below ``folder``; what was active when the server died has failed.

    Jobs change in the event loop only; ``work`` runs in a thread.
    """

    def __init__(self, folder: Path, work: Work, controls: Controls) -> None:
        self._folder = folder
        self._work = work
        self._controls = controls
        self._quota = Quota(controls)
        self._running: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._jobs = {job.id: job for job in map(_read, sorted(folder.glob("*/job.json")))}
        for job in self._jobs.values():
            if job.status in ACTIVE:
                self._end(job, "error", "Lost connection to the executor.")

    def take_start(self, owner: str) -> None:
        """Count a synchronous request against the quota."""
        self._quota.take(owner)

    def create(self, owner: str, process_graph: Any, title: str | None, description: str | None) -> Job:
        """A new job, not yet started."""
        job = Job(f"j-{datetime.now(UTC):%y%m%d%H%M%S}{uuid4().hex[:20]}", owner, process_graph, title, description)
        job.created = _now()
        self._jobs[job.id] = job
        self._save(job)
        return job

    def of(self, owner: str) -> list[Job]:
        """The user's jobs, newest first."""
        return sorted((job for job in self._jobs.values() if job.owner == owner), key=_age, reverse=True)

    def job(self, owner: str, identifier: str) -> Job:
        """One job of the user; OpenEoError when there is none."""
        job = self._jobs.get(identifier)
        if job is None or job.owner != owner:
            raise OpenEoError("JobNotFound", 404, f"The batch job {identifier!r} does not exist.")
        return job

    def change(self, job: Job, changes: dict[str, Any]) -> None:
        """Another title, description or process for a job that does not run."""
        if job.status in ACTIVE:
            raise OpenEoError("JobLocked", 400, "The batch job is queued or running and can't be modified.")
        job.title = changes.get("title", job.title)
        job.description = changes.get("description", job.description)
        job.process_graph = changes.get("process", {}).get("process_graph", job.process_graph)
        self._save(job)

    async def start(self, job: Job) -> None:
        """Queue ``job`` unless it is queued already; OpenEoError when a quota forbids it."""
        if job.status in ACTIVE:
            return
        limit = self._controls.concurrent_jobs
        if sum(other.status in ACTIVE for other in self.of(job.owner)) >= limit:
            message = f"Job was not started because concurrent job limit ({limit}) is reached."
            raise OpenEoError("ConcurrentJobLimit", 400, message)
        self._quota.take(job.owner)
        job.status, job.files, job.logs = "queued", [], []
        self._save(job)
        task = asyncio.create_task(self._run(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait({task}, timeout=GRACE_SECONDS)

    def cancel(self, job: Job) -> None:
        """Stop a job; whatever it still computes is thrown away."""
        if job.status in ACTIVE:
            self._end(job, "canceled", "Canceled by the user.")

    def delete(self, job: Job) -> None:
        """Forget a job and its results."""
        self.cancel(job)
        del self._jobs[job.id]
        shutil.rmtree(self._folder / job.id)

    def result(self, identifier: str, name: str) -> Path | None:
        """The result file ``name`` of a job, whoever asks."""
        job = self._jobs.get(identifier)
        return self._results(job) / name if job is not None and name in job.files else None

    def results(self, job: Job) -> dict[str, Path]:
        """The result files of a finished job; OpenEoError when it has not finished or has failed."""
        if job.status in ("error", "canceled"):
            raise OpenEoError("JobFailed", 424, job.logs[-1]["message"])
        if job.status != "finished":
            raise OpenEoError("JobNotFinished", 400, "Batch job has not finished computing the results yet.")
        return {name: self._results(job) / name for name in job.files}

    async def _run(self, job: Job) -> None:
        fails = self._controls.failing_jobs > 0
        self._controls.failing_jobs -= fails
        async with self._one_at_a_time:
            if job.status != "queued":
                return
            job.status = "running"
            job.note("info", "Batch job started.")
            self._save(job)
            work = asyncio.create_task(asyncio.to_thread(self._work, job.process_graph, self._results(job)))
            await asyncio.wait({work})
        await asyncio.sleep(self._controls.job_seconds)
        if job.status != "running":
            return
        error = work.exception()
        if fails:
            if self._controls.failure_log:
                job.note("error", self._controls.failure_log)
            self._end(job, "error", "OpenEO batch job failed: Your batch job failed because the executor was lost.")
        elif isinstance(error, OpenEoError):
            self._end(job, "error", f"OpenEO batch job failed: {error.code}: {error.message}")
        elif error is not None:
            _log.error("Batch job %s failed", job.id, exc_info=error)
            self._end(job, "error", "OpenEO batch job failed: Internal server error.")
        else:
            job.files = [path.name for path in work.result()]
            self._end(job, "finished", "Batch job finished.", "info")

    def _end(self, job: Job, status: str, message: str, level: str = "error") -> None:
        job.status = status
        job.note(level, message)
        self._save(job)

    def _results(self, job: Job) -> Path:
        return self._folder / job.id / "results"

    def _save(self, job: Job) -> None:
        """Write the job, unless it was deleted meanwhile."""
        if job.id not in self._jobs:
            return
        job.updated = _now()
        path = self._folder / job.id / "job.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(job)), "utf-8")
        draft.replace(path)


def _read(path: Path) -> Job:
    return Job(**json.loads(path.read_text("utf-8")))


def _age(job: Job) -> str:
    return job.created


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
