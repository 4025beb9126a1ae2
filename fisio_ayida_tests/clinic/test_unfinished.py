"""Unfinished sessions: their author is told once a week, and they are never deleted (D-02)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fisio_ayida.clinic.unfinished import LISTED
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, THERAPIST, ClinicLab

JOB = "daily_cleanup"
DAY = dt.timedelta(days=1)


def session(lab: ClinicLab, id: str = "s-1", days: float = 8, **columns: Any) -> None:
    """A draft that was last touched so many days ago."""
    at = MORNING - days * DAY
    given = {"organization_id": CLINIC, "therapist_id": THERAPIST, "date": at, "updated_at": at}
    lab.add("sessions", id=id, **(given | columns))


def told(lab: ClinicLab) -> dict[str, list[str]]:
    """The sessions that each reader was told of."""
    found = lab.rows("select user_id, variables from messaging.notices order by created_at")
    return {row["user_id"]: [each["sessao"] for each in row["variables"]["sessoes"]] for row in found}


def test_the_author_is_told_of_day_and_id(lab: ClinicLab) -> None:
    lab.visit("2026-03-02T10:00")
    session(lab, appointment_id="visit-1")
    lab.run(JOB)
    [notice] = lab.rows("select user_id, variables from messaging.notices")
    assert notice == {
        "user_id": THERAPIST,
        "variables": {
            "clinica": "Clínica São João", "abertas": 1,
            "sessoes": [{"data": "2026-03-02", "sessao": "s-1", "situacao": ""}],
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "is_told"),
    [({}, True), ({"status": "under_review"}, True), ({"status": "finalized"}, False),
     ({"status": "cancelled"}, False), ({"deleted_at": MORNING}, False), ({"days": 6.9}, False),
     ({"days": 400}, True)],
)  # fmt: skip
def test_what_counts_as_unfinished(lab: ClinicLab, columns: dict[str, Any], is_told: bool) -> None:
    session(lab, **columns)
    lab.run(JOB)
    assert bool(told(lab)) == is_told


def test_no_session_is_deleted_however_old(lab: ClinicLab) -> None:
    session(lab, days=9000)
    lab.run(JOB)
    assert len(lab.rows("select * from clinic.sessions")) == 1


def test_an_author_is_told_once_a_week(lab: ClinicLab) -> None:
    session(lab)
    new = []
    # A Thursday, the Sunday after it, the Monday, and the Sunday of that week.
    for days in (0, 3, 4, 10):
        lab.moment = MORNING + days * DAY
        new.append(sum(lab.run(JOB).planned.values()))
    assert new == [1, 0, 1, 0]
    assert lab.keys() == [f"unfinished:org-1:{THERAPIST}:2026-w{week}:email" for week in (11, 12)]


@pytest.mark.parametrize("columns", [{"is_active": False}, {"email": None}, {"organization": "org-2"}], ids=str)
def test_without_an_active_author_the_administrators_are_told(lab: ClinicLab, columns: Any) -> None:
    lab.clinic("org-2")
    lab.therapist("boss", roles=["admin"])
    lab.therapist("gone", **columns)
    session(lab, therapist_id="gone")
    lab.run(JOB)
    assert told(lab) == {"boss": ["s-1"]}


def test_an_administrators_own_and_nobodys_are_in_one_mail(lab: ClinicLab) -> None:
    lab.therapist("boss", roles=["admin"])
    session(lab, "own", therapist_id="boss")
    session(lab, "nobodys", therapist_id=None)
    lab.run(JOB)
    [notice] = lab.rows("select variables from messaging.notices")
    assert notice["variables"]["abertas"] == 2
    assert [(each["sessao"], each["situacao"]) for each in notice["variables"]["sessoes"]] == [
        ("own", ""), ("nobodys", "sem profissional ativo"),
    ]  # fmt: skip


@pytest.mark.parametrize("is_author", [True, False])
def test_nobodys_sessions_are_not_told_to_who_administrates_no_longer(lab: ClinicLab, is_author: bool) -> None:
    lab.therapist("boss", roles=["admin"])
    session(lab, "open", therapist_id="boss" if is_author else None)
    lab.run(JOB)
    lab.conn.execute("update clinic.staff set roles = '{fisioterapeuta}'")
    assert len(lab.send()) == is_author


def test_without_anybody_it_is_kept_that_nobody_was_told(lab: ClinicLab) -> None:
    session(lab, therapist_id=None)
    lab.run(JOB)
    assert lab.reasons() == {"unfinished:org-1:-:2026-w11:email": "no_address"}


def test_of_many_the_oldest_are_listed_and_all_are_counted(lab: ClinicLab) -> None:
    for n in range(LISTED + 5):
        session(lab, f"s-{n:02}", days=100 - n)
    lab.run(JOB)
    [notice] = lab.rows("select variables from messaging.notices")
    assert notice["variables"]["abertas"] == LISTED + 5
    assert told(lab)[THERAPIST] == [f"s-{n:02}" for n in range(LISTED)]


def test_each_clinics_authors_are_told_of_its_own(lab: ClinicLab) -> None:
    lab.clinic("org-2")
    lab.therapist("therapist-2", "org-2")
    session(lab, "mine")
    session(lab, "theirs", organization_id="org-2", therapist_id="therapist-2")
    lab.run(JOB)
    assert told(lab) == {THERAPIST: ["mine"], "therapist-2": ["theirs"]}


@pytest.mark.parametrize(
    ("zone", "day"), [("America/Rio_Branco", "2026-03-03"), ("America/Noronha", "2026-03-04")]
)
def test_the_day_is_the_clinics(lab: ClinicLab, zone: str, day: str) -> None:
    lab.conn.execute("update messaging.policies set zone = %s", [zone])
    session(lab, date=dt.datetime(2026, 3, 4, 4, tzinfo=dt.UTC))
    lab.run(JOB)
    [notice] = lab.rows("select variables from messaging.notices")
    assert notice["variables"]["sessoes"][0]["data"] == day


def test_the_last_days_of_december_may_be_of_the_next_years_week(lab: ClinicLab) -> None:
    lab.moment = MORNING.replace(year=2025, month=12, day=30)
    session(lab, updated_at=lab.moment - 8 * DAY)
    lab.run(JOB)
    assert lab.keys() == [f"unfinished:org-1:{THERAPIST}:2026-w01:email"]


def test_three_runs_at_once_tell_once_and_it_goes_out(lab: ClinicLab) -> None:
    session(lab)
    outcomes = lab.run_at_once(JOB)
    assert sum(sum(each.planned.values()) for each in outcomes) == 1
    [words] = lab.send().values()
    assert "s-1" in words
