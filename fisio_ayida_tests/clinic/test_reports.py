"""Reports' numbers: what counts, on which civil day, for whom, and what is stored of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.clinic.reports import stored
from fisio_ayida.clinic.reports.frames import COUNTS, busiest, totals
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, SAO_PAULO, THERAPIST, ClinicLab

YESTERDAY = "2026-03-11"
MONDAY = dt.datetime(2026, 3, 16, 9, tzinfo=SAO_PAULO)
NIGHT = [dt.time(20, 59), dt.time(21), dt.time(22, 30), dt.time(23, 59, 59)]
#: One word of each class, in the order in which they are counted; two that nobody knows.
WORDS = ("atendido", "faltou", "cancelado", "remarcar", "blub")


def report(lab: ClinicLab, kind: str = "daily") -> dict[tuple[str, str, str], tuple[int, ...]]:
    """What is stored: :data:`COUNTS` by clinic, first day and professional."""
    found = {}
    for row in lab.rows("select * from jobs.reports where kind = %s", kind):
        key = row["organization_id"], row["first_day"].isoformat(), row["therapist_id"]
        found[key] = tuple(row[name] for name in COUNTS)
    return found


def whole(lab: ClinicLab, day: str = YESTERDAY, clinic: str = CLINIC, kind: str = "daily") -> tuple[int, ...]:
    """What is stored of one clinic's period."""
    return report(lab, kind)[clinic, day, ""]


def booked(lab: ClinicLab, *starts: str, **columns: Any) -> None:
    """Visits at these civil times."""
    for start in starts:
        lab.visit(start, f"visit-{len(lab.rows('select from clinic.appointments'))}", patient=None, **columns)


def test_each_class_is_counted_for_the_clinic_and_for_each_professional(lab: ClinicLab) -> None:
    lab.therapist("therapist-2")
    for word in WORDS:
        booked(lab, f"{YESTERDAY}T10:00", status=word)
    booked(lab, f"{YESTERDAY}T11:00", status="avaliacao", therapist_id="therapist-2")
    booked(lab, f"{YESTERDAY}T12:00", status="agendado", therapist_id=None)
    lab.patient(professional_id="therapist-2", created_at=MORNING - dt.timedelta(days=1))

    lab.run("daily_reports")

    assert report(lab) == {
        (CLINIC, YESTERDAY, ""): (7, 2, 1, 1, 1, 1, 1),
        (CLINIC, YESTERDAY, "-"): (1, 0, 0, 0, 0, 0, 0),
        (CLINIC, YESTERDAY, THERAPIST): (5, 1, 1, 1, 1, 1, 0),
        (CLINIC, YESTERDAY, "therapist-2"): (1, 1, 0, 0, 0, 0, 1),
    }


def test_the_visits_day_counts_and_not_the_day_it_was_typed_in(lab: ClinicLab) -> None:
    booked(lab, f"{YESTERDAY}T00:15", f"{YESTERDAY}T23:45", created_at=MORNING - dt.timedelta(days=90))
    booked(lab, "2026-03-10T23:45", "2026-03-12T00:15", created_at=MORNING - dt.timedelta(days=1))
    lab.run("daily_reports")
    assert whole(lab)[0] == 2


def test_what_is_deleted_does_not_count(lab: ClinicLab) -> None:
    booked(lab, f"{YESTERDAY}T10:00", deleted_at=MORNING)
    lab.patient(created_at=MORNING - dt.timedelta(days=1), deleted_at=MORNING)
    lab.run("daily_reports")
    assert whole(lab) == (0,) * 7


def test_a_clinic_without_staff_name_or_visits_has_a_row_of_zeros(lab: ClinicLab) -> None:
    lab.clinic("empty", name=None)
    booked(lab, f"{YESTERDAY}T10:00", organization="empty", therapist_id="nobody knows")
    lab.clinic("closed", name=None)
    lab.run("daily_reports")
    assert whole(lab, clinic="closed") == (0,) * 7
    assert report(lab)["empty", YESTERDAY, "nobody knows"][0] == 1


@pytest.mark.parametrize("zone", ["America/Rio_Branco", "America/Sao_Paulo", "America/Noronha"])
def test_a_patient_registered_late_at_night_is_one_of_that_civil_day(lab: ClinicLab, zone: str) -> None:
    lab.clinic("far", zone)
    for place, clock in enumerate(NIGHT):
        moment = dt.datetime.combine(dt.date(2026, 3, 11), clock, ZoneInfo(zone))
        lab.patient(f"late-{place}", "far", created_at=moment)
        lab.patient(f"before-{place}", "far", created_at=moment - dt.timedelta(days=1))
    midnight = dt.datetime(2026, 3, 12, tzinfo=ZoneInfo(zone))
    lab.patient("tomorrow", "far", created_at=midnight)
    lab.patient("last", "far", created_at=midnight - dt.timedelta(microseconds=1))

    lab.run("daily_reports")

    assert whole(lab, clinic="far")[-1] == len(NIGHT) + 1


