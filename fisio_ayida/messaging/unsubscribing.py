"""Links in e-mails by which their reader stops more of them (RFC 8058), and what a click does.

A link says what it is about and is signed, so that it works as long as the key does, whatever was deleted since.
Not here: the page (``gateway/unsubscribe.py``) and the rules that heed what was said (``rules.py``).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Any, Final

import msgspec
import psycopg

from fisio_ayida.messaging import preferences
from fisio_ayida.messaging.model import Category
from fisio_ayida.messaging.sealing import Hasher

_PURPOSE: Final = "unsubscribe"
_SOURCE: Final = "one-click"
EVERYTHING: Final = "all"
# Twice the same click is one word; a click after a later yes is a new one.
_LAST = """
select allowed from messaging.preferences
where channel = 'email' and organization_id = %(organization_id)s and category = %(category)s
  and patient_id is not distinct from %(patient_id)s and address_hash is not distinct from %(address_hash)s
order by at desc, id desc limit 1
"""


class Link(msgspec.Struct, frozen=True, array_like=True):
    """Whose e-mails of which clinic and category are meant; ``key``: the message that the link was in."""

    key: str
    organization_id: str
    category: str
    patient_id: str | None = None
    address_hash: bytes | None = None


def link(
    base_url: str,
    hasher: Hasher,
    *,
    key: str,
    organization_id: str,
    category: Category,
    patient_id: str | None = None,
    address_hash: bytes | None = None,
) -> str:
    """The address that stops this category for this person; the same whenever it is made.

    Args:
        base_url: where the gateway is reached.
        patient_id, address_hash: whom it stops for; one of them.
    """
    told = Link(key, organization_id, EVERYTHING if category == "direct" else category, patient_id, address_hash)
    text = base64.urlsafe_b64encode(msgspec.msgpack.encode(told)).decode().rstrip("=")
    return f"{base_url.rstrip('/')}/unsubscribe/{text}.{hasher.signature(_PURPOSE, text)}"


def read(hasher: Hasher, token: str) -> Link | None:
    """What a link is about; None if it is not ours, or was changed on its way."""
    text, _, signature = token.partition(".")
    if not hasher.is_signed(_PURPOSE, text, signature):
        return None
    try:
        found = msgspec.msgpack.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Link)
    except (binascii.Error, msgspec.DecodeError):
        return None
    # A link that was rendered before its address was known stops nobody.
    return found if bool(found.patient_id) != bool(found.address_hash) else None


def stop(conn: psycopg.Connection[Any], found: Link, *, everything: bool, now: dt.datetime) -> bool:
    """Record that this person wants no more e-mails of the category, or none at all; False if that was known."""
    category = EVERYTHING if everything else found.category
    who = {"patient_id": found.patient_id or None, "address_hash": found.address_hash or None}
    with conn.transaction():
        last = conn.execute(
            _LAST, {"organization_id": found.organization_id, "category": category, **who}
        ).fetchone()
        if last is not None and not last[0]:
            return False
        preferences.record(
            conn, organization_id=found.organization_id, channel="email", category=category, allowed=False,
            source=_SOURCE, evidence=found.key, at=now, patient_id=found.patient_id or None,
            address_hash=found.address_hash or None,
        )  # fmt: skip
    return True
