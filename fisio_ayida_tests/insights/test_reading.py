"""Records as they are read from the clinic's relations: what counts, in which order, and whose is not read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from fisio_ayida.insights import reading
from fisio_ayida.insights.model import Exercise, Measurement, Record
from fisio_ayida.insights.reading import MOST_SESSIONS, Pair, Read
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT, SAO_PAULO
from fisio_ayida_tests.insights.lab import InsightsLab

TODAY = dt.date(2026, 3, 12)
A_DAY = dt.timedelta(days=1)
WHO: Pair = (CLINIC, PATIENT)


def read(lab: InsightsLab, *wanted: Pair, zones: Mapping[str, str] | None = None, today: dt.date = TODAY) -> Read:
    pairs = wanted or (WHO,)
    given = zones or {}
    return reading.read(
        lab.conn, pairs, {id: today for id, _ in pairs},
        {id: ZoneInfo(given.get(id, "America/Sao_Paulo")) for id, _ in pairs},
    )  # fmt: skip


def record(lab: InsightsLab, **given: Any) -> Record:
    return read(lab, **given).records[WHO]


def ids(found: Record) -> list[str]:
    return [each.id for each in found.sessions]


# --- sessions


def test_a_session_is_read_with_its_content(lab: InsightsLab) -> None:
    lab.patient()
    at = dt.datetime(2026, 3, 5, 18, tzinfo=SAO_PAULO)
    lab.session(
        "s-1", "2026-03-05", finalized_at=at, pain=4, note="<p>Melhor.</p>", procedures=["TENS"],
        exercises=[{"nome": "Ponte", "carga": "2,5 kg"}], measurements=[{"nome": "Flexão", "valor": 90}, {}],
        home_exercises=["Caminhada"],
    )  # fmt: skip

    [session] = record(lab).sessions

    assert (session.id, session.day, session.finalized_at) == ("s-1", dt.date(2026, 3, 5), at)
    assert (session.pain, session.note, session.procedures) == (4, "<p>Melhor.</p>", ("TENS",))
    assert session.exercises == (Exercise(name="Ponte", load=2.5),)
    assert session.home_exercises == (Exercise(name="Caminhada"),)
    assert session.measurements == (Measurement(name="Flexão", value=90.0),)
    assert session.unusable == ("measurements[1].name: missing, a text is expected",)


def test_sessions_are_in_the_order_of_their_days_whenever_they_were_finalized(lab: InsightsLab) -> None:
    lab.patient()
    late = dt.datetime(2026, 3, 11, 9, tzinfo=SAO_PAULO)
    lab.session("first", "2026-02-01", finalized_at=late)
    lab.session("third", "2026-02-20")
    lab.session("second", "2026-02-10", finalized_at=late - A_DAY)

    found = record(lab)

    assert ids(found) == ["first", "second", "third"]
    assert found.newest is not None and found.newest.id == "first"


def test_the_day_of_a_session_is_its_appointments(lab: InsightsLab) -> None:
    lab.patient()
    lab.visit("2026-03-02T23:30")
    lab.session("s-1", "2026-03-05", appointment_id="visit-1")
    assert record(lab).sessions[0].day == dt.date(2026, 3, 2)


def test_an_appointment_of_somebody_else_gives_no_day(lab: InsightsLab) -> None:
    lab.patient()
    lab.patient("other")
    lab.visit("2026-03-02T10:00", patient="other")
    lab.session("s-1", "2026-03-05", appointment_id="visit-1")
    assert record(lab).sessions[0].day == dt.date(2026, 3, 5)


@pytest.mark.parametrize(("zone", "day"), [("America/Rio_Branco", 4), ("America/Noronha", 5)])
def test_without_an_appointment_it_is_the_day_in_the_clinic(lab: InsightsLab, zone: str, day: int) -> None:
    lab.patient()
    lab.session("s-1", date=dt.datetime(2026, 3, 5, 3, 30, tzinfo=dt.UTC))
    assert record(lab, zones={CLINIC: zone}).sessions[0].day == dt.date(2026, 3, day)


@pytest.mark.parametrize("visit", ["visit-1", None])
def test_no_session_was_held_after_it_was_finalized(lab: InsightsLab, visit: str | None) -> None:
    lab.patient()
    lab.visit("2026-03-13T10:00")
    at = dt.datetime(2026, 3, 11, 23, 30, tzinfo=SAO_PAULO)
    lab.session("s-1", "2026-03-13", finalized_at=at, appointment_id=visit)
    assert [each.day for each in record(lab).sessions] == [dt.date(2026, 3, 11)]


def test_what_is_not_finalized_or_was_deleted_does_not_count(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("kept")
    lab.session("draft", status="draft")
    lab.session("reviewed", status="under_review", finalized_at=lab.moment)
    lab.session("deleted", deleted_at=lab.moment)
    found = record(lab)
    assert (ids(found), found.earlier) == (["kept"], 0)


def test_the_newest_sessions_are_read_and_the_others_counted(lab: InsightsLab) -> None:
    lab.patient()
    days = [TODAY - n * A_DAY for n in range(MOST_SESSIONS + 2)]
    lab.sessions(days)
    lab.session("long-ago", TODAY - reading.WINDOW - A_DAY)

    found = record(lab)

    assert [each.day for each in found.sessions] == sorted(days)[2:]
    assert found.earlier == 3


def test_the_window_begins_with_its_first_day_and_ends_with_today(lab: InsightsLab) -> None:
    lab.patient()
    for id, day in (("first", TODAY - reading.WINDOW), ("last", TODAY), ("tomorrow", TODAY + A_DAY)):
        lab.session(id, day)
    found = record(lab)
    assert (ids(found), found.earlier) == (["first", "last"], 0)


def test_sessions_of_another_organisation_are_never_read(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("ours")
    lab.session("theirs", organization="org-2", note="x")
    assert ids(record(lab)) == ["ours"]


def test_content_that_another_patient_has_is_not_read(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("s-1", note="x")
    lab.conn.execute("update clinic.session_contents set patient_id = 'other'")
    assert record(lab).sessions[0].note == ""


@pytest.mark.parametrize("words", ["[1e400]", '{"a": 1}', "[" * 2000 + "]" * 2000, "9" * 5000])
def test_json_that_means_nothing_is_no_error(lab: InsightsLab, words: str) -> None:
    lab.patient()
    lab.session("s-1")
    lab.conn.execute("update clinic.session_contents set exercises = %s::jsonb", [words])
    assert len(record(lab).sessions[0].unusable) == 1


# --- visits


def test_visits_have_the_class_of_their_word_in_the_clinic(lab: InsightsLab) -> None:
    lab.patient()
    lab.session()
    lab.add("appointment_statuses", organization_id=CLINIC, key="compareceu", **{"class": "done"})
    words = {"faltou": "absent", "compareceu": "done", "cancelado": "cancelled", "talvez": "unknown"}
    for n, word in enumerate(words):
        lab.visit(f"2026-03-0{n + 1}T10:00", f"v-{n}", status=word)
    assert [each.status for each in record(lab).visits] == list(words.values())


def test_all_visits_to_come_and_those_of_the_window_are_read(lab: InsightsLab) -> None:
    lab.patient()
    lab.session()
    first = TODAY - reading.WINDOW
    for id, day in (("future", TODAY + 300 * A_DAY), ("first", first), ("too-old", first - A_DAY)):
        lab.visit(f"{day}T10:00", id)
    lab.visit(f"{TODAY}T10:00", "deleted", deleted_at=lab.moment)
    lab.visit(f"{TODAY}T11:00", "theirs", organization="org-2")
    assert [each.id for each in record(lab).visits] == ["first", "future"]


# --- who the patient is


def test_who_is_named_anywhere_is_known(lab: InsightsLab) -> None:
    lab.clinic("org-2")
    lab.therapist("other", organization="org-2", full_name="Dr. Otávio")
    lab.therapist("left", full_name="Dra. Íris Lima", is_active=False)
    lab.patient(full_name="Ana Beatriz Souza", social_name="Bia", phone="11 98765-4321", email="ana@example.com")
    lab.profile(
        identifiers=["Aninha", "123.456.789-09", "MG-12.345", "(11) 3333-4444", "b@example.com", " ", "Zé 10"]
    )
    lab.session()

    found = record(lab).identity

    assert found.names == (
        "Ana Beatriz Souza", "Bia", "Aninha", "Zé 10", "Clínica São João", "Dra. Íris Lima", "Dra. Helena Brandão",
    )  # fmt: skip
    assert found.numbers == ("11 98765-4321", "123.456.789-09", "MG-12.345", "(11) 3333-4444")
    assert found.addresses == ("ana@example.com", "b@example.com")


def test_a_record_does_not_show_who_it_is_about(lab: InsightsLab) -> None:
    lab.patient(full_name="Ana Beatriz Souza")
    lab.profile(complaint="Dor de Ana", identifiers=["Aninha"])
    lab.session(note="Ana melhorou", exercises=["Ponte da Ana"])
    assert "An" not in repr(record(lab))


@pytest.mark.parametrize(
    ("born", "age"),
    [("1990-03-12", 36), ("1990-03-13", 35), ("2024-02-29", 2), ("2027-01-01", None), ("1800-01-01", None),
     (None, None)],
)  # fmt: skip
def test_age_is_in_years_completed_today(lab: InsightsLab, born: str | None, age: int | None) -> None:
    lab.patient(date_of_birth=born)
    lab.session()
    assert record(lab).age == age


@pytest.mark.parametrize(("sex", "read_as"), [("F", "F"), (" m", "M"), ("feminino", ""), (None, "")])
def test_sex_is_a_letter_or_nothing(lab: InsightsLab, sex: str | None, read_as: str) -> None:
    lab.patient()
    lab.profile(sex=sex, complaint="Lombalgia")
    lab.session()
    found = record(lab)
    assert (found.sex, found.complaint) == (read_as, "Lombalgia")


# --- whose record is not read


def test_a_patient_of_another_organisation_is_unknown(lab: InsightsLab) -> None:
    lab.clinic("org-2")
    lab.patient("theirs", "org-2")
    lab.session(patient="theirs")
    assert read(lab, (CLINIC, "theirs")) == Read({}, {(CLINIC, "theirs"): "unknown_patient"})


@pytest.mark.parametrize(
    ("patient", "profile", "reason"),
    [
        ({"deleted_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC)}, {}, "unknown_patient"),
        ({}, {"allows_insights": False}, "ai_off_patient"),
        ({}, {"consents": False}, "no_consent"),
    ],
)
def test_a_record_that_must_not_be_used_is_not_read(
    lab: InsightsLab, patient: dict[str, Any], profile: dict[str, Any], reason: str
) -> None:
    lab.patient(**patient)
    lab.profile(**profile)
    lab.session(note="x")
    with Counting(lab.conn) as counted:
        assert read(lab) == Read({}, {WHO: reason})
    assert len(counted.statements) == 1


def test_who_has_no_profile_has_not_consented(lab: InsightsLab) -> None:
    lab.patient()
    lab.conn.execute("delete from clinic.patient_profiles")
    lab.session()
    assert read(lab).withheld == {WHO: "no_consent"}


def test_without_a_finalized_session_there_is_nothing(lab: InsightsLab) -> None:
    lab.patient()
    lab.session(status="draft")
    assert read(lab) == Read({}, {WHO: "no_session"})


def test_who_has_but_sessions_of_long_ago_is_told_apart(lab: InsightsLab) -> None:
    lab.patient()
    lab.patient("other")
    lab.session("old", TODAY - reading.WINDOW - A_DAY, note="x", finalized_at=lab.moment)
    lab.session("older", TODAY - reading.WINDOW - A_DAY, patient="other")
    lab.session("new", TODAY, patient="other")
    found = read(lab, WHO, (CLINIC, "other"))
    assert found.withheld == {WHO: "too_old"}
    assert (ids(found.records[CLINIC, "other"]), found.records[CLINIC, "other"].earlier) == (["new"], 1)


# --- many


class Counting:
    """The statements that go over a connection."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.statements: list[Any] = []
        self._conn, self._before = conn, conn.cursor_factory

    def __enter__(self) -> Counting:
        statements = self.statements

        class Counted(psycopg.Cursor[Any]):
            def execute(self, query: Any, *words: Any, **more: Any) -> Any:
                statements.append(query)
                return super().execute(query, *words, **more)

        self._conn.cursor_factory = Counted
        return self

    def __exit__(self, *_: object) -> None:
        self._conn.cursor_factory = self._before


