"""Ids of events: the same for a request that is sent again, different for everything else."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from fisio_ayida.events.ids import BadSeed, Seed, new_id

NOW = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
seeds = st.builds(Seed, st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))


def header(seed: Seed) -> str:
    return f"{seed.millis},{base64.b64encode(seed.entropy).decode()}"


@given(seeds)
def test_a_header_is_read_as_it_was_written(seed: Seed) -> None:
    assert Seed.parse(header(seed)) == seed
    assert Seed.parse(f"  {header(seed)} ") == seed


@given(seeds, st.integers(1, 500))
def test_the_ids_of_a_request_are_distinct_and_the_same_each_time(seed: Seed, events: int) -> None:
    ids = [seed.id(index) for index in range(events)]
    assert len(set(ids)) == events
    assert ids == [Seed.parse(header(seed)).id(index) for index in range(events)]
    assert {len(id_) for id_ in ids} == {26}


@given(seeds)
def test_an_id_carries_the_sender_s_time(seed: Seed) -> None:
    assert int.from_bytes(bytes(ULID.from_str(seed.id(7)))[:6], "big") == seed.millis


@given(seeds, seeds)
def test_two_seeds_give_different_ids(one: Seed, other: Seed) -> None:
    assert (one.id(0) == other.id(0)) == (one == other)


@pytest.mark.parametrize(
    "text",
    ["", ",", "1791190800000", "1791190800000,", "1791190800000,AAAA", "1791190800000,AAAAAAAAAAAAAAAAAAAA",
     "1791190800000,not base64!!!!==", ",AAAAAAAAAAAAAA==", "-1,AAAAAAAAAAAAAA==", "1.5,AAAAAAAAAAAAAA==",
     "١٢٣,AAAAAAAAAAAAAA==", "²,AAAAAAAAAAAAAA==", "281474976710656,AAAAAAAAAAAAAA==",
     "9" * 5000 + ",AAAAAAAAAAAAAA==",
     "1791190800000,ÄAAAAAAAAAAAAA=="],
)  # fmt: skip
def test_what_is_no_seed_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadSeed, match="milliseconds, a comma and 10 bytes as base64"):
        Seed.parse(text)


def test_an_event_of_its_own_gets_an_id_of_its_moment() -> None:
    one, other = new_id(NOW, b"0123456789"), new_id(NOW, b"9876543210")
    assert one != other
    assert ULID.from_str(one).datetime == NOW
    assert one < new_id(NOW + dt.timedelta(milliseconds=1), b"\0" * 10)
