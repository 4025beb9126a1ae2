"""Telling the clinic's database of devices that take no push messages any more.

Here: finding a message's token again, of which only the hash is kept, and giving it up. Not here: who says that a
device is gone (the answer in ``outcomes.py``, the receipt in ``receipts.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import psycopg

from fisio_ayida.messaging.sealing import Hasher
from fisio_ayida.warehouse.clinic import ClinicDoor
from fisio_ayida.warehouse.engine import WarehouseError

Connection = psycopg.Connection[Any]

#: Why nothing goes to a token any more.
GONE: Final = "device_not_registered"

_OWNER = "select organization_id, patient_id, user_id from messaging.messages where id = %s"
# A token is its owner's: the patient's, or whom the app named.
_TOKENS = """
select token from clinic.push_tokens
where active and user_id in (%(user)s, (select user_id from clinic.patients where id = %(patient)s))
"""
_DISABLE = "select clinic.disable_push_token(%s)"
# What the clinic's own function or view may refuse; the suppression of the address holds all the same.
_REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError, psycopg.InternalError, psycopg.ProgrammingError)
# Nor may an answer or a report wait for a database that is not where it is written down.
_AWAY: Final = (psycopg.OperationalError, WarehouseError)


def give_up(conn: Connection, token: str, organization: str, clinic: ClinicDoor) -> bool:
    """Disable a token; False if the clinic's database refuses, or is another one and does not answer."""

    def disable(there: Connection) -> bool:
        there.execute(_DISABLE, [token])
        return True

    return _tried(conn, organization, clinic, disable)


def give_up_of(conn: Connection, message_id: int, address_hash: bytes, hasher: Hasher, clinic: ClinicDoor) -> bool:
    """Disable the token to which a message went; False if its owner has it no longer, or as :func:`give_up`."""
    row = conn.execute(_OWNER, [message_id]).fetchone()
    if row is None:
        return False
    organization, patient, user = row

    def disable(there: Connection) -> bool:
        for (token,) in there.execute(_TOKENS, {"user": user, "patient": patient}).fetchall():
            if hasher.address("push", token) == address_hash:
                there.execute(_DISABLE, [token])
                return True
        return False

    return _tried(conn, organization, clinic, disable)


def _tried(conn: Connection, organization: str, clinic: ClinicDoor, work: Callable[[Connection], bool]) -> bool:
    def whole(there: Connection) -> bool:
        # What is refused must not spoil the transaction around it.
        with there.transaction():
            return work(there)

    try:
        return clinic.within(conn, organization, whole)
    except _REFUSED:
        return False
    except _AWAY:
        if clinic.is_beside:
            raise
        return False
