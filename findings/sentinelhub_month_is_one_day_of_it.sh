#!/bin/sh
# sentinelhub takes a time interval as ISO dates and fills up what is left open: "2024-05-01" is that whole day. A good
# guess: "2024-05" is the month and "2024" the year, as other clients of the same archives read them. Seen: each is a
# single day, and which one is that of the machine's clock, so a season from ("2024-03", "2024-10") begins and ends on
# another day whenever the program runs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sentinelhub==3.12.0 pystac-client==0.9.1 \
  time-machine==3.6.0
cd "$folder"
HOME="$folder" venv/bin/python -W ignore - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version

import time_machine
from pystac_client.item_search import ItemSearch
from sentinelhub import parse_time_interval


def asked(time):
    return [f"{end:%Y-%m-%d}" for end in parse_time_interval(time)]


seen = {}
for today in (datetime(2026, 6, 9, 12, tzinfo=UTC), datetime(2026, 6, 24, 12, tzinfo=UTC)):
    with time_machine.travel(today):
        seen[today.day] = [asked(time) for time in ("2024-05-01", "2024-05", "2024", ("2024-03", "2024-10"))]
month = ItemSearch("http:", datetime="2024-05").get_parameters()["datetime"]
print("sentinelhub", version("sentinelhub"))
print("a good guess for 2024-05, as pystac-client", version("pystac-client"), "reads it:", month)
for day, intervals in seen.items():
    print(f"seen on the {day}th of June for 2024-05-01, 2024-05, 2024 and 2024-03 to 2024-10:", *intervals)
assert month == "2024-05-01T00:00:00Z/2024-05-31T23:59:59Z"
assert seen[9] == [["2024-05-01"] * 2, ["2024-05-09"] * 2, ["2024-06-09"] * 2, ["2024-03-09", "2024-10-09"]]
assert seen[24] == [["2024-05-01"] * 2, ["2024-05-24"] * 2, ["2024-06-24"] * 2, ["2024-03-24", "2024-10-24"]]
PY
