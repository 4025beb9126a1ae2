"""Telling the clinic's database of devices that take no push messages any more.

Here: finding a message's token again, of which only the hash is kept, and giving it up. Not here: who says that a
device is gone (the answer in ``outcomes.py``, the receipt in ``receipts.py``).
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from fisio_ayida.messaging.sealing import Hasher

#: Why nothing goes to a token any more.
GONE: Final = "device_not_registered"

# A token is its owner's: the patient's, or whom the app named.
_TOKENS = """
select p.token from messaging.messages m
left join clinic.patients c on c.id = m.patient_id
join clinic.push_tokens p on p.active and p.user_id in (m.user_id, c.user_id)
where m.id = %s
"""
# What the clinic's own function or view may refuse; the suppression of the address holds all the same.
_REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError, psycopg.InternalError, psycopg.ProgrammingError)


def give_up(conn: psycopg.Connection[Any], token: str) -> bool:
    """Disable a token; False if the clinic's database refuses."""
    try:
        with conn.transaction():
            conn.execute("select clinic.disable_push_token(%s)", [token])
    except _REFUSED:
        return False
    return True


def give_up_of(conn: psycopg.Connection[Any], message_id: int, address_hash: bytes, hasher: Hasher) -> bool:
    """Disable the token to which a message went; False if its owner has it no longer."""
    for (token,) in conn.execute(_TOKENS, [message_id]).fetchall():
        if hasher.address("push", token) == address_hash:
            return give_up(conn, token)
    return False
