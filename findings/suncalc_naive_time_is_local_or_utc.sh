#!/bin/sh
# suncalc tells where the sun stands, as is asked of a camera's noon image. A good guess: a time without a zone means the
# same thing to all of its functions, so that the solar noon which one of them gives is the highest sun to the other. Seen:
# a datetime without a zone is the machine's own clock, the same time as a pandas Timestamp or a Series is UTC; on a machine
# in New York the sun of 17:00 stands 35 degrees lower by the one than by the other, in Tokyo it is below the horizon.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check suncalc==0.1.3 pandas==2.3.3 pvlib==0.16.1 \
  numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import os
import time
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import pandas as pd
import pvlib
import suncalc

LONGITUDE, LATITUDE = -75.0, 40.0
WHEN = datetime(2024, 6, 21, 17)


def height(when):
    return round(float(np.degrees(suncalc.get_position(when, LONGITUDE, LATITUDE)["altitude"])))


seen = {}
for zone in ("UTC", "America/New_York", "Asia/Tokyo"):
    os.environ["TZ"] = zone
    time.tzset()
    noon = suncalc.get_times(WHEN.replace(tzinfo=UTC), LONGITUDE, LATITUDE)["solar_noon"]
    seen[zone] = {
        "datetime with zone": height(WHEN.replace(tzinfo=UTC)),
        "Timestamp": height(pd.Timestamp(WHEN)),
        "datetime": height(WHEN),
        "solar noon": height(noon),
        "solar noon as datetime": height(noon.to_pydatetime()),
    }
sun = pvlib.solarposition.get_solarposition(pd.DatetimeIndex([WHEN]), LATITUDE, LONGITUDE)["elevation"].iloc[0]
print("suncalc", version("suncalc"), "pandas", version("pandas"))
print(f"a good guess for {WHEN} at {LONGITUDE:.0f} E, {LATITUDE:.0f} N: the sun is {round(sun)} degrees high (pvlib "
      f"{version('pvlib')}) on every machine, and at solar noon")
for zone, heights in seen.items():
    print(f"seen with the clock in {zone}:", ", ".join(f"{what} {high}" for what, high in heights.items()))
for heights in seen.values():
    assert heights["datetime with zone"] == heights["Timestamp"] == heights["solar noon"] == round(sun) == 73
assert [seen[zone]["datetime"] for zone in seen] == [73, 38, -14]
assert [seen[zone]["solar noon as datetime"] for zone in seen] == [73, 37, -14]
PY
