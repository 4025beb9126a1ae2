"""What one made-up clinic is built with: its rows and its script, each in a line.

Here: ids, times in the clinic's zone, and defaults. Not here: the clinics (``clinics.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, Literal

from fisio_ayida.simulators.fisioflow.people import People
from fisio_ayida.simulators.fisioflow.world import (
    Book,
    Change,
    Event,
    Manners,
    OldMessage,
    Organization,
    Package,
    Patient,
    Profile,
    Row,
    Say,
    Session,
    SessionContent,
    Staff,
    Visit,
    Word,
)

_A_WEEK: Final = dt.timedelta(days=7)
_AN_HOUR: Final = dt.timedelta(hours=1)


class Builder:
    """One clinic. Every id ends in the clinic's short name and the world's mark.

    Args:
        area: of its telephones.
    """

    def __init__(
        self, people: People, short: str, mark: str, day: dt.date, area: str, name: str, *,
        settings: dict[str, Any] | None = None, **manners: Any,
    ) -> None:  # fmt: skip
        self.people, self.day, self.area = people, day, area
        self._suffix = f"{short}-{mark}"
        self.id = f"clinica-{self._suffix}"
        self.manners = Manners(organization_id=self.id, **manners)
        self.rows: list[Row] = [Organization(id=self.id, name=name, settings=settings or {})]
        self.words: list[Word] = []
        self.script: list[Event] = []
        self.therapists: list[str] = []
        self._patients: dict[str, Patient] = {}

    def called(self, role: str) -> str:
        """The id of a role."""
        return f"{role}-{self._suffix}"

    def at(self, clock: str, days: int = 0) -> dt.datetime:
        """A civil time in the clinic, on the day or so many days after it."""
        return self.manners.at(self.day + dt.timedelta(days=days), clock)

    # --- people

    def staff(self, role: str, *roles: str, **columns: Any) -> str:
        """Somebody who works here."""
        name = self.people.name()
        given = {"full_name": name, "email": self.people.email(name)}
        self.rows.append(
            Staff(user_id=self.called(role), organization_id=self.id, roles=roles, **(given | columns))
        )
        if "fisioterapeuta" in roles:
            self.therapists.append(self.called(role))
        return self.called(role)

    def patient(self, role: str, **columns: Any) -> str:
        """A patient with a telephone and an e-mail address."""
        name = self.people.name()
        given: dict[str, Any] = {
            "full_name": name, "phone": self.people.phone(self.area), "email": self.people.email(name),
            "date_of_birth": self._born(), "professional_id": self.people.one_of(self.therapists),
            "created_at": self.at("10:00", -300),
        }  # fmt: skip
        row = Patient(id=self.called(role), organization_id=self.id, **(given | columns))
        self._patients[role] = row
        self.rows.append(row)
        return row.id

    def profile(self, role: str, **columns: Any) -> None:
        """What else is known of a patient."""
        self.rows.append(Profile(patient_id=self.called(role), organization_id=self.id, **columns))

    def name_of(self, role: str) -> str:
        """A patient's name, as notes mention it."""
        return self._patients[role].full_name

    def phone_of(self, role: str) -> str | None:
        """A patient's telephone, for a child who has none of its own."""
        return self._patients[role].phone

    def says(self, role: str, channel: Literal["email", "whatsapp"], category: Any, *, allowed: bool) -> None:
        """What a patient has allowed or forbidden before."""
        self.words.append(Word(self.id, self.called(role), channel, category, allowed))

    # --- what they come for

    def visit(self, role: str, patient: str, days: int, clock: str, **columns: Any) -> Visit:
        """An hour's visit so many days after the day, booked a week ago."""
        row = self._visit(role, patient, days, clock, **columns)
        self.rows.append(row)
        return row

    def session(self, role: str, visit: Visit, status: str = "finalized", **columns: Any) -> None:
        """The record of a visit, written when it ended."""
        ended = dt.datetime.combine(visit.date, visit.end_time or visit.start_time, self.at("12:00").tzinfo)
        given: dict[str, Any] = {
            "patient_id": visit.patient_id, "appointment_id": visit.id, "therapist_id": visit.therapist_id,
            "date": ended - _AN_HOUR, "created_at": ended, "updated_at": ended,
            "finalized_at": ended if status == "finalized" else None,
        }  # fmt: skip
        self.rows.append(
            Session(id=self.called(role), organization_id=self.id, status=status, **(given | columns))
        )

    def content(self, role: str, patient: str, **columns: Any) -> None:
        """What a session of a patient says."""
        self.rows.append(
            SessionContent(
                session_id=self.called(role), organization_id=self.id, patient_id=self.called(patient), **columns
            )
        )

    def package(self, role: str, patient: str, remaining: int, **columns: Any) -> None:
        """Ten sessions paid in advance."""
        given: dict[str, Any] = {
            "name": "Pacote de 10 sessões", "total_sessions": 10, "used_sessions": 10 - remaining,
            "remaining_sessions": remaining,
        }  # fmt: skip
        self.rows.append(Package(
            id=self.called(role), organization_id=self.id, patient_id=self.called(patient), **(given | columns)
        ))  # fmt: skip

    def old_message(self, kind: str, patient: str, channel: str, clock: str, visit: str | None = None) -> None:
        """The old cron has written to a patient on the day."""
        self.rows.append(OldMessage(
            id=self.called(f"antiga-{kind}-{patient}-{channel}"), kind=kind, organization_id=self.id,
            patient_id=self.called(patient), channel=channel, sent_at=self.at(clock),
            appointment_id=None if visit is None else self.called(visit),
        ))  # fmt: skip

    # --- what happens during the day

    def books(self, clock: str, role: str, patient: str, days: int, start: str, told: str) -> None:
        """At a time of the day a visit is booked."""
        at = self.at(clock)
        visit = self._visit(role, patient, days, start, created_at=at, updated_at=at)
        self.script.append(Event(at, self.id, self.called(patient), told, Book(visit)))

    def changes(self, clock: str, visit: str, told: str, **columns: Any) -> None:
        """At a time of the day a visit changes."""
        at, id = self.at(clock), self.called(visit)
        patient = next(row.patient_id for row in self.rows if isinstance(row, Visit) and row.id == id)
        act = Change(id, {**columns, "updated_at": at})
        self.script.append(Event(at, self.id, patient or "", told, act))

    def answers(self, clock: str, patient: str, text: str, told: str) -> None:
        """At a time of the day a patient answers the last WhatsApp message."""
        self.script.append(Event(self.at(clock), self.id, self.called(patient), told, Say(text)))

    def _visit(self, role: str, patient: str, days: int, clock: str, **columns: Any) -> Visit:
        start = self.at(clock, days)
        booked = min(start, self.at("10:00")) - _A_WEEK
        given: dict[str, Any] = {
            "therapist_id": self.therapists[0], "end_time": (start + _AN_HOUR).time(), "created_at": booked,
            "updated_at": booked,
        }  # fmt: skip
        return Visit(
            id=self.called(role), organization_id=self.id, patient_id=self.called(patient), date=start.date(),
            start_time=start.time(), **(given | columns),
        )  # fmt: skip

    def _born(self) -> dt.date:
        """Some day of an adult's life."""
        return dt.date(1940, 1, 1) + dt.timedelta(days=self.people.chance.randrange(60 * 365))