def test_each_clinic_has_its_own_yesterday(lab: ClinicLab) -> None:
    lab.clinic("rio-branco", "America/Rio_Branco")
    booked(lab, "2026-03-11T10:00", organization=CLINIC)
    booked(lab, "2026-03-10T10:00", organization="rio-branco")
    lab.run("daily_reports", dt.datetime(2026, 3, 12, 1, tzinfo=SAO_PAULO))
    assert whole(lab)[0] == whole(lab, "2026-03-10", "rio-branco")[0] == 1


@pytest.mark.parametrize(
    ("today", "day"),
    [
        ("2026-03-01", "2026-02-28"), ("2024-03-01", "2024-02-29"), ("2027-01-01", "2026-12-31"),
        # Without midnight, and with an hour that came twice.
        ("2018-11-05", "2018-11-04"), ("2018-02-18", "2018-02-17"),
    ],
)  # fmt: skip
def test_days_at_the_edges_of_the_calendar(lab: ClinicLab, today: str, day: str) -> None:
    booked(lab, f"{day}T00:15", f"{day}T23:45", f"{today}T00:15")
    begins, ends = (
        dt.datetime.combine(dt.date.fromisoformat(each), dt.time(), SAO_PAULO) for each in (day, today)
    )
    # Instants, not civil times: those may not exist.
    first, after = begins.astimezone(dt.UTC), ends.astimezone(dt.UTC)
    for name, moment in (("before", first - dt.timedelta(seconds=1)), ("first", first), ("after", after),
                         ("last", after - dt.timedelta(seconds=1))):  # fmt: skip
        lab.patient(name, created_at=moment)

    lab.run("daily_reports", dt.datetime.combine(dt.date.fromisoformat(today), dt.time(8), SAO_PAULO))

    assert (whole(lab, day)[0], whole(lab, day)[-1]) == (2, 2)


@pytest.mark.parametrize(
    ("nominal", "monday"),
    [("2027-01-04", "2026-12-28"), ("2027-01-10", "2026-12-28"), ("2021-01-04", "2020-12-28"),
     ("2026-03-18", "2026-03-09"), ("2024-03-04", "2024-02-26")],
)  # fmt: skip
def test_a_week_is_the_iso_week_before(lab: ClinicLab, nominal: str, monday: str) -> None:
    first = dt.date.fromisoformat(monday)
    for place in range(-1, 8):
        booked(lab, f"{first + dt.timedelta(days=place)}T23:45", status="atendido")
    lab.run("weekly_summary", dt.datetime.combine(dt.date.fromisoformat(nominal), dt.time(9), SAO_PAULO))
    assert report(lab, "weekly").keys() == {(CLINIC, monday, ""), (CLINIC, monday, THERAPIST)}
    assert whole(lab, monday, kind="weekly")[:2] == (7, 7)


def test_words_that_nobody_knows_are_named_and_counted(lab: ClinicLab) -> None:
    lab.add("appointment_statuses", organization_id=CLINIC, key="veio", **{"class": "done"})
    lab.add("appointment_statuses", organization_id=CLINIC, key="sumiu", **{"class": None})
    for word in ("Blub", " blub ", "veio", "sumiu", "ligar para Ana Souza", ""):
        booked(lab, f"{YESTERDAY}T10:00", status=word)

    outcome = lab.run("daily_reports")

    named = {name: number for name, number in outcome.facts.items() if name.startswith("unknown status")}
    assert named == {"unknown status blub": 2, "unknown status (free text)": 2}
    assert whole(lab) == (6, 1, 0, 0, 0, 5, 0)


def test_a_late_run_counts_the_day_that_it_stands_for(lab: ClinicLab) -> None:
    booked(lab, f"{YESTERDAY}T10:00")
    lab.moment += dt.timedelta(days=3)
    lab.run("daily_reports", MORNING)
    assert report(lab).keys() == {(CLINIC, YESTERDAY, ""), (CLINIC, YESTERDAY, THERAPIST)}


def test_a_replay_writes_todays_numbers_and_nobody_who_vanished(lab: ClinicLab) -> None:
    booked(lab, f"{YESTERDAY}T10:00", f"{YESTERDAY}T11:00")
    lab.run("daily_reports")
    first = report(lab)
    lab.run("daily_reports", run_id="run-2")
    assert report(lab) == first
    lab.conn.execute("update clinic.appointments set therapist_id = 'other'")

    lab.run("daily_reports", run_id="run-3")

    assert report(lab).keys() == {(CLINIC, YESTERDAY, ""), (CLINIC, YESTERDAY, "other")}
    assert {row["run_id"] for row in lab.rows("select run_id from jobs.reports")} == {"run-3"}


