"""Each message has one key, and no two messages share one."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import CHANNELS, MessagingError

START = dt.datetime(2026, 7, 1, 9, 30)  # noqa: DTZ001  a civil time
DAY = dt.date(2026, 7, 1)

ids = st.uuids().map(str)
days = st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1))
starts = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1)).map(  # noqa: DTZ001
    lambda start: start.replace(second=0, microsecond=0)
)
channels = st.sampled_from(CHANNELS)
#: What makes a message: the function of its key, and what it is called with.
messages = st.one_of(
    st.tuples(st.just(keys.birthday), ids, st.integers(2020, 2040), channels),
    st.tuples(st.just(keys.expiring), st.sampled_from(("voucher", "package")), ids, days, channels),
    st.tuples(st.just(keys.reminder), ids, starts, st.sampled_from(("5h", "eve")), channels),
    st.tuples(st.just(keys.reminder_day), ids, days, st.sampled_from(("5h", "eve")), channels),
    st.tuples(st.just(keys.reminder_today), ids, starts, st.sampled_from(("5h", "eve")), channels),
    st.tuples(st.just(keys.confirmation), ids, starts, channels),
    st.tuples(st.just(keys.feedback), ids, channels),
    st.tuples(st.just(keys.reactivation), ids, days, channels),
    st.tuples(st.just(keys.answer), st.integers(1)),
    st.tuples(st.just(keys.alert), st.just("meta"), st.just("") | ids, st.just("") | ids, st.integers(1)),
)
request_ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300)
#: An item of a batch, or one recipient of it.
places = st.one_of(st.integers(0, 99).map(str), st.builds("{}.{}".format, st.integers(0, 99), st.integers(0, 9)))


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (keys.birthday("P1", 2026, "whatsapp"), "birthday:p1:2026:whatsapp"),
        (keys.expiring("voucher", "v1", DAY, "email"), "expiring:voucher:v1:2026-07-01:email"),
        (keys.reminder("a1", START, "5h", "whatsapp"), "reminder:a1:2026-07-01t09:30:5h:whatsapp"),
        (keys.reminder_day("p1", DAY, "eve", "email"), "reminder-day:p1:2026-07-01:eve:email"),
        (keys.reminder_today("p1", START, "5h", "email"), "reminder-today:p1:2026-07-01t09:30:5h:email"),
        (keys.confirmation("a1", START, "push"), "confirmation:a1:2026-07-01t09:30:push"),
        (keys.feedback("a1", "whatsapp"), "feedback:a1:whatsapp"),
        (keys.reactivation("p1", DAY, "whatsapp"), "reactivation:p1:2026-07-01:whatsapp"),
        (keys.request("email/send", "mine"), "email/send:mine"),
        (keys.request("email/send-batch", "mine", "3"), "email/send-batch:mine:3"),
        (keys.answer(7), "reply:7:whatsapp"),
        (keys.alert("resend", "", "", 2), "circuit:resend:-:-:2:email"),
    ],
)
def test_keys_are_those_of_the_contract(made: str, key: str) -> None:
    assert made == key


@given(messages, messages)
def test_two_messages_have_two_keys(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    first, second = one[0](*one[1:]), other[0](*other[1:])
    assert (first == second) == (one == other)


@given(messages)
def test_a_key_is_fit_to_be_a_providers(message: tuple) -> None:  # type: ignore[type-arg]
    key = message[0](*message[1:])
    assert key == key.lower()
    assert key.isascii()
    assert len(key) < 256


@given(request_ids, request_ids, st.none() | places)
def test_two_requests_have_two_keys(one: str, other: str, place: str | None) -> None:
    first, second = keys.request("whatsapp", one, place), keys.request("whatsapp", other, place)
    assert (first == second) == (one == other)
    assert first == first.lower()
    assert len(first) < 256


@given(request_ids, places, request_ids, places)
def test_two_items_of_batches_have_two_keys(one: str, place: str, other: str, second_place: str) -> None:
    first, second = keys.request("email", one, place), keys.request("email", other, second_place)
    assert (first == second) == ((one, place) == (other, second_place))


@pytest.mark.parametrize("id", ["order-7:0", "order-7:0.1"])
def test_a_request_is_not_taken_for_an_item_of_another(id: str) -> None:
    stem, _, place = id.rpartition(":")
    assert keys.request("email", id) != keys.request("email", stem, place)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()) | st.just("a\r\nb"))
def test_any_id_makes_a_key_that_a_header_can_carry(id: str) -> None:
    key = keys.request("email", id)
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key


def test_two_requests_have_two_keys_on_another_channel_too() -> None:
    one, other = (keys.on_other_channel(keys.request("notification", id), "email") for id in ("one", "other"))
    assert (one, other) == ("notification:one:email", "notification:other:email")


def test_a_moved_appointment_is_announced_again() -> None:
    assert keys.reminder("a1", START, "5h", "email") != keys.reminder("a1", START.replace(hour=10), "5h", "email")


@given(messages.filter(lambda message: message[-1] in CHANNELS), channels)
def test_another_channel_keeps_the_stem(message: tuple, channel: str) -> None:  # type: ignore[type-arg]
    assert keys.on_other_channel(message[0](*message[1:]), channel) == message[0](*message[1:-1], channel)


@pytest.mark.parametrize("id", ["", "x" * 250])
def test_a_part_that_is_empty_or_too_long_is_refused(id: str) -> None:
    with pytest.raises(MessagingError, match="no empty part and fewer than 256"):
        keys.feedback(id, "email")
