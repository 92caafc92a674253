"""A message whose run cannot be begun, since the database does not answer, and what a worker has for its forks."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Final

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


FORKED: Final = """
import gc, sys
from celery.signals import worker_init, worker_process_shutdown
from satfusion_assets.orchestration.cluster import worker
worker_init.send(sender=None)
before = set(sys.modules)
print(gc.get_freeze_count() > 100_000, flush=True)
import satfusion_assets.definitions
print(set(sys.modules) == before, flush=True)
worker_process_shutdown.send(sender=None, pid=1, exitcode=7)
"""


@pytest.mark.slow
def test_a_fork_finds_the_code_loaded_and_no_garbage_to_look_for_and_ends_as_it_is_told():
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert done.returncode == 7
