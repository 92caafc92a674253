"""A message whose run cannot be begun, since the database does not answer."""

from __future__ import annotations

import uuid

import pytest
from celery.exceptions import Reject

from satfusion_assets.orchestration.cluster import worker
from satfusion_assets_tests.store.servers.running import free_port


def test_a_message_goes_back_to_the_queue_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(worker.POSTGRES, f"postgresql+psycopg2://nobody@127.0.0.1:{free_port()}/nothing")
    monkeypatch.setattr(worker, "_AGAIN_S", 0.0)
    with pytest.raises(Reject) as sent_back:
        worker.execute_run(str(uuid.uuid4()))
    assert sent_back.value.requeue
