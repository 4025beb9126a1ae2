"""Comparing a job with the old cron: who was written to by both, by one of them, and why not by us."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from fisio_ayida.clinic.compared import compare, rows_of
from fisio_ayida.clinic.comparing import Comparison, Line, Ours, Theirs, match
from fisio_ayida.clinic.model import BadOrder
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT, ClinicLab

DAY = MORNING.date()
JOB = "birthday_messages"
NAMES = "patient_id,appointment_id,channel,sent_at"


def ours(key: str = "k", **changes: Any) -> Ours:
    """A message that we planned to the patient."""
    values: dict[str, Any] = {"organization_id": CLINIC, "day": DAY, "patient_id": PATIENT, "channel": "whatsapp"}
    return Ours(key=key, **(values | changes))


def theirs(**changes: Any) -> Theirs:
    """A message that the old cron sent to the patient."""
    values: dict[str, Any] = {"organization_id": CLINIC, "day": DAY, "patient_id": PATIENT, "channel": "whatsapp"}
    return Theirs(**(values | changes))


def sides(found: Comparison) -> list[tuple[str, str | None]]:
    """Each line's side, and the visit or patient that it is about."""
    return [(line.side, line.visit_id or line.patient_id) for line in found.lines]


def only(found: Comparison) -> Line:
    """The one line."""
    [line] = found.lines
    return line


def test_the_same_patient_on_the_same_day_is_both_on_whatever_channel() -> None:
    found = match(JOB, [ours()], [theirs(), theirs(channel="email")])

    assert found.is_equal
    assert (only(found).ours, only(found).theirs) == (("whatsapp",), ("email", "whatsapp"))


def test_another_day_is_another_message() -> None:
    found = match(JOB, [ours()], [theirs(day=DAY + dt.timedelta(days=1))])

    assert [line.side for line in found.lines] == ["only ours", "only theirs"]


def test_what_we_withheld_is_theirs_alone_with_our_reason() -> None:
    line = only(match(JOB, [ours(reason="opted_out_channel", detail="since monday")], [theirs()]))

    assert (line.side, line.reason, line.detail) == ("only theirs", "opted_out_channel", "since monday")


def test_what_we_never_thought_of_says_so() -> None:
    assert only(match(JOB, [], [theirs()])).reason == "not_found"


def test_what_only_we_withheld_is_no_difference() -> None:
    assert match(JOB, [ours(reason="no_address")], []).lines == []


def test_one_message_of_ours_about_two_visits_is_as_good_as_one_of_theirs_for_each() -> None:
    found = match(JOB, [ours(visit_ids=("v1", "v2"))], [theirs(visit_id="v1"), theirs(visit_id="v2")])

    assert sides(found) == [("both", "v1"), ("both", "v2")]


def test_another_visit_of_the_same_patient_is_another_message() -> None:
    found = match(JOB, [ours(visit_ids=("v1",))], [theirs(visit_id="v2")])

    assert sorted(sides(found)) == [("only ours", "v1"), ("only theirs", "v2")]


def test_a_row_without_a_visit_is_compared_by_patient() -> None:
    assert sides(match(JOB, [ours(visit_ids=("v1",))], [theirs()])) == [("both", PATIENT)]


def test_a_visit_that_they_noted_beside_a_greeting_does_not_matter() -> None:
    assert match(JOB, [ours()], [theirs(visit_id="v1")]).is_equal


# --- on the tables


def shadow(lab: ClinicLab) -> None:
    """Two birthdays that are only decided; one of them has no address."""
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.patient("nobody", date_of_birth=dt.date(1990, 3, 12), phone=None, email=None)
    lab.run(JOB, is_shadow=True)


def sent(lab: ClinicLab, patient: str, at: dt.datetime = MORNING, organization: str = CLINIC) -> None:
    """The old cron has greeted a patient."""
    lab.add(
        "old_messages", id=f"old-{patient}", kind=JOB, organization_id=organization, patient_id=patient,
        channel="whatsapp", sent_at=at,
    )  # fmt: skip


def compared(lab: ClinicLab, **how: Any) -> Comparison:
    return compare(lab.conn, lab.desk.clinic, JOB, DAY, DAY, **how)


def test_shadow_mode_is_compared_with_what_the_old_cron_sent(lab: ClinicLab) -> None:
    shadow(lab)
    sent(lab, "nobody")

    found = compared(lab)

    assert {(line.patient_id, line.side, line.reason) for line in found.lines} == {
        (PATIENT, "only ours", ""), ("nobody", "only theirs", "no_address"),
    }  # fmt: skip


