"""Reactivation: who is invited back, on which Monday, and that a new booking stops it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from fisio_ayida.clinic.model import Rules
from fisio_ayida.clinic.reactivation import JOB, find, window
from fisio_ayida.messaging import causes
from fisio_ayida.messaging.claims import Claimant, verdict
from fisio_ayida_tests.clinic.lab import SAO_PAULO, ClinicLab

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
MONDAY = dt.datetime(2026, 3, 16, 10, tzinfo=SAO_PAULO)
TODAY = MONDAY.date()


@pytest.fixture
def ana(lab: ClinicLab) -> ClinicLab:
    """A clinic with a patient, on a Monday at ten."""
    lab.patient()
    lab.moment = MONDAY
    return lab


def done(lab: ClinicLab, days_ago: int, id: str = "visit-1", status: str = "atendido", **more: Any) -> dt.date:
    """A visit so many days ago; gives its day."""
    day = TODAY - days_ago * DAY
    lab.visit(f"{day}T14:00", id, status=status, **more)
    return day


def key(last: dt.date) -> str:
    return f"reactivation:patient-1:{last}:whatsapp"


# --- the days


@pytest.mark.parametrize("days_ago", [30, 31, 36])
def test_a_patient_who_came_last_a_month_ago_is_invited(ana: ClinicLab, days_ago: int) -> None:
    last = done(ana, days_ago)

    ana.run(JOB)

    assert ana.keys() == [key(last)]


@pytest.mark.parametrize("days_ago", [0, 29, 37, 44])
def test_a_patient_who_came_last_in_another_week_is_not(ana: ClinicLab, days_ago: int) -> None:
    done(ana, days_ago)

    ana.run(JOB)

    assert (ana.keys(), ana.reasons()) == ([], {})


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 400))
def test_every_last_visit_belongs_to_the_run_of_one_monday(last: dt.date, first_day: int) -> None:
    rules = Rules(reactivation_from=first_day, reactivation_to=first_day + 7)
    mondays = [each for n in range(430) if (each := last + n * DAY).weekday() == 0]

    caught = [day for day in mondays if window(day, rules)[0] <= last <= window(day, rules)[1]]

    assert len(caught) == 1


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 60))
@tuned(max_examples=50)
def test_a_window_of_a_week_begins_the_day_after_the_one_before_ends(monday: dt.date, shift: int) -> None:
    day = monday + shift * DAY

    assert window(day + WEEK, Rules())[0] == window(day, Rules())[1] + DAY


def test_nobody_is_invited_twice_for_the_same_last_visit(ana: ClinicLab) -> None:
    last = done(ana, 30)
    for _ in range(3):
        ana.run(JOB)
        ana.moment += WEEK

    assert ana.keys() == [key(last)]


def test_a_clinic_may_ask_earlier(ana: ClinicLab) -> None:
    ana.rules(reactivation_from=14, reactivation_to=21)
    last = done(ana, 20)

    ana.run(JOB)

    assert ana.keys() == [key(last)]


def test_the_day_is_the_clinics_own(lab: ClinicLab) -> None:
    lab.clinic("far", "America/Rio_Branco")
    lab.patient(organization="far")
    lab.visit(f"{TODAY - 30 * DAY}T14:00", organization="far", status="atendido")
    # Monday 22:30 there, when it is Tuesday in São Paulo: thirty days, not thirty-one.
    lab.moment = dt.datetime(2026, 3, 17, 0, 30, tzinfo=SAO_PAULO)
    lab.rules("far", reactivation_from=30, reactivation_to=31)

    lab.run(JOB)

    assert lab.keys() == [key(TODAY - 30 * DAY)]


def test_a_run_for_last_monday_sends_nothing(ana: ClinicLab) -> None:
    last = done(ana, 37)

    ana.run(JOB, MONDAY - WEEK)

    assert (ana.keys(), ana.reasons()) == ([], {key(last): "stale"})


# --- who


@pytest.mark.parametrize("status", ["faltou", "cancelado", "agendado", "remarcar", "banana"])
def test_only_a_visit_that_took_place_counts(ana: ClinicLab, status: str) -> None:
    done(ana, 30, status=status)

    ana.run(JOB)

    assert ana.keys() == []


def test_a_status_word_of_the_clinics_own_counts_as_it_is_classed(ana: ClinicLab) -> None:
    ana.add("appointment_statuses", organization_id="org-1", key="feito_em_casa", **{"class": "done"})
    last = done(ana, 30, status="feito_em_casa")

    ana.run(JOB)

    assert ana.keys() == [key(last)]


def test_the_last_of_several_visits_counts(ana: ClinicLab) -> None:
    done(ana, 36, "before")
    last = done(ana, 31, "last")

    ana.run(JOB)

    assert ana.keys() == [key(last)]


def test_who_came_since_is_not_invited(ana: ClinicLab) -> None:
    done(ana, 30, "before")
    done(ana, 3, "since")

    ana.run(JOB)

    assert (ana.keys(), ana.reasons()) == ([], {})


def test_a_visit_that_was_missed_since_changes_nothing(ana: ClinicLab) -> None:
    last = done(ana, 30)
    done(ana, 3, "missed", status="faltou")

    ana.run(JOB)

    assert ana.keys() == [key(last)]


@pytest.mark.parametrize("status", ["agendado", "presenca_confirmada"])
@pytest.mark.parametrize("start", ["2026-03-20T10:00", "2026-03-16T08:00", "2026-03-15T08:00"])
def test_who_has_booked_is_withheld(ana: ClinicLab, start: str, status: str) -> None:
    last = done(ana, 30)
    ana.visit(start, "booked", status=status)

    ana.run(JOB)

    assert (ana.keys(), ana.reasons()) == ([], {key(last): "booked"})


@pytest.mark.parametrize(
    ("start", "columns"),
    [("2026-03-14T10:00", {}), ("2026-03-20T10:00", {"status": "cancelado"}),
     ("2026-03-20T10:00", {"deleted_at": MONDAY})],
    ids=["was two days ago", "was cancelled", "was deleted"],
)  # fmt: skip
def test_a_booking_that_is_over_or_off_is_none(ana: ClinicLab, start: str, columns: dict[str, Any]) -> None:
    last = done(ana, 30)
    ana.visit(start, "booked", **columns)

    ana.run(JOB)

    assert ana.keys() == [key(last)]


def test_an_inactive_patient_is_withheld(ana: ClinicLab) -> None:
    ana.change("patients", "patient-1", is_active=False)
    last = done(ana, 30)

    ana.run(JOB)

    assert ana.reasons() == {key(last): "patient_inactive_or_deleted"}


def test_a_patient_of_another_clinic_than_the_visit_is_left_alone(ana: ClinicLab) -> None:
    ana.clinic("org-2")
    done(ana, 30, organization="org-2")

    ana.run(JOB)

    assert (ana.keys(), ana.reasons()) == ([], {})


def test_a_clinic_that_does_not_want_it_invites_nobody(ana: ClinicLab) -> None:
    ana.clinic("org-2")
    ana.patient("patient-2", "org-2")
    ana.rules("org-2", reactivates=False)
    last = done(ana, 30)
    done(ana, 30, "visit-2", patient="patient-2", organization="org-2")

    ana.run(JOB)

    assert ana.keys() == [key(last)]


def test_a_run_in_which_no_clinic_wants_it_does_nothing(ana: ClinicLab) -> None:
    ana.rules(reactivates=False)
    done(ana, 30)

    assert ana.run(JOB).failures == []
    assert ana.keys() == []


# --- the message


def test_an_invitation_is_marketing_of_which_the_cause_is_the_last_visit(ana: ClinicLab) -> None:
    last = done(ana, 30)

    ana.run(JOB)

    [message] = ana.messages()
    assert (message["category"], message["cause_kind"], message["cause_id"], message["cause_version"]) == (
        "marketing", "reactivation", "patient-1", last.isoformat(),
    )  # fmt: skip


def test_the_invitation_says_what_its_cause_says(ana: ClinicLab) -> None:
    ana.conn.execute("update messaging.policies set phone = '(11) 3333-0000'")
    done(ana, 30)
    cause = ("reactivation", "patient-1")

    [draft] = ana.find(find).drafts

    now = causes.read(ana.conn, {cause: "org-1"}, now=MONDAY, clinic=ana.desk.clinic)[cause]
    assert draft.variables == now.variables


def foreseen(lab: ClinicLab) -> str:
    """What sending the one message would make of it, and why."""
    [message] = lab.messages()
    who = Claimant("run-1", "file", dt.timedelta(minutes=5), lab.desk.outbox.letters, lab.desk.clinic)
    found = verdict(lab.conn, message["id"], who, now=lab.moment)
    assert found is not None
    return f"{found.state} {found.reason or ''}".strip()


def test_an_invitation_may_go(ana: ClinicLab) -> None:
    done(ana, 30)
    ana.run(JOB)

    assert foreseen(ana) == "claimed"


def test_who_booked_without_an_hour_is_withheld(ana: ClinicLab) -> None:
    last = done(ana, 30)
    ana.visit("2026-03-20T10:00", "booked")
    # As in FisioFlow, where nothing forbids it.
    ana.conn.execute("alter table clinic.appointments alter start_time drop not null")
    ana.change("appointments", "booked", start_time=None)
    try:
        ana.run(JOB)

        assert (ana.keys(), ana.reasons()) == ([], {key(last): "booked"})
    finally:
        ana.conn.execute("delete from clinic.appointments where start_time is null; "
                         "alter table clinic.appointments alter start_time set not null")  # fmt: skip


@pytest.mark.parametrize("start", ["2026-03-20T10:00", "2026-03-16T08:00", "2026-03-15T08:00"])
def test_who_books_before_it_goes_is_not_invited(ana: ClinicLab, start: str) -> None:
    done(ana, 30)
    ana.run(JOB)
    ana.visit(start, "booked")

    assert foreseen(ana) == "skipped stale: a visit is booked"


def test_who_comes_before_it_goes_is_not_invited(ana: ClinicLab) -> None:
    last = done(ana, 30)
    ana.run(JOB)
    done(ana, 0, "today")

    assert foreseen(ana) == f"skipped stale: planned for {last}, now {TODAY}"
