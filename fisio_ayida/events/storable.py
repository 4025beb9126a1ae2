"""What the inbox cannot take in a payload, though it is JSON: jsonb refuses it, or a later reader cannot bear it.

Found before storing, because one such value would fail all its neighbours in the statement. Not here: the shape
of each event's payload (``payloads.py``).
"""

from __future__ import annotations

import re
from typing import Any

from fisio_ayida import telemetry

#: Levels of objects and arrays; the same number stands in ``events.send``.
DEEPEST = 100
_NULL = "holds the character U+0000, which PostgreSQL cannot store"
# In JSON a backslash is always the begin of one of these.
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)")
# More than 16383 digits after the point: Python reads 0.0, jsonb refuses.
_TINY = re.compile(rb"[eE]-0*[1-9][0-9]{3}|\.[0-9]{15000}")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_SURROGATES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\."
)


def mended(body: bytes) -> bytes:
    """JSON text with U+FFFD for each half of a character: JavaScript writes it where it has cut an emoji."""
    if rb"\ud" not in body and rb"\uD" not in body:
        return body
    return _SURROGATES.sub(lambda found: rb"\ufffd" if len(found[0]) == 6 else found[0], body)


def unstorable(field: str, value: Any, raw: bytes) -> str | None:
    """Why this value cannot be stored, naming the place; None if it can.

    Args:
        field: what the value is called in the answer.
        raw: the JSON text that ``value`` was decoded from.
    """
    if _TINY.search(raw) and _TINY.search(_STRINGS.sub(b"", raw)):
        return f"{field} holds a number with more decimals than PostgreSQL can store"
    escapes = rb"\u0000" in raw
    if not escapes and raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return None
    problem = _odd(value, field, 1)
    if problem is None and escapes and rb"\u0000" in _ESCAPE.findall(raw):
        # Under a key that is there twice: the decoder drops the first value, jsonb reads both.
        problem = f"{field} {_NULL}"
    # The place of a problem may be a key that the sender made of somebody's address.
    return None if problem is None else telemetry.excerpt(problem)


def _odd(value: Any, where: str, level: int) -> str | None:
    if isinstance(value, str):
        return f"{where} {_NULL}" if "\0" in value else None
    if not isinstance(value, dict | list):
        return None
    if level > DEEPEST:
        return f"{where.partition('.')[0]} is nested more than {DEEPEST} levels deep"
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(key, str) and "\0" in key:
            return f"a key of {where} {_NULL}"
        if problem := _odd(each, f"{where}.{key}", level + 1):
            return problem
    return None