def test_a_job_that_sends_is_compared_by_its_outbox(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.run(JOB)
    sent(lab, PATIENT)

    assert sides(compared(lab)) == [("both", PATIENT)]


def test_a_message_that_the_rules_stopped_is_withheld(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.run(JOB)
    reason = "opted_out_channel: no whatsapp since monday"
    lab.conn.execute("update messaging.messages set state = 'skipped', reason = %s", [reason])
    sent(lab, PATIENT)

    line = only(compared(lab))

    assert (line.side, line.reason, line.detail) == (
        "only theirs",
        "opted_out_channel",
        "no whatsapp since monday",
    )


def test_a_day_is_the_clinics_own(lab: ClinicLab) -> None:
    lab.clinic("acre", zone="America/Rio_Branco")
    lab.patient("p", organization="acre")
    # 23:30 of the day there; the next day in São Paulo and in UTC.
    sent(lab, "p", dt.datetime(2026, 3, 13, 4, 30, tzinfo=dt.UTC), organization="acre")

    assert only(compared(lab)).day == DAY


def test_messages_of_other_days_are_not_compared(lab: ClinicLab) -> None:
    sent(lab, "p", MORNING + dt.timedelta(days=1))

    assert compared(lab).lines == []


def test_a_file_is_as_good_as_the_table(lab: ClinicLab) -> None:
    shadow(lab)
    rows = rows_of([NAMES, f"{PATIENT},,email,2026-03-12T12:00:00", "stranger,,email,2026-03-12T12:00:00Z"])

    assert sides(compared(lab, sent=rows)) == [("only theirs", "stranger"), ("both", PATIENT)]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["patient_id,sent_at", "p,2026-03-12"], "appointment_id"),
        ([NAMES, "p,,email,yesterday"], "line 2: sent_at='yesterday'"),
        ([NAMES, ",,email,2026-03-12T12:00:00"], "line 2: patient_id is empty"),
        ([NAMES, "p,,email,0001-01-01T00:00:00Z"], "line 2: sent_at='0001-01-01"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(lab: ClinicLab, lines: list[str], what: str) -> None:
    with pytest.raises(BadOrder, match=what):
        compared(lab, sent=rows_of(lines))


@pytest.mark.parametrize(
    ("first", "last", "said"), [(dt.date.min, DAY, "from=0001-01-01"), (DAY, dt.date.max, "to=9999-12-31")]
)
def test_a_day_at_the_end_of_all_years_is_refused(
    lab: ClinicLab, first: dt.date, last: dt.date, said: str
) -> None:
    with pytest.raises(BadOrder, match=said):
        compare(lab.conn, lab.desk.clinic, JOB, first, last)


def test_what_was_withheld_in_the_evening_is_compared_on_the_clinics_day(lab: ClinicLab) -> None:
    lab.moment = dt.datetime(2026, 3, 13, 1, tzinfo=dt.UTC)
    shadow(lab)
    sent(lab, "nobody")

    assert [line.reason for line in compared(lab).lines if line.patient_id == "nobody"] == ["no_address"]


# --- the command


@pytest.fixture
def run(clinic_command: Callable[..., Result]) -> Callable[..., Result]:
    """Runs ``fisio-ayida clinic compare`` for the day on the lab's database."""
    words = ["--from", f"{DAY}", "--to", f"{DAY}"]
    return lambda job, *more: clinic_command("compare", job, *words, *more)


def test_a_difference_ends_with_1_and_is_shown(lab: ClinicLab, run: Callable[..., Result]) -> None:
    shadow(lab)

    shown = run(JOB)

    assert shown.exit_code == 1
    assert PATIENT in shown.output
    assert "0 both, 1 only ours, 0 only theirs" in shown.output


def test_no_difference_ends_with_0(lab: ClinicLab, run: Callable[..., Result], tmp_path: Path) -> None:
    shadow(lab)
    file = tmp_path / "old.csv"
    file.write_text(f"{NAMES}\n{PATIENT},,whatsapp,2026-03-12T09:00:00Z\n")

    shown = run(JOB, "--file", str(file), "--json")

    assert shown.exit_code == 0
    assert json.loads(shown.output)["side"] == "both"


@pytest.mark.parametrize(("job", "why"), [("birthdays", "is not a job"), ("daily_cleanup", "writes to nobody")])
def test_a_job_with_nothing_to_compare_is_refused(run: Callable[..., Result], job: str, why: str) -> None:
    shown = run(job)

    assert (shown.exit_code, why in shown.output) == (2, True)
