#!/bin/sh
# Two threads share an instance of Dagster: one gives a run tags, the other asks for the run, as what waits for a run
# does. A good guess: an ephemeral instance is a persistent one without files, and SQLite waits its time-out of
# seconds for a lock in either. Seen: only the one with files waits; the tables of the ephemeral one lie in memory behind
# a shared cache, for whose locks SQLite does not wait, so one of the threads gets OperationalError at once.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27 sqlalchemy==2.1.9
cat >"$folder/two.py" <<'PY'
import sys
import tempfile
import threading
from collections import Counter

import dagster as dg
from sqlalchemy.exc import OperationalError

TIMES = 300


@dg.job
def season():
    pass


def errors(instance):
    run = instance.create_run_for_job(season).run_id
    found, done = Counter(), threading.Event()

    def count(what, *arguments):
        try:
            what(*arguments)
        except OperationalError as error:
            found[str(error.orig).partition(":")[0]] += 1

    def look():
        while not done.is_set():
            count(instance.get_run_by_id, run)

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(TIMES):
        count(instance.add_run_tags, run, {"day": str(number)})
    done.set()
    looking.join()
    return dict(found)


with dg.DagsterInstance.ephemeral() as instance:
    in_memory = errors(instance)
with tempfile.TemporaryDirectory() as home, dg.DagsterInstance.local_temp(home) as instance:
    on_disk = errors(instance)
print("in memory:", in_memory, "on disk:", on_disk)
sys.exit(not (set(in_memory) == {"database table is locked"} and not on_disk))
PY
echo "dagster 1.13.27, sqlalchemy 2.1.9: two threads with one instance, one writes 300 times"
echo "a good guess says: each waits for the other, in memory as on disk"
printf "seen (errors): "
"$folder/venv/bin/python" -W ignore "$folder/two.py"
