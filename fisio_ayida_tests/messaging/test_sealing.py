"""Bodies open only with their key and for their message; hashes hold for one database and one key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from fisio_ayida.messaging import preferences
from fisio_ayida.messaging.sealing import Hasher, Sealer, SealError, new_key
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida_tests.conftest import cloned

OLD, NEW = new_key(), new_key()


def sealer(*keys: str) -> Sealer:
    made = Sealer.of(SecretStr(",".join(keys)))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def database(warehouse_server: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
    with cloned(warehouse_server) as warehouse, warehouse.connect() as conn:
        yield conn


@pytest.fixture
def conn(database: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """One database for all these tests: each one's rows are rolled back."""
    yield database
    database.rollback()


def forbid(conn: psycopg.Connection[Any], hasher: Hasher) -> None:
    """An address is hashed, and must be found again."""
    preferences.record(
        conn, organization_id="", channel="email", category="all", allowed=False, source="test", evidence="test",
        at=dt.datetime(2026, 3, 12, tzinfo=dt.UTC), address_hash=hasher.address("email", "a@x.com"),
    )  # fmt: skip


@given(st.binary(max_size=300), st.text(max_size=40).filter(lambda key: key.isprintable()))
def test_what_is_sealed_opens_again_and_shows_nothing(plain: bytes, key: str) -> None:
    sealed = sealer(NEW).seal(plain, key)
    assert sealer(NEW).open(sealed, key) == plain
    assert len(plain) < 4 or plain not in sealed


def test_the_same_body_is_never_sealed_the_same() -> None:
    assert sealer(NEW).seal(b"body", "key") != sealer(NEW).seal(b"body", "key")


def test_a_body_does_not_open_for_another_message() -> None:
    sealed = sealer(NEW).seal(b"body", "one")
    with pytest.raises(SealError, match="'other'"):
        sealer(NEW).open(sealed, "other")


@pytest.mark.parametrize("place", [0, 5, 20, -1])
def test_a_changed_body_does_not_open(place: int) -> None:
    sealed = bytearray(sealer(NEW).seal(b"a body", "key"))
    sealed[place] ^= 1
    with pytest.raises(SealError):
        sealer(NEW).open(bytes(sealed), "key")


@pytest.mark.parametrize("length", [0, 3, 16, 20])
def test_a_cut_body_does_not_open(length: int) -> None:
    with pytest.raises(SealError):
        sealer(NEW).open(sealer(NEW).seal(b"a body", "key")[:length], "key")


def test_after_a_rotation_old_bodies_open_and_new_ones_use_the_new_key() -> None:
    old_body = sealer(OLD).seal(b"body", "key")
    both = sealer(NEW, OLD)
    assert both.open(old_body, "key") == b"body"
    assert sealer(NEW).open(both.seal(b"body", "key"), "key") == b"body"


def test_without_its_key_a_body_says_what_is_missing() -> None:
    with pytest.raises(SealError, match="MESSAGING_KEY lacks the key"):
        sealer(NEW).open(sealer(OLD).seal(b"body", "key"), "key")


@pytest.mark.parametrize(
    "bad",
    ["", "short", "!" * 44, new_key()[:-4], f"{new_key()}{new_key()}"],
    ids=["empty", "short", "no base64", "cut", "two in one"],
)
def test_a_malformed_key_is_named_by_its_place_and_not_shown(bad: str) -> None:
    with pytest.raises(SealError, match="key number 2 is not 32 bytes") as refused:
        sealer(NEW, bad)
    assert not bad or bad not in str(refused.value)


def test_without_messaging_key_there_is_no_sealer() -> None:
    assert Sealer.of(None) is None


def test_keys_may_stand_apart() -> None:
    assert sealer(f" {NEW} ", f" {OLD}\n").open(sealer(OLD).seal(b"body", "key"), "key") == b"body"


def test_a_sealer_and_a_hasher_do_not_show_their_keys(conn: psycopg.Connection[Any]) -> None:
    assert NEW not in repr(sealer(NEW))
    assert "words" not in repr(Hasher.open(conn, SecretStr("words")))


def test_a_hash_is_the_same_each_time_the_database_is_opened(conn: psycopg.Connection[Any]) -> None:
    first, second = Hasher.open(conn, SecretStr("words")), Hasher.open(conn, SecretStr("words"))
    assert first.address("email", "a@x.com") == second.address("email", "a@x.com")
    assert len(first.address("email", "a@x.com")) == 32


@pytest.mark.parametrize(("first", "second"), [("words", "others"), ("words", None), (None, "words")])
def test_another_hash_key_is_refused(conn: psycopg.Connection[Any], first: str | None, second: str | None) -> None:
    forbid(conn, Hasher.open(conn, first and SecretStr(first)))
    with pytest.raises(SealError, match="MESSAGING_HASH_KEY is another one") as refused:
        Hasher.open(conn, second and SecretStr(second))
    assert "words" not in str(refused.value)
    assert ("unset it" if first is None else "Set the old one again") in str(refused.value)


def test_the_hash_key_may_be_set_as_long_as_no_address_is_hashed(conn: psycopg.Connection[Any]) -> None:
    Hasher.open(conn, None)
    key = SecretStr("words")
    forbid(conn, Hasher.open(conn, key))
    assert Hasher.open(conn, key).address("email", "a@x.com")
    with pytest.raises(SealError):
        Hasher.open(conn, None)


def test_a_lost_salt_is_told(conn: psycopg.Connection[Any]) -> None:
    conn.execute("delete from messaging.hashing")
    with pytest.raises(SealError, match="lost its row"):
        Hasher.open(conn, None)


def test_two_databases_hash_differently(conn: psycopg.Connection[Any]) -> None:
    here = Hasher.open(conn, None).address("email", "a@x.com")
    conn.execute("update messaging.hashing set salt = '\\x00', fingerprint = null")
    assert Hasher.open(conn, None).address("email", "a@x.com") != here


def test_channels_hash_differently(conn: psycopg.Connection[Any]) -> None:
    hasher = Hasher.open(conn, None)
    assert hasher.address("email", "same") != hasher.address("push", "same")


def test_a_link_is_ours_only_with_its_purpose_and_text(conn: psycopg.Connection[Any]) -> None:
    hasher = Hasher.open(conn, None)
    signature = hasher.signature("unsubscribe", "7")
    assert len(signature) == 43
    assert hasher.is_signed("unsubscribe", "7", signature)
    assert not hasher.is_signed("unsubscribe", "8", signature)
    assert not hasher.is_signed("confirm", "7", signature)
    assert not hasher.is_signed("unsubscribe", "7", "não")
