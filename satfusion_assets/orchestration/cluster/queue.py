"""The queue between the launcher and the workers."""

from __future__ import annotations

from importlib.metadata import version as package_version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from celery import Celery

EXECUTE: Final = "satfusion.execute_run"
HOST_TAG: Final = "satfusion/host"
"""Of a run: the machine that executes it."""
_WHILE_IT_RESTARTS: Final = {"max_retries": 40, "interval_start": 1, "interval_step": 1, "interval_max": 3}
"""Two minutes: a launch waits for a broker that is restarted; by default its run would fail within a second."""
_FORK_S: Final = 60.0
"""How long a fork may take to say that it is there; after 4 s, the default, a busy machine has its forks killed."""
_DAYS_MS: Final = 7 * 86_400_000
"""RabbitMQ closes the channel of a message that is not acknowledged within 30 minutes by default."""


def release_queue() -> str:
    """The queue of this release, so that no worker takes a run of another one's code."""
    return f"satfusion-{package_version('satfusion')}"


def queue_app(broker_url: str | None = None) -> Celery:
    """Celery as runs need it: a message is acknowledged when its run has ended, a worker takes one at a time and keeps
    no others waiting, and no results are kept: the run's lease and Dagster's records say everything."""
    from celery import Celery
    from kombu import Queue

    app = Celery("satfusion", broker=broker_url)
    if broker_url and broker_url.startswith("amqps://"):
        app.conf.broker_use_ssl = {"server_hostname": None}  # the URL's; without it any host's certificate would do
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,  # a run that had begun is found begun
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=1,
        worker_proc_alive_timeout=_FORK_S,
        task_ignore_result=True,
        broker_heartbeat=10,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker waits for its queue as long as that takes; 100 times by default
        broker_transport_options={"confirm_publish": True},  # a message that a dying broker has not kept is sent again
        task_publish_retry_policy=_WHILE_IT_RESTARTS,
        task_default_queue=release_queue(),
        task_create_missing_queues=True,
        task_queues=[Queue(release_queue(), queue_arguments={"x-consumer-timeout": _DAYS_MS})],
    )
    return app