def test_many_patients_of_two_organisations_are_read_in_as_many_statements_as_one(lab: InsightsLab) -> None:
    lab.clinic("org-2", "America/Rio_Branco")
    wanted = [(f"org-{n % 2 + 1}", f"patient-{n}") for n in range(20)]
    for organization, id in wanted:
        lab.patient(id, organization)
        lab.session(f"s-{id}", patient=id, organization=organization, pain=3)
        lab.visit("2026-03-02T10:00", f"v-{id}", patient=id, organization=organization)

    with Counting(lab.conn) as counted:
        found = read(lab, *wanted, wanted[0])

    assert (set(found.records), len(found.withheld)) == (set(wanted), 0)
    assert {len(each.visits) + len(each.sessions) for each in found.records.values()} == {2}
    assert len(counted.statements) == 5


def test_nobody_is_nothing(lab: InsightsLab) -> None:
    assert reading.read(lab.conn, [], {}, {}) == Read({}, {})


# --- what insights need of the clinic's database


def test_our_own_tables_have_what_insights_need(lab: InsightsLab) -> None:
    reading.require(lab.conn)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("drop table clinic.session_contents", r"clinic\.session_contents: the relation is missing"),
        ("alter table clinic.patient_profiles drop consents", r"clinic\.patient_profiles\.consents: missing"),
        ("drop function clinic.store_insights", r"clinic\.store_insights\(.*the function is missing"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(lab: InsightsLab, change: str, named: str) -> None:
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute(change.encode())
        with pytest.raises(ClinicError, match=rf"{named}.*`fisio-ayida clinic mapping`"):
            reading.require(lab.conn)
        lab.run("birthday_messages")
