"""What a day's numbers count: generations by their day, calls by theirs, whose they are."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from fisio_ayida.insights.numbers import civil_day, collected, days_of, numbers
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING
from fisio_ayida_tests.insights import made
from fisio_ayida_tests.insights.lab import InsightsLab

DAY = MORNING.date()


def test_a_day_without_anything_is_nothing(lab: InsightsLab) -> None:
    found = numbers(lab.conn, DAY)
    assert (found.generations, found.calls, found.median, found.p95) == (0, 0, None, None)
    assert not found.organizations


def test_generations_are_counted_by_what_became_of_them(lab: InsightsLab) -> None:
    made.generation(lab.conn, "one", scrubbed=3)
    made.generation(lab.conn, "two", narrative="none", reason="no_model", scrubbed=2)
    made.generation(lab.conn, "three", narrative="waiting", reason="unreachable")
    made.generation(lab.conn, "other", day=DAY + dt.timedelta(days=1))
    found = numbers(lab.conn, DAY)
    assert (found.generations, found.narratives, found.scrubbed) == (3, 1, 5)
    assert (found.facts_only, found.waiting) == ({"no_model": 1}, {"unreachable": 1})


def test_calls_are_counted_by_what_was_wrong_with_them_on_the_day_they_were_made(lab: InsightsLab) -> None:
    midnight = dt.datetime.combine(DAY, dt.time(), MORNING.tzinfo)
    for latency, at in ((1000, midnight), (2000, MORNING), (9000, midnight + dt.timedelta(hours=23, minutes=59))):
        made.call(lab.conn, at=at, latency_ms=latency)
    made.call(lab.conn, outcome="bad_number", cost=None, latency_ms=4000)
    made.call(lab.conn, state="failed", outcome="unreachable", used=(0, 0), cost=0)
    made.call(lab.conn, state="lost", outcome="lost")
    made.call(lab.conn, at=midnight - dt.timedelta(seconds=1))
    found = numbers(lab.conn, DAY)
    assert (found.calls, found.tokens, found.cost, found.unpriced) == (6, 4000, Decimal(3), 1)
    assert (found.refusals, found.failed) == ({"bad_number": 1}, {"unreachable": 1, "lost": 1})
    assert (found.median, round(found.p95 or 0)) == (3000.0, 8250)


def test_organizations_are_listed_with_their_own(lab: InsightsLab) -> None:
    made.generation(lab.conn, "one")
    made.generation(lab.conn, "two", organization_id="org-2", narrative="waiting", reason="rate_limited")
    made.generation(lab.conn, "three", organization_id="org-2", narrative="none", reason="facts_only")
    made.call(lab.conn)
    found = [(o.organization_id, o.generations, o.waiting, o.calls) for o in numbers(lab.conn, DAY).organizations]
    assert found == [("org-2", 2, 1, 0), (CLINIC, 1, 0, 1)]


def test_a_day_is_sao_paulo_s_and_a_run_s_days_are_those_of_what_it_made(lab: InsightsLab) -> None:
    assert civil_day(dt.datetime(2026, 3, 13, 2, 59, tzinfo=dt.UTC)) == DAY
    made.generation(lab.conn)
    assert (days_of(lab.conn, "run-1"), days_of(lab.conn, "run-2")) == ({DAY}, set())


@pytest.mark.parametrize("table", ["generations", "calls"])
def test_what_a_run_made_is_looked_up_by_an_index(lab: InsightsLab, table: str) -> None:
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute("set local enable_seqscan = off")
        plan = str(lab.conn.execute(f"explain select from insights.{table} where run_id = 'run-1'").fetchall())
    assert f"{table}_run" in plan


def test_the_cursor_says_up_to_which_session_runs_collected(lab: InsightsLab) -> None:
    assert collected(lab.conn) is None
    made.put(lab.conn, "cursor", finalized_at=MORNING, session_id="session-1", run_id="run-1", moved_at=MORNING)
    assert collected(lab.conn) == "2026-03-12T12:00:00+00:00 session-1"
