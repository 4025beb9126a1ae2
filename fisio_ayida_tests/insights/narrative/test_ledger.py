"""The budget holds whoever reserves at once, and spending is the sum of the calls, however they end."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.model import Commission, NotWritten
from fisio_ayida.insights.narrative.ledger import Ending, Ledger, Reservation, Usage
from fisio_ayida_tests.insights.narrative.conftest import DAY, Books

PRICES = '[{"model": "m", "from": "2026-01-01", "input": 1, "cached": 0.5, "output": 10}]'
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reserve(
    ledger: Ledger, commission: Commission, prompt: int = 300, completion: int = 100
) -> Reservation | NotWritten:
    return ledger.reserve(commission, model="m", purpose="first", attempt=1, prompt=prompt, completion=completion)


def reserved(ledger: Ledger, commission: Commission, prompt: int = 300, completion: int = 100) -> Reservation:
    found = reserve(ledger, commission, prompt, completion)
    assert isinstance(found, Reservation)
    return found


def refusal(found: Reservation | NotWritten) -> NotWritten:
    assert isinstance(found, NotWritten)
    return found


def test_a_call_is_in_the_ledger_before_it_is_made(books: Books) -> None:
    reserved(books.ledger(PRICES), books.commission())
    row = books.calls("state, model, purpose, attempt, reserved_tokens, reserved_cost, prompt_version, run_id")[0]
    assert row == ("open", "m", "first", 1, 400, Decimal("0.0013"), "p1", "run")
    assert books.spending() == (400, Decimal("0.0013"), 1, 0)


def test_what_an_answer_used_takes_the_place_of_what_was_reserved(books: Books) -> None:
    ledger = books.ledger(PRICES)
    latency = dt.timedelta(milliseconds=1234)
    ledger.settle(
        reserved(ledger, books.commission()), "answered", "ok", usage=Usage(200, 100, 50), latency=latency
    )
    columns = "state, outcome, prompt_tokens, cached_tokens, completion_tokens, cost, latency_ms"
    assert books.calls(columns) == [("answered", "ok", 200, 100, 50, Decimal("0.00065"), 1234)]
    assert books.spending() == (250, Decimal("0.00065"), 1, 0)


def test_an_answer_that_used_more_than_was_reserved_counts_as_it_is(books: Books) -> None:
    ledger = books.ledger()
    ledger.settle(reserved(ledger, books.commission()), "answered", "ok", usage=Usage(5000, 0, 100))
    assert books.spending()[0] == 5100


def test_a_server_that_does_not_count_is_taken_to_have_used_what_was_reserved(books: Books) -> None:
    ledger = books.ledger(PRICES)
    ledger.settle(reserved(ledger, books.commission()), "answered", "ok")
    assert books.spending() == (400, Decimal("0.0013"), 1, 0)


def test_a_call_for_nothing_gives_back_what_it_reserved(books: Books) -> None:
    ledger = books.ledger(PRICES)
    ledger.settle(reserved(ledger, books.commission()), "failed", "server_error")
    assert books.spending() == (0, Decimal(0), 1, 0)


def test_a_call_that_nobody_knows_of_keeps_what_it_reserved(books: Books) -> None:
    ledger = books.ledger(PRICES)
    ledger.settle(reserved(ledger, books.commission()), "lost", "unreachable")
    assert books.spending() == (400, Decimal("0.0013"), 1, 0)


def test_what_no_day_has_room_for_keeps_nobody_else_from_being_asked_for(books: Books) -> None:
    ledger = books.ledger()
    own = refusal(reserve(ledger, books.commission(tokens=300)))
    reserved(ledger, books.commission())
    others = refusal(reserve(ledger, books.commission(tokens=500)))
    assert [each.concerns for each in (own, others)] == ["patient", "clinic"]


@pytest.mark.parametrize(
    ("tokens", "cost", "prices", "reason"),
    [
        (499, None, "", "over_budget"),
        (500, None, "", None),
        (500, "0.0022", PRICES, "over_budget"),
        (500, "0.0023", PRICES, None),
        (500, "5", "", "no_price"),
    ],
)
def test_that_a_day_is_spent_is_known_without_a_reservation(
    books: Books, tokens: int, cost: str | None, prices: str, reason: str | None
) -> None:
    ledger = books.ledger(prices)
    if prices or cost is None:
        reserved(ledger, books.commission())
    found = ledger.refuses(books.commission(tokens=tokens, cost=cost), model="m", completion=100)
    assert (found.reason if found else None) == reason
    assert books.spending()[3] == (reason == "over_budget"), "it is counted as not asked for"
    assert len(books.calls()) == books.spending()[2]


@pytest.mark.parametrize("ending", ["answered", "failed", "lost"])
def test_settled_twice_is_settled_once(books: Books, ending: Ending) -> None:
    ledger = books.ledger(PRICES)
    reservation = reserved(ledger, books.commission())
    usage = Usage(10, 0, 5) if ending == "answered" else None
    ledger.settle(reservation, ending, "first", usage=usage)
    before = books.spending()
    ledger.settle(reservation, ending, "first", usage=usage)
    assert books.spending() == before


def test_a_call_that_has_told_is_not_changed_by_a_later_word(books: Books) -> None:
    ledger = books.ledger()
    reservation = reserved(ledger, books.commission())
    ledger.settle(reservation, "answered", "ok", usage=Usage(10, 0, 5))
    ledger.settle(reservation, "failed", "server_error")
    assert books.calls() == [("answered", "ok")]
    assert books.spending()[0] == 15


def test_what_the_budget_does_not_hold_is_refused_and_counted(books: Books) -> None:
    ledger, commission = books.ledger(), books.commission(tokens=799)
    reserved(ledger, commission)
    refusal = reserve(ledger, commission)
    assert isinstance(refusal, NotWritten)
    assert (refusal.reason, refusal.is_transient) == ("over_budget", True)
    assert "400 of 799 tokens" in refusal.detail
    assert books.spending() == (400, Decimal(0), 1, 1)
    assert len(books.calls()) == 1


def test_a_first_call_that_alone_exceeds_the_budget_is_refused(books: Books) -> None:
    refusal = reserve(books.ledger(), books.commission(tokens=399))
    assert isinstance(refusal, NotWritten)
    assert books.spending() == (0, Decimal(0), 0, 1)


def test_a_budget_in_money_holds_beside_the_one_in_tokens(books: Books) -> None:
    ledger, commission = books.ledger(PRICES), books.commission(cost="0.0025")
    reserved(ledger, commission)
    refusal = reserve(ledger, commission)
    assert isinstance(refusal, NotWritten)
    assert refusal.reason == "over_budget"
    assert "0.001300 of 0.0025" in refusal.detail


def test_a_budget_in_money_needs_a_price(books: Books) -> None:
    refusal = reserve(books.ledger(), books.commission(cost="10"))
    assert isinstance(refusal, NotWritten)
    assert (refusal.reason, refusal.is_transient) == ("no_price", False)
    assert books.calls() == []


def test_each_day_has_a_budget_of_its_own(books: Books) -> None:
    ledger, tomorrow = books.ledger(), DAY + dt.timedelta(days=1)
    reserved(ledger, books.commission(tokens=400))
    reserved(ledger, books.commission(tokens=400, day=tomorrow))
    assert books.spending()[0] == books.spending(tomorrow)[0] == 400


def test_an_answer_of_after_midnight_corrects_the_day_of_its_call(books: Books) -> None:
    ledger = books.ledger()
    reservation = reserved(ledger, books.commission())
    books.moment += dt.timedelta(days=1)
    ledger.settle(reservation, "answered", "ok", usage=Usage(1, 0, 1))
    assert books.spending()[0] == 2


def test_open_calls_of_processes_that_died_are_lost_and_keep_what_they_reserved(books: Books) -> None:
    ledger = books.ledger()
    reserved(ledger, books.commission())
    books.moment += dt.timedelta(minutes=10)
    reserved(ledger, books.commission())
    ledger.lose_open(dt.timedelta(minutes=10))
    assert books.calls() == [("open", ""), ("open", "")]
    books.moment += dt.timedelta(seconds=1)
    assert ledger.lose_open(dt.timedelta(minutes=10)) >= 1
    assert ledger.lose_open(dt.timedelta(minutes=10)) == 0
    assert books.calls() == [("lost", "lost"), ("open", "")]
    assert books.spending()[0] == 800


def test_a_call_that_was_given_up_as_lost_may_still_tell(books: Books) -> None:
    ledger = books.ledger()
    reservation = reserved(ledger, books.commission())
    books.moment += dt.timedelta(hours=1)
    ledger.lose_open(dt.timedelta(minutes=10))
    ledger.settle(reservation, "answered", "ok", usage=Usage(10, 0, 5))
    assert books.calls() == [("answered", "ok")]
    assert books.spending()[0] == 15


def test_what_reading_an_answer_finds_is_put_down(books: Books) -> None:
    ledger = books.ledger()
    reservation = reserved(ledger, books.commission())
    ledger.settle(reservation, "answered", "ok", usage=Usage(1, 0, 1))
    ledger.judge(reservation.id, "bad_number")
    assert books.calls() == [("answered", "bad_number")]


@FEW
@given(
    sizes=st.lists(st.integers(1, 900), min_size=2, max_size=24),
    limit=st.integers(0, 4000),
    ends=st.lists(st.sampled_from(["answered", "failed", "lost", "none"]), min_size=1, max_size=5),
)
def test_no_number_of_processes_together_exceeds_a_budget(
    new_books: Callable[[], Books], sizes: list[int], limit: int, ends: list[str]
) -> None:
    books = new_books()
    commission = books.commission(tokens=limit)
    together = threading.Barrier(4)
    most: list[int] = []

    def work(place: int) -> None:
        ledger = books.ledger()
        together.wait(30)
        for number, size in enumerate(sizes[place::4]):
            found = reserve(ledger, commission, size, 0)
            if isinstance(found, Reservation):
                most.append(books.spending()[0])
                end = ends[number % len(ends)]
                if end != "none":
                    ledger.settle(found, end, "x", usage=Usage(size // 2, 0, 0) if end == "answered" else None)  # type: ignore[arg-type]
        ledger.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert max(most, default=0) <= limit
    tokens, cost, calls, refused = books.spending()
    assert (tokens, cost, calls) == books.sums()
    assert calls + refused == len(sizes)