def test_a_run_for_one_clinic_leaves_the_others_alone(lab: ClinicLab) -> None:
    lab.clinic("other")
    lab.run("daily_reports")
    lab.run("daily_reports", organization=CLINIC, run_id="run-2")
    runs = dict(lab.conn.execute("select organization_id, run_id from jobs.reports").fetchall())
    assert runs == {CLINIC: "run-2", "other": "run-1"}


def test_a_dry_run_stores_nothing(lab: ClinicLab) -> None:
    outcome = lab.run("daily_reports", is_dry=True)
    assert (report(lab), outcome.clinics) == ({}, 1)


def test_three_runs_at_once_store_one_report(lab: ClinicLab) -> None:
    booked(lab, f"{YESTERDAY}T10:00")
    outcomes = lab.run_at_once("daily_reports")
    assert [outcome.failures for outcome in outcomes] == [[], [], []]
    assert report(lab).keys() == {(CLINIC, YESTERDAY, ""), (CLINIC, YESTERDAY, THERAPIST)}


def test_a_clinic_whose_zone_is_none_stops_no_other(lab: ClinicLab) -> None:
    lab.clinic("broken", "XYZ3")
    outcome = lab.run("daily_reports")
    assert [id for id, _ in outcome.failures] == ["broken"]
    assert {id for id, _, _ in report(lab)} == {CLINIC}


def test_the_number_of_queries_does_not_depend_on_the_number_of_clinics(lab: ClinicLab) -> None:
    class Counting(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            asked[0] += 1
            return super().execute(*args, **kwargs)

    asked, found = [0], []
    # The contract is looked at once for both.
    lab.desk.clinic.is_checked = True
    lab.desk.conn.cursor_factory = Counting
    for first, last in ((2, 3), (3, 21)):
        for number in range(first, last):
            id = lab.clinic(f"org-{number}")
            lab.therapist(
                f"boss-{number}", id, roles=["admin"], wants_daily_report=True, wants_weekly_summary=True
            )
            booked(lab, f"{YESTERDAY}T10:00", "2026-03-05T10:00", organization=id)
        asked[0] = 0
        lab.run("daily_reports")
        lab.run("weekly_summary")
        # So that all mails are new again.
        lab.conn.execute("delete from messaging.messages")
        found.append(asked[0])
    assert found[0] == found[1] > 0


def test_stored_numbers_come_back_as_a_frame(lab: ClinicLab) -> None:
    lab.clinic("busy")
    booked(lab, f"{YESTERDAY}T10:00", status="atendido")
    booked(lab, f"{YESTERDAY}T10:00", f"{YESTERDAY}T11:00", organization="busy")
    lab.run("daily_reports")

    frame = stored(lab.conn, "daily", dt.date(2026, 3, 11))

    assert totals(frame)[["organizations", "scheduled", "done"]].values.tolist() == [[2, 3, 1]]
    assert busiest(frame, 1)["organization_id"].tolist() == ["busy"]
    assert totals(stored(lab.conn, "daily", dt.date(2026, 3, 12))).empty


VISIT = st.tuples(
    st.sampled_from((CLINIC, "org-2")), st.sampled_from((THERAPIST, "t2", "", None)),
    st.sampled_from((*WORDS, "agendado", "presenca_confirmada")),
    st.integers(-1, 7),
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VISIT, max_size=25))
def test_the_professionals_add_up_to_the_clinic(lab: ClinicLab, visits: list[tuple[Any, ...]]) -> None:
    lab.conn.execute("delete from clinic.appointments; delete from jobs.reports")
    lab.conn.execute("insert into clinic.organizations (id) values ('org-2') on conflict do nothing")
    monday, classes = dt.date(2026, 3, 9), dict(zip(WORDS, COUNTS[1:6], strict=True))
    expected: Counter[tuple[str, str, str]] = Counter()
    for clinic, therapist, word, day in visits:
        booked(lab, f"{monday + dt.timedelta(days=day)}T10:00", organization=clinic, therapist_id=therapist,
               status=word)  # fmt: skip
        if 0 <= day < 7:
            for who in ("", therapist or "-"):
                expected.update((clinic, who, name) for name in {"scheduled", classes.get(word, "scheduled")})

    lab.run("weekly_summary", MONDAY)

    found = {(clinic, who, name): number for (clinic, _, who), row in report(lab, "weekly").items()
             for name, number in zip(COUNTS, row, strict=True) if number}  # fmt: skip
    assert found == expected
