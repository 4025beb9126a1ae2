"""The words of the made-up clinics: rows of schema ``clinic``, what the clinics want of the jobs, and the script.

A row's fields are its columns. Not here: any made-up person (``clinics.py``), and writing rows (``tables.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

T = TypeVar("T")
LogName = Literal["notification_history", "password_reset_tokens", "system_health_logs"]

#: FisioFlow's tables that only grow.
LOGS: Final[tuple[LogName, ...]] = get_args(LogName)

#: A Monday, so that the weekly jobs run, on which those born on 29 February are greeted; before any real row.
DAY: Final = dt.date(2022, 2, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    table: ClassVar[str] = "organizations"
    id: str
    name: str
    is_active: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    table: ClassVar[str] = "staff"
    user_id: str
    organization_id: str
    full_name: str
    email: str
    roles: Sequence[str]
    is_active: bool = True
    wants_daily_report: bool = False
    wants_weekly_summary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    table: ClassVar[str] = "patients"
    id: str
    organization_id: str | None
    full_name: str
    social_name: str | None = None
    phone: str | None = None
    email: str | None = None
    date_of_birth: dt.date | None = None
    professional_id: str | None = None
    preferred_channel: str | None = None
    is_active: bool = True
    deleted_at: dt.datetime | None = None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    table: ClassVar[str] = "appointments"
    id: str
    organization_id: str
    patient_id: str | None
    therapist_id: str | None
    date: dt.date
    start_time: dt.time
    end_time: dt.time | None
    type: str = "session"
    status: str = "agendado"
    reminder_sent_at: dt.datetime | None = None
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    table: ClassVar[str] = "sessions"
    id: str
    organization_id: str
    patient_id: str | None
    appointment_id: str | None
    therapist_id: str | None
    date: dt.datetime
    status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    finalized_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContent:
    """What a session says. ``exercises`` and its neighbours: JSON as the clinic's app writes it."""

    table: ClassVar[str] = "session_contents"
    session_id: str
    organization_id: str
    patient_id: str
    pain_scale: int | None = None
    note: str | None = None
    procedures: list[Any] | None = None
    exercises: list[Any] | None = None
    measurements: list[Any] | None = None
    home_exercises: list[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What else is known of a patient."""

    table: ClassVar[str] = "patient_profiles"
    patient_id: str
    organization_id: str
    sex: str | None = None
    complaint: str | None = None
    allows_insights: bool = True
    consents: bool = True
    identifiers: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    table: ClassVar[str] = "packages"
    id: str
    kind: Literal["package", "voucher"] = "package"
    organization_id: str
    patient_id: str
    name: str | None
    total_sessions: int
    used_sessions: int
    remaining_sessions: int
    expires_on: dt.date | None = None
    expires_at: dt.datetime | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    table: ClassVar[str] = "payments"
    id: str
    organization_id: str
    appointment_id: str | None
    patient_id: str
    amount: Decimal
    status: str
    paid_at: dt.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldMessage:
    """What FisioFlow's old crons sent."""

    table: ClassVar[str] = "old_messages"
    id: str
    kind: str
    organization_id: str
    patient_id: str
    appointment_id: str | None = None
    channel: str
    sent_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A row of one of :data:`LOGS`."""

    name: LogName
    id: str
    created_at: dt.datetime

    @property
    def table(self) -> str:
        return self.name


Row = (
    Organization
    | Staff
    | Patient
    | Profile
    | Visit
    | Session
    | SessionContent
    | Package
    | Payment
    | OldMessage
    | Log
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What a clinic has told us itself: its zone, and what differs from the defaults."""

    organization_id: str
    zone: str
    marketing_basis: Literal["consent", "legitimate_interest"]
    birthday_channels: Literal["preferred", "both"] = "preferred"
    leap_birthday: Literal["02-28", "03-01"] = "02-28"
    reminder_rules: Sequence[Mapping[str, Any]] | None = None
    insights: Literal["off", "facts", "narrative"] = "narrative"

    def at(self, day: dt.date, clock: str) -> dt.datetime:
        """The instant of a civil time such as 09:30 in this clinic."""
        return dt.datetime.combine(day, dt.time.fromisoformat(clock), ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True)
class Word:
    """What a patient has allowed or forbidden."""

    organization_id: str
    patient_id: str
    channel: Literal["email", "whatsapp"]
    category: Literal["all", "marketing"]
    allowed: bool


@dataclass(frozen=True, slots=True)
class Book:
    """A visit is booked."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class Change:
    """Columns of a visit change."""

    visit_id: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Say:
    """The patient answers the last WhatsApp message that came."""

    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens during the day, by the world and not by a job."""

    at: dt.datetime
    organization_id: str
    patient_id: str
    told: str
    act: Book | Change | Say


@dataclass(frozen=True, slots=True)
class World:
    """All of it. ``rows``: as they are when the day begins; ``script``: in the order of time."""

    day: dt.date
    mark: str
    rows: Sequence[Row]
    manners: Mapping[str, Manners]
    words: Sequence[Word]
    script: Sequence[Event]

    def of(self, kind: type[T]) -> list[T]:
        """The rows of one kind."""
        return [row for row in self.rows if isinstance(row, kind)]

    @property
    def patients(self) -> list[Patient]:
        """All of them."""
        return self.of(Patient)
