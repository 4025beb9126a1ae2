"""The queue: wishes for one patient become one, due when the record is quiet, or at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.asking import ask, has_news
from fisio_ayida.insights.collecting import wish_for
from fisio_ayida.insights.finalized import Finalized
from fisio_ayida.insights.wishes import LONGEST, QUIET, Wish, put
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT
from fisio_ayida_tests.insights.conftest import emptied
from fisio_ayida_tests.insights.flow import MINUTE, current, finalized, generations, insights, queue
from fisio_ayida_tests.insights.lab import InsightsLab


def wish(lab: InsightsLab, *minutes: float) -> dict[str, Any]:
    """Sessions of so many minutes after now ask, one after another; gives the patient's row."""
    for each in minutes:
        at = lab.moment + each * MINUTE
        put(lab.conn, [Wish(CLINIC, PATIENT, at, at)], "session")
    return queue(lab)[0]


def due(row: dict[str, Any], lab: InsightsLab) -> float:
    return float((row["due_at"] - lab.moment) / MINUTE)


def news(lab: InsightsLab) -> bool:
    return has_news(lab.conn, lab.desk.clinic, now=lab.moment)


# --- the debounce


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [((0,), 5), ((0, 3), 8), ((3, 0), 8), ((0, 4, 8, 12), 17), ((0, 4, 8, 12, 16, 20, 24, 28), 30), ((0, 60), 30)],
)
def test_sessions_are_due_when_the_record_is_quiet_and_never_later_than_the_longest_wait(
    lab: InsightsLab, minutes: tuple[float, ...], expected: float
) -> None:
    row = wish(lab, *minutes)
    assert (due(row, lab), row["asks"]) == (expected, len(minutes))


def test_who_is_asked_for_by_name_is_due_at_once_whatever_sessions_follow(
    lab: InsightsLab,
) -> None:
    wish(lab, -2)
    assert ask(lab.conn, CLINIC, [PATIENT, PATIENT], cause="event", now=lab.moment) == 1
    assert due(queue(lab)[0], lab) == 0
    row = wish(lab, -1)
    assert (due(row, lab), row["cause"], row["asks"]) == (0, "event", 3)


def test_a_wish_brings_back_who_was_given_up(lab: InsightsLab) -> None:
    wish(lab, -60)
    lab.conn.execute("update insights.queue set dead_at = now(), tries = 5, losses = 4, error = 'why'")
    row = wish(lab, 0)
    assert (row["dead_at"], row["tries"], row["losses"], row["error"]) == (None, 0, 0, None)
    assert due(row, lab) == 5


def test_what_is_asked_while_the_patient_is_in_somebodys_hands_stands_alone(lab: InsightsLab) -> None:
    wish(lab, -20)
    lab.conn.execute(
        "update insights.queue set claim = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 hour'"
    )
    assert due(wish(lab, 0), lab) == 5
    lab.conn.execute("update insights.queue set lease_until = clock_timestamp() - interval '1 s'")
    wish(lab, -20)
    assert due(wish(lab, 4), lab) == 9


# --- news


def test_a_session_is_news_when_its_patients_record_is_quiet_until_it_was_handled(
    lab: InsightsLab,
) -> None:
    lab.patient()
    assert not news(lab)
    finalized(lab, ago=QUIET - MINUTE)
    assert not news(lab)
    lab.moment += 2 * MINUTE
    assert news(lab)
    assert queue(lab) == [], "looking collects nothing"
    insights(lab)
    assert not news(lab)


def test_a_second_session_puts_news_off_whether_the_first_was_collected_or_not(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab, "session-1", ago=4 * MINUTE)
    insights(lab)
    assert [row["due_at"] for row in queue(lab)] == [lab.moment + MINUTE]
    finalized(lab, "session-2", ago=0 * MINUTE)
    finalized(lab, "session-3", ago=-4 * MINUTE)
    lab.moment += 4 * MINUTE
    insights(lab)
    assert not news(lab)
    lab.moment += 4 * MINUTE
    assert not news(lab)
    lab.moment += MINUTE
    assert news(lab)


def test_looking_waits_for_nobody_who_collects(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    with lab.warehouse.connect() as other:
        wish_for(other, [Finalized("session-1", CLINIC, PATIENT, lab.moment - 10 * MINUTE)])
        lab.conn.execute("set lock_timeout = '1s'")
        assert news(lab), "what is not committed was not seen"
        lab.conn.execute("reset lock_timeout")


def test_a_clinic_that_cannot_be_worked_for_is_no_news(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    lab.conn.execute("update messaging.policies set zone = 'BRT3'")
    assert not news(lab)


def test_whose_turn_comes_later_is_no_news_nor_who_is_in_hand_until_the_lease_ends(
    lab: InsightsLab,
) -> None:
    ask(lab.conn, CLINIC, [PATIENT], cause="event", now=lab.moment + MINUTE)
    assert not news(lab)
    lab.moment += MINUTE
    assert news(lab)
    lab.conn.execute(
        "update insights.queue set claim = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 hour'"
    )
    assert not news(lab)
    lab.conn.execute("update insights.queue set lease_until = clock_timestamp() - interval '1 s'")
    assert news(lab)


def test_nothing_is_news_of_an_inactive_clinic(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    lab.change("organizations", CLINIC, is_active=False)
    assert not news(lab)


# --- both together

_STEP = dt.timedelta(minutes=3)
_FINALIZED = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 60)), min_size=1, max_size=7)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=_FINALIZED)
def test_whenever_sessions_are_finalized_each_ends_in_an_insight_and_none_before_the_record_is_quiet(
    lab: InsightsLab, times: list[tuple[str, int]]
) -> None:
    emptied(lab.conn)
    lab.clinic()
    lab.patient("a")
    lab.patient("b")
    lab.moment = MORNING
    insights(lab)
    made: dict[str, dt.datetime] = {}
    waiting = sorted(enumerate(times), key=lambda each: each[1][1])
    while lab.moment <= MORNING + dt.timedelta(minutes=60) + LONGEST + _STEP:
        while waiting and MORNING + waiting[0][1][1] * MINUTE <= lab.moment:
            number, (patient, minute) = waiting.pop(0)
            lab.session(f"s{number}", lab.moment.date(), patient=patient, finalized_at=MORNING + minute * MINUTE)
        if news(lab):
            before = len(made)
            outcome = insights(lab)
            made |= {row["key"]: lab.moment for row in generations(lab) if row["key"] not in made}
            assert len(made) > before or outcome.facts["collected"], "a run for nothing"
        lab.moment += _STEP

    sessions = lab.rows("select id, patient_id, finalized_at from clinic.sessions order by finalized_at")
    found = {row["key"]: row for row in generations(lab)}
    for patient, key in current(lab).items():
        own = [row for row in sessions if row["patient_id"] == patient]
        assert (found[key]["session_id"], found[key]["sessions"]) == (own[-1]["id"], len(own))
    served = dict.fromkeys(("a", "b"), MORNING)
    for key, moment in made.items():
        patient, newest = found[key]["patient_id"], found[key]["finalized_at"]
        waited = [row["finalized_at"] for row in sessions if row["patient_id"] == patient]
        first = min((each for each in waited if each > served[patient]), default=newest)
        due = min(newest + QUIET, first + LONGEST)
        assert due <= moment <= due + _STEP
        served[patient] = newest
    assert queue(lab) == []
