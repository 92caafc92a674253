"""Damage of the kinds that files and answers suffer: the same seed gives the same damage."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

JUNK = (
    b"", b'"', b"\x00", b"\xff", b"\xef\xbb\xbf", b"\n\n", b",", b"NaN", b"inf", b"-1", b"1e999", b"0.0",
    b"99999999999", b"-9999", "\u0663".encode(), "\ud7ff".encode(), b"\x85", b"../..", b"<html>",
    b"2024-02-30", b"{", b"]",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x" * 5000, "../../etc", "\ud800", "None",
    "NA", "2024-13-01", "9999-12-31", "0000-00-00", [], {}, [[]], {"a": 1}, "1e999", 2024, "2024", b"\xc3\xa9".decode(),
)  # fmt: skip


def mutated_bytes(content: bytes, seed: int) -> bytes:
    """``content`` after one to four injuries."""
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(content) + 1)
        to = min(at + dice.choice((1, 1, 2, 8, 60, 3000)), len(content))
        injury = dice.randrange(6)
        if injury == 0:
            content = content[:at] + dice.choice(JUNK) + content[at:]
        elif injury == 1:
            content = content[:at] + dice.choice(JUNK) + content[to:]
        elif injury == 2:
            content = content[:at] + content[at:to] * 2 + content[to:]
        elif injury == 3:
            content = content[:at]
        elif injury == 4:
            content = content[:at] + bytes(dice.randrange(256) for _ in range(to - at))[:40] + content[to:]
        else:
            lines = content.split(b"\n")
            one, other = (dice.randrange(len(lines)) for _ in range(2))
            lines[one], lines[other] = lines[other], lines[one]
            content = b"\n".join(lines)
    return content


def mutated_json(document: Any, seed: int) -> bytes:
    """``document`` as JSON text, after one to four of its values were replaced, dropped, doubled or renamed."""
    dice = random.Random(seed)
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 4)):
        holder, key = dice.choice(list(_places(document)) or [(None, None)])
        if holder is None:
            break
        injury = dice.randrange(5)
        if injury <= 1:
            holder[key] = dice.choice(ODD)
        elif injury == 2:
            del holder[key]
        elif injury == 3 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif isinstance(holder, dict):
            holder[f"{key}_"] = holder.pop(key)
        else:
            holder[key] = [holder[key]]
    text = json.dumps(document).encode()
    return mutated_bytes(text, seed) if dice.random() < 0.15 else text


def _places(node: Any) -> Any:
    """Every (container, key or position) of a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield node, key
        yield from _places(value)
