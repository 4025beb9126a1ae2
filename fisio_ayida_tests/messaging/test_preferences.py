"""What people allowed and forbade is kept with its proof; a suppression is never shortened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fisio_ayida.messaging.model import MessagingError
from fisio_ayida.messaging.preferences import lift, record, suppress
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida_tests.conftest import cloned

NOW = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HASH = bytes(range(32))
WORD: dict[str, Any] = {
    "organization_id": "clinic", "channel": "whatsapp", "category": "all", "allowed": False,
    "source": "reply", "evidence": "reply 7", "at": NOW, "patient_id": "patient",
}  # fmt: skip
STOP: dict[str, Any] = {
    "channel": "email", "address_hash": HASH, "reason": "hard bounce", "evidence": "delivery 7", "at": NOW,
}  # fmt: skip


@pytest.fixture(scope="module")
def server_connection(warehouse_server: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
    with cloned(warehouse_server) as warehouse, warehouse.connect() as conn:
        yield conn


@pytest.fixture
def conn(server_connection: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """One database for all these tests: each one's rows are rolled back."""
    yield server_connection
    server_connection.rollback()


def expiry(conn: psycopg.Connection[Any]) -> tuple[str, dt.datetime | None]:
    row = conn.execute("select reason, expires_at from messaging.suppressions").fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_patients_word_is_kept_with_its_proof(conn: psycopg.Connection[Any]) -> None:
    made = record(conn, **WORD)
    row = conn.execute(
        "select organization_id, patient_id, address_hash, channel, category, allowed, source, evidence, at "
        "from messaging.preferences where id = %s",
        [made],
    ).fetchone()
    assert row == ("clinic", "patient", None, "whatsapp", "all", False, "reply", "reply 7", NOW)


def test_an_addresss_word_to_all_clinics_is_kept(conn: psycopg.Connection[Any]) -> None:
    record(conn, **{**WORD, "organization_id": "", "patient_id": None, "address_hash": HASH})
    row = conn.execute("select organization_id, patient_id, address_hash from messaging.preferences").fetchone()
    assert row == ("", None, HASH)


def test_a_later_word_overwrites_nothing(conn: psycopg.Connection[Any]) -> None:
    first = record(conn, **WORD)
    second = record(conn, **{**WORD, "allowed": True})
    assert second > first
    assert conn.execute("select allowed from messaging.preferences order by id").fetchall() == [(False,), (True,)]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"channel": "sms"}, "channel='sms' is not one of email, whatsapp, push"),
        ({"category": "direct"}, "category='direct' is not one of all, transactional"),
        ({"source": ""}, "source='' must not be empty"),
        ({"evidence": " "}, "evidence=' ' must not be empty"),
        ({"patient_id": ""}, "patient_id='' must not be empty"),
        ({"patient_id": None}, "expected exactly one"),
        ({"address_hash": HASH}, "expected exactly one"),
        ({"patient_id": None, "address_hash": b"ana@x.com"}, "address_hash has 9 bytes, expected 32"),
        ({"at": dt.datetime(2026, 7, 1)}, "at=2026-07-01T00:00:00 must have a time zone"),  # noqa: DTZ001
    ],
)
def test_a_bad_word_is_refused_by_field_and_value(
    conn: psycopg.Connection[Any], wrong: dict[str, Any], named: str
) -> None:
    with pytest.raises(MessagingError, match=named):
        record(conn, **{**WORD, **wrong})


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (None, None, "first"),
        (None, NOW + DAY, "first"),
        (NOW + DAY, None, "second"),
        (NOW + DAY, NOW + 2 * DAY, "second"),
        (NOW + 2 * DAY, NOW + DAY, "first"),
    ],
)
def test_the_longer_of_two_suppressions_holds(
    conn: psycopg.Connection[Any], first: dt.datetime | None, second: dt.datetime | None, kept: str
) -> None:
    suppress(conn, **{**STOP, "reason": "first", "expires_at": first})
    suppress(conn, **{**STOP, "reason": "second", "expires_at": second})
    assert expiry(conn) == (kept, first if kept == "first" else second)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"channel": "fax"}, "channel='fax'"),
        ({"address_hash": b""}, "address_hash has 0 bytes"),
        ({"reason": ""}, "reason=''"),
        ({"evidence": ""}, "evidence=''"),
        ({"expires_at": NOW}, "must be after at="),
        ({"expires_at": dt.datetime(2027, 1, 1)}, "must have a time zone"),  # noqa: DTZ001
    ],
)
def test_a_bad_suppression_is_refused_by_field_and_value(
    conn: psycopg.Connection[Any], wrong: dict[str, Any], named: str
) -> None:
    with pytest.raises(MessagingError, match=named):
        suppress(conn, **{**STOP, **wrong})


def test_a_suppression_is_lifted_once_and_on_its_own_channel(conn: psycopg.Connection[Any]) -> None:
    suppress(conn, **STOP)
    assert not lift(conn, channel="whatsapp", address_hash=HASH)
    assert lift(conn, channel="email", address_hash=HASH)
    assert not lift(conn, channel="email", address_hash=HASH)
