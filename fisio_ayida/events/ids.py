"""Event ids: those made from the seed of a request, and new ones.

A seed makes the ids of a request that is sent again the same, so that a sender's retry never doubles an event.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass

from ulid import ULID

ENTROPY_BYTES = 10
# A ULID holds 48 bits of milliseconds.
_LAST_MILLIS = 2**48 - 1


class BadSeed(ValueError):
    """The header is not a seed; the message says what it must look like."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The sender's clock at the time of sending, and its chance."""

    millis: int
    entropy: bytes

    @classmethod
    def parse(cls, header: str) -> Seed:
        """Read ``millis,base64 of 10 bytes``; raises :class:`BadSeed`."""
        millis, comma, encoded = header.strip().partition(",")
        try:
            entropy = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            entropy = b""
        plain = millis.isascii() and millis.isdecimal() and len(millis) <= 15
        if not comma or not plain or len(entropy) != ENTROPY_BYTES or int(millis) > _LAST_MILLIS:
            raise BadSeed("x-inngest-event-id-seed must be milliseconds, a comma and 10 bytes as base64")
        return cls(int(millis), entropy)

    def id(self, index: int) -> str:
        """The id of the event at this place of the request."""
        number = (int.from_bytes(self.entropy, "big") + index) % 2 ** (8 * ENTROPY_BYTES)
        return str(ULID(self.millis.to_bytes(6, "big") + number.to_bytes(ENTROPY_BYTES, "big")))


def new_id(now: dt.datetime, entropy: bytes) -> str:
    """An id for an event whose sender gave neither id nor seed."""
    return Seed(int(now.timestamp() * 1000), entropy).id(0)
