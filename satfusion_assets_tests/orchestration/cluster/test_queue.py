"""The queue of runs while RabbitMQ is restarted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from deploy.demo_cluster.machine import ThisMachine
from deploy.demo_cluster.rabbitmq import RabbitMq, is_installed
from satfusion_assets.orchestration.cluster.queue import EXECUTE, queue_app, release_queue
from satfusion_assets_tests.store.servers.running import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # Erlang starts twice, on a machine that may be busy


def test_what_was_queued_outlasts_a_restart_and_what_is_launched_meanwhile_waits_for_it(tmp_path: Path):
    if not is_installed():
        pytest.skip("RabbitMQ is not installed (Debian: rabbitmq-server)")
    queue = RabbitMq(ThisMachine(), tmp_path / "rabbitmq", (free_port(), free_port(), free_port()))
    app = queue_app(queue.url)

    def launch(run: str) -> None:
        app.send_task(EXECUTE, args=[run], queue=release_queue(), ignore_result=True)

    queue.start()
    try:
        launch("before")
        queue.stop()
        meanwhile = threading.Thread(target=launch, args=("meanwhile",))
        meanwhile.start()
        meanwhile.join(3)
        assert meanwhile.is_alive()
        queue.start()
        meanwhile.join(120)
        with app.connection_for_read() as connection:
            waiting = app.amqp.queues[release_queue()].bind(connection.default_channel)
            found = [message.decode()[0] for message in iter(lambda: waiting.get(no_ack=True), None)]
        assert found == [["before"], ["meanwhile"]]
    finally:
        queue.stop()
