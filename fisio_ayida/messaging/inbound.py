"""What people write to us, kept: whom it is from as a hash, what it means, and the words sealed.

Here: the table of replies, and opening what was sealed. Not here: acting on it (``replies.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psycopg

from fisio_ayida.messaging import intents
from fisio_ayida.messaging.addresses import AddressError, canonical, mask
from fisio_ayida.messaging.model import Confidential, MessagingError
from fisio_ayida.messaging.reports.reading import Inbound
from fisio_ayida.messaging.sealing import Hasher, Sealer

#: The mask of a sender whose telephone the provider hides.
HIDDEN: Final = ""

_STORE = """
insert into messaging.replies (provider, account, provider_id, address_masked, address_hash, quoted_id, intent,
                               score, body, sent_at, received_at)
select *, %(now)s from unnest(
  %(provider)s::text[], %(account)s::text[], %(provider_id)s::text[], %(address_masked)s::text[],
  %(address_hash)s::bytea[], %(quoted_id)s::text[], %(intent)s::text[], %(score)s::smallint[], %(body)s::bytea[],
  %(sent_at)s::timestamptz[])
on conflict (provider, provider_id) do nothing
"""


class Words(Confidential, frozen=True):
    """What is sealed of a reply; ``sender`` with a plus, empty if it is hidden."""

    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What keeping replies needs.

    Args:
        sealer: None without MESSAGING_KEY: then the words are not kept.
        accounts: each provider's account of clinics that have none of their own; stored as no account.
    """

    hasher: Hasher
    sealer: Sealer | None
    accounts: Mapping[str, str]


def store(conn: psycopg.Connection[Any], inbound: Sequence[Inbound], desk: Desk, *, now: dt.datetime) -> None:
    """Write replies in the connection's transaction; those that are there already change nothing."""
    if not inbound:
        return
    # Always in the same order: two requests with the same replies must not wait for each other.
    rows = [_row(each, desk) for each in sorted(inbound, key=lambda each: each.provider_id)]
    conn.execute(_STORE, {**{name: [row[name] for row in rows] for name in rows[0]}, "now": now})


def words(sealer: Sealer | None, provider: str, provider_id: str, body: bytes | None) -> Words | None:
    """A reply's words and sender again; None if not kept, or unreadable by these keys and this release."""
    if sealer is None or body is None:
        return None
    try:
        return msgspec.json.decode(sealer.open(body, _place(provider, provider_id)), type=Words)
    except (MessagingError, msgspec.MsgspecError):
        return None


def _row(inbound: Inbound, desk: Desk) -> dict[str, Any]:
    address, masked, given = _address(inbound)
    intent = intents.read(inbound.text, inbound.button)
    account = "" if inbound.account == desk.accounts.get(inbound.provider) else inbound.account
    sealed = None
    if desk.sealer is not None:
        kept = msgspec.json.encode(Words(given, inbound.text.encode(errors="replace").decode()))
        sealed = desk.sealer.seal(kept, _place(inbound.provider, inbound.provider_id))
    return {
        "provider": inbound.provider, "account": account, "provider_id": inbound.provider_id,
        "address_masked": masked, "address_hash": desk.hasher.address("whatsapp", address),
        "quoted_id": inbound.quoted_id, "intent": intent.kind, "score": intent.score, "body": sealed,
        "sent_at": inbound.sent_at,
    }  # fmt: skip


def _address(inbound: Inbound) -> tuple[str, str, str]:
    """What is hashed, its mask, and what an answer could go to."""
    if not inbound.sender:
        return inbound.alias, HIDDEN, ""
    given = f"+{inbound.sender}"
    try:
        address = canonical("whatsapp", given)
    except AddressError:
        # A number that we would not write to may still say PARAR.
        return inbound.sender, mask("whatsapp", inbound.sender), ""
    return address, mask("whatsapp", address), given


def _place(provider: str, provider_id: str) -> str:
    return f"reply:{provider}:{provider_id}"
