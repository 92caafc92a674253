"""What has gone wrong since the last look, and telling people of it: runs, sensors and schedules, freshness checks."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

import dagster as dg

from satfusion_assets.orchestration.automation.freshness import FRESH
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import Grid
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.vocabulary.errors import NoticeNotSent
from satfusion_assets.vocabulary.settings import Settings

LINES: Final = 20
"""Failures that one message names; how many more there are is said."""
_LOOK_S: Final = 60
_WAIT_S: Final = 20.0
_MADE_AGAIN: Final = "dagster/will_retry"
"""Dagster's documented tag of a failed run that is made again by itself: nobody has to act yet."""
_SECURE_PORT: Final = 465
_PLAIN_PORT: Final = 25


@dg.sensor(
    name="tell_failures",
    minimum_interval_seconds=_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Tells people of runs, sensors, schedules and freshness checks that failed, by webhook or mail as "
        "SATFUSION_NOTIFY_WEBHOOK and SATFUSION_NOTIFY_MAIL say; does nothing where neither is set."
    ),
)
def tell_failures(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
) -> dg.SensorResult | dg.SkipReason:
    settings, now = platform.settings, datetime.now(UTC)
    if settings.notify_webhook is None and settings.notify_mail is None:
        return dg.SkipReason("Neither SATFUSION_NOTIFY_WEBHOOK nor SATFUSION_NOTIFY_MAIL is set.")
    since = datetime.fromisoformat(context.cursor) if context.cursor else now
    found = list(failures(context.instance, since, now, besides=context.sensor_name))
    if found:
        send(settings, message(found, settings))
    # Only now: what could not be sent is reported at the next look.
    return dg.SensorResult(cursor=now.isoformat(), skip_reason=f"{len(found)} failures since {since:%Y-%m-%d %H:%M}.")


def failures(instance: dg.DagsterInstance, since: datetime, until: datetime, *, besides: str = "") -> Iterator[str]:
    """A sentence for each failure within [since, until). besides: name of the sensor that does the telling."""
    yield from _runs(instance, since, until)
    yield from _ticks(instance, since, until, besides)
    yield from _checks(instance, since, until)


def message(found: list[str], settings: Settings) -> str:
    """What is sent: the failures, and where to look."""
    more = [f"... and {len(found) - LINES} more"] if len(found) > LINES else []
    return "\n".join([*found[:LINES], *more, f"See {settings.dagster_url}"])


def send(settings: Settings, text: str) -> None:
    """Tell people ``text`` in every way that is set; NoticeNotSent names the setting, never its address."""
    if settings.notify_webhook is not None:
        _post(settings.notify_webhook.get_secret_value(), text)
    if settings.notify_mail is not None:
        _mail(settings.notify_mail, settings.notify_smtp.get_secret_value(), text)


def _runs(instance: dg.DagsterInstance, since: datetime, until: datetime) -> Iterator[str]:
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since, updated_before=until)
    for record in instance.get_run_records(failed):
        run = record.dagster_run
        if run.tags.get(_MADE_AGAIN) != "true":
            where = run.tags.get("dagster/partition") or run.job_name
            yield f"Run {run.run_id[:8]} of {where} failed: {_cause(instance, run.run_id)}"


def _cause(instance: dg.DagsterInstance, run_id: str) -> str:
    """The first sentence of the first step that failed, or of the run where no step did."""
    for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE):
        for entry in instance.all_logs(run_id, of_type=kind):
            event = entry.get_dagster_event()
            error = getattr(event.event_specific_data, "error", None)
            while error is not None and error.cause is not None:
                error = error.cause
            return _first_line(error.message if error is not None else event.message or "")
    return "its log has no reason"


def _ticks(instance: dg.DagsterInstance, since: datetime, until: datetime, besides: str) -> Iterator[str]:
    for state in instance.all_instigator_state():
        if state.instigator_name == besides:
            continue
        ticks = instance.get_ticks(
            state.instigator_origin_id, state.selector_id, after=since.timestamp(), before=until.timestamp()
        )
        broken = [tick for tick in ticks if tick.is_failure]
        if broken:
            error = broken[0].error
            said = _first_line(error.message) if error is not None else "its tick has no reason"
            yield f"{state.instigator_name} failed {len(broken)} times: {said}"


def _checks(instance: dg.DagsterInstance, since: datetime, until: datetime) -> Iterator[str]:
    placed = (name for name in REGISTRY.names if REGISTRY[name].grid is not Grid.ALL)
    keys = [dg.AssetCheckKey(dg.AssetKey(name), FRESH) for name in placed]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key, record in latest.items():
        event = record.event.get_dagster_event() if record.event is not None else None
        evaluation = event.asset_check_evaluation_data if event is not None else None
        when = datetime.fromtimestamp(record.create_timestamp, UTC)
        if evaluation is not None and not evaluation.passed and since <= when < until:
            yield f"{key.asset_key.to_user_string()} is not fresh: {evaluation.description}"


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[0].rpartition("events.Failure: ")[2][:300] if lines else "no reason given"


def _post(url: str, text: str) -> None:
    import httpx

    try:
        answer = httpx.post(url, json={"text": text}, timeout=_WAIT_S)
    except httpx.HTTPError as error:
        raise NoticeNotSent(
            f"SATFUSION_NOTIFY_WEBHOOK cannot be reached ({type(error).__name__}); failures are reported when it can."
        ) from None
    if answer.is_error:
        raise NoticeNotSent(f"SATFUSION_NOTIFY_WEBHOOK answers {answer.status_code}; correct its address.")


def _mail(receiver: str, server: str, text: str) -> None:
    parts = urlsplit(server)
    post = EmailMessage()
    post["Subject"], post["To"], post["From"] = "satfusion: something failed", receiver, parts.fragment or receiver
    post.set_content(text)
    secure = parts.scheme == "smtps"
    port = parts.port or (_SECURE_PORT if secure else _PLAIN_PORT)
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    try:
        with kind(parts.hostname or "localhost", port, timeout=_WAIT_S) as connection:
            if not secure and parts.username:
                connection.starttls()
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
            connection.send_message(post)
    except (OSError, smtplib.SMTPException) as error:
        raise NoticeNotSent(
            f"SATFUSION_NOTIFY_SMTP does not take mail ({type(error).__name__}); failures are reported when it does."
        ) from None
