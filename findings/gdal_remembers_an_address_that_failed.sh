#!/bin/sh
# GDAL reads a remote GeoTIFF by HTTP ranges. A good guess: an address that answered 503 once is asked again when it is
# opened again, and a wait that the server names in Retry-After is kept. Seen: the second opening in the same process
# fails without a request, long after the server has recovered; and with GDAL's own retries a Retry-After of 5 seconds is
# not waited for.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rasterio==1.4.4 numpy==2.3.5 affine==2.4.0
cat >"$folder/ask.py" <<'PY'
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import rasterio
from rasterio.io import MemoryFile

with MemoryFile() as memory:
    with memory.open(driver="GTiff", count=1, height=64, width=64, dtype="uint16", crs="EPSG:32632",
                     transform=rasterio.transform.from_origin(600000, 5200000, 10, 10)) as dataset:
        dataset.write(np.full((1, 64, 64), 700, "uint16"))
    body = bytes(memory.read())

failing, asked = {}, []


class Archive(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(head=True)

    def do_GET(self):
        self.answer(head=False)

    def answer(self, head):
        name = self.path.strip("/")
        asked.append((name, time.monotonic()))
        if failing.get(name, 0) > 0:
            failing[name] -= 1
            self.send_response(503)
            self.send_header("Retry-After", "5")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = 0, len(body) - 1
        if wanted := self.headers.get("Range"):
            first, last = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
            last = min(last, len(body) - 1)
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if not head:
            self.wfile.write(body[first : last + 1])

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("localhost", 0), Archive)
threading.Thread(target=server.serve_forever, daemon=True).start()


def opened(name):
    before = len(asked)
    try:
        with rasterio.open("{}://localhost:{}/{}".format("http", server.server_port, name)) as dataset:
            says = f"pixel {dataset.read(1)[0, 0]}"
    except rasterio.errors.RasterioIOError:
        says = "failed"
    return says, len(asked) - before


with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
    print("healthy:", *opened("healthy.tif"))
    failing["once.tif"] = 2
    print("first opening:", *opened("once.tif"))
    failing["once.tif"] = 0
    print("second opening:", *opened("once.tif"))
with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_HTTP_MAX_RETRY="3", GDAL_HTTP_RETRY_DELAY="0.2"):
    failing["waits.tif"] = 1
    begun = time.monotonic()
    says, _ = opened("waits.tif")
    times = [at for name, at in asked if name == "waits.tif"]
    print("with retries:", says, "asked again before the wait was over:", times[1] - times[0] < 4)
print("GDAL", rasterio.__gdal_version__)
PY
"$folder/venv/bin/python" "$folder/ask.py" >"$folder/said"
echo "rasterio 1.4.4; a good guess says: second opening: pixel 700 with requests, and a wait of 5 s"
cat "$folder/said"
grep -q "^healthy: pixel 700" "$folder/said"
grep -q "^first opening: failed" "$folder/said"
grep -q "^second opening: failed 0" "$folder/said"
grep -q "^with retries: pixel 700 asked again before the wait was over: True" "$folder/said"
