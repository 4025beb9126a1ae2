"""What the two processes tell each other: a task, a reading, and the limits that both keep.

Messages are JSON with their length before them. Nothing here imports a reader of files.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import BinaryIO

import msgspec

_LENGTH = struct.Struct(">I")


class Limits(msgspec.Struct, frozen=True):
    """How much one file may take. Past ``seconds`` reading stops with what it has; past twice that it is ended."""

    seconds: float = 60.0
    memory_bytes: int = 1024 * 1024 * 1024
    pages: int = 500
    input_bytes: int = 100_000_000
    unpacked_bytes: int = 200_000_000
    members: int = 200
    depth: int = 2
    chars: int = 1_000_000


class Outcome(StrEnum):
    TEXT = "text"
    EMPTY = "empty"  # nothing to read, as in a scan
    UNSUPPORTED = "unsupported"
    LIMIT = "limit"
    FAILED = "failed"


class Task(msgspec.Struct, frozen=True):
    path: str
    content_type: str


class Reading(msgspec.Struct, frozen=True):
    """What came of one file; ``reason`` says why there is no text, or what of it is missing."""

    outcome: Outcome
    extractor: str
    reason: str | None = None
    text: str | None = None
    pages: int | None = None
    truncated: bool = False
    last: bool = False  # the process ends after this answer


def frame(message: msgspec.Struct) -> bytes:
    body = msgspec.json.encode(message)
    return _LENGTH.pack(len(body)) + body


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message; None when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    body = stream.read(*_LENGTH.unpack(head))
    return body if len(body) == _LENGTH.unpack(head)[0] else None


def body_length(head: bytes) -> int:
    return int(_LENGTH.unpack(head)[0])


HEAD_BYTES = _LENGTH.size
