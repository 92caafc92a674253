"""The committed digests of the reference products, beside the code version and thresholds that they were made with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from satfusion_assets.pipeline.provenance import thresholds
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import ProductStore
from satfusion_assets_tests.reference.fingerprint import Digest, as_text, equal, fingerprint
from satfusion_assets_tests.reference.raw import raw_digests
from satfusion_assets_tests.reference.season import make_all

COMMITTED: Final = Path(__file__).with_name("digests.json")
Record = dict[str, Any]


def measured(root: Path) -> dict[str, Record]:
    """Every product's record as the code makes it now."""
    store = ProductStore(root)
    numbers: dict[str, dict[str, Digest]] = dict(raw_digests())
    for name, products in make_all(store).items():
        numbers[name] = {}
        for product in products:
            with store.read(product) as view:
                numbers[name] |= fingerprint(view)
    return {name: made_by(name) | {"numbers": of} for name, of in sorted(numbers.items())}


def made_by(name: str) -> Record:
    """Code version and a hash of the thresholds of product ``name``."""
    record = REGISTRY[name]
    under = [thresholds(record.thresholds + besides.thresholds) for besides in record.by_method.values()]
    text = json.dumps(under or thresholds(record.thresholds), sort_keys=True)
    return {"code_version": REGISTRY[name].code_version, "thresholds": hashlib.sha256(text.encode()).hexdigest()[:12]}


def committed() -> dict[str, Record]:
    return dict(json.loads(COMMITTED.read_text("utf-8"))) if COMMITTED.exists() else {}


def differing(now: Mapping[str, Digest], before: Mapping[str, Digest]) -> list[str]:
    """Kinds of files whose values are others, or that only one of the two has."""
    return sorted(
        kind for kind in {*now, *before} if kind not in now or kind not in before or not equal(now[kind], before[kind])
    )


def verdict(name: str, now: Record, before: Record | None, *, inputs_told: bool = False) -> str | None:
    """What is to be done about product ``name``; None when its record is as it is. inputs_told: something that it is
    made from says that it is made otherwise (``made_otherwise``), which is why its own numbers may be others."""
    if before is None:
        return f"{name} has no committed digest; run 'make digests'."
    changed = differing(now["numbers"], before["numbers"])
    made_alike = _made_alike(now, before)
    if changed and made_alike and not inputs_told:
        return (
            f"The numbers of {name} have changed ({', '.join(changed[:5])}) and nothing says so: raise its code_version"
            f" in {REGISTRY[name].room}.product, then run 'make digests'."
        )
    return None if not changed and made_alike else f"{name} is made otherwise than its digest says; run 'make digests'."


def made_otherwise(name: str, now: Mapping[str, Record], before: Mapping[str, Record]) -> bool:
    """Whether anything that product ``name`` is made from has another code version or other thresholds than it had."""
    inputs = {item.product.name for item in REGISTRY[name].inputs}
    return any(
        (one in before and not _made_alike(now[one], before[one])) or made_otherwise(one, now, before) for one in inputs
    )


def _made_alike(now: Record, before: Record) -> bool:
    return all(now[key] == before[key] for key in ("code_version", "thresholds"))


def write(records: Mapping[str, Record]) -> None:
    COMMITTED.write_text(as_text(records), "utf-8")
