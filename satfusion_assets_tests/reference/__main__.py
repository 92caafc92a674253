"""``make digests``: commit the numbers of the reference products, where a raised code version allows it."""

import sys
import tempfile
from pathlib import Path

from satfusion_assets_tests.reference.committed import committed, made_otherwise, measured, verdict, write

with tempfile.TemporaryDirectory() as folder:
    now, before = measured(Path(folder)), committed()
refused = [
    said
    for name, record in now.items()
    if name in before
    and "raise" in (said := verdict(name, record, before[name], inputs_told=made_otherwise(name, now, before)) or "")
]
if refused:
    sys.exit("\n".join(refused))
write(now)
