#!/bin/sh
# rasterio reads a file on the disk. A good guess: keys of S3 in the environment do not matter to that, whatever else is
# installed. Seen: with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set and boto3 beside it, each opening of a local file
# makes a boto3 session first; without the keys none is made.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rasterio==1.4.4 numpy==2.3.5 affine==2.4.0 boto3==1.44.8
cat >"$folder/count.py" <<'PY'
import sys
from pathlib import Path

import boto3
import numpy as np
import rasterio

path = Path(sys.argv[1])
profile = {"driver": "GTiff", "count": 1, "height": 4, "width": 4, "dtype": "uint8", "crs": "EPSG:32632",
           "transform": rasterio.transform.from_origin(600000, 5200000, 10, 10)}
with rasterio.open(path, "w", **profile) as dataset:
    dataset.write(np.ones((1, 4, 4), "uint8"))

made = 0
original = boto3.Session.__init__


def counted(self, *args, **options):
    global made
    made += 1
    original(self, *args, **options)


boto3.Session.__init__ = counted
for _ in range(10):
    with rasterio.open(path) as dataset:
        dataset.read()
print(made)
PY
without=$(env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$folder/venv/bin/python" "$folder/count.py" "$folder/a.tif")
with=$(AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret "$folder/venv/bin/python" "$folder/count.py" "$folder/b.tif")
echo "rasterio 1.4.4, boto3 1.44.8: 10 local files opened; a good guess says 0 boto3 sessions either way"
echo "sessions without keys in the environment: $without; with keys: $with"
test "$without" -eq 0
test "$with" -ge 10
