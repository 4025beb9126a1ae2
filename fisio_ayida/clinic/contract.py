"""The contract with FisioFlow's database: the relations of schema ``clinic`` that the jobs read, column by column.

One row a relation. From these follow ``fisio-ayida clinic check``, the external assets and docs/clinic.md. Not
here: comparing a database with them (``checking.py``), and FisioFlow's own tables (``mappings/fisioflow.sql``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``type``: as PostgreSQL names it, without its length."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One table or view of schema ``clinic``.

    Args:
        needed: without it no job runs; else only what reads it does nothing.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """One named function. ``name``: with its argument types; ``needed``: as of a relation."""

    name: str
    meaning: str
    needed: bool = True


_ID = Column("id", "text", "FisioFlow's own id")
_CLINIC = Column("organization_id", "text", "The clinic it belongs to")
_PATIENT = Column("patient_id", "text", "The patient")
_GONE = Column("deleted_at", "timestamp with time zone", "When it was deleted; empty: it is there")
_CREATED = Column("created_at", "timestamp with time zone", "When the row was made")
_UPDATED = Column("updated_at", "timestamp with time zone", "When the row last changed")

ROWS: Final = (
    Relation(
        name="organizations", meaning="The clinics.",
        columns=(
            _ID, Column("name", "text", "As patients know it; may be empty"),
            Column("is_active", "boolean", "Whether anything is done for it"),
            Column("settings", "jsonb", "FisioFlow's own: channels switched off, reminder bands"),
        ),
    ),
    Relation(
        name="staff", meaning="Who works in a clinic.",
        columns=(
            Column("user_id", "text", "The login; what an appointment's therapist_id names"), _CLINIC,
            Column("full_name", "text", "As patients read it"), Column("email", "text", "Where reports go"),
            Column("roles", "text[]", "FisioFlow's words: admin, owner, fisioterapeuta, …"),
            Column("is_active", "boolean", "Whether the person still works there"),
            Column("wants_daily_report", "boolean", "Asked for the report of each day"),
            Column("wants_weekly_summary", "boolean", "Asked for the summary of each week"),
        ),
    ),
    Relation(
        name="patients", meaning="The patients, without anything about their health.",
        columns=(
            _ID, _CLINIC, Column("user_id", "text", "The login, if there is one"),
            Column("full_name", "text", "As registered"), Column("social_name", "text", "Used instead, if given"),
            Column("phone", "text", "As typed"), Column("email", "text", "As typed"),
            Column("date_of_birth", "date", "Civil day"),
            Column("professional_id", "text", "The responsible professional, a staff.user_id"),
            Column("preferred_channel", "text", "whatsapp or email; empty: nothing is known"),
            Column("is_active", "boolean", "Whether the clinic still treats the patient"), _GONE, _CREATED,
        ),
    ),
    Relation(
        name="appointments", meaning="The visits that were booked.",
        columns=(
            _ID, _CLINIC, _PATIENT, Column("therapist_id", "text", "A staff.user_id"),
            Column("date", "date", "Civil day in the clinic's zone"),
            Column("start_time", "time without time zone", "Civil time in the clinic's zone"),
            Column("end_time", "time without time zone", "The same; empty: an hour after the start"),
            Column("type", "text", "evaluation, session, …; for the conditions of reminder rules"),
            Column("status", "text", "FisioFlow's word; its class is clinic.status_class's"),
            Column("confirmed_at", "timestamp with time zone", "When the patient said yes"),
            Column("confirmed_via", "text", "How"),
            Column("reminder_sent_at", "timestamp with time zone", "When FisioFlow says that it reminded"),
            _CREATED, _UPDATED, _GONE,
        ),
    ),
    Relation(
        name="sessions", meaning="The clinical records of visits, without their text.",
        columns=(
            _ID, _CLINIC, _PATIENT, Column("appointment_id", "text", "Its visit, if there was one"),
            Column("therapist_id", "text", "Its author, a staff.user_id"),
            Column("date", "timestamp with time zone", "Of the visit"),
            Column("status", "text", "draft, under_review, finalized or cancelled"), _CREATED, _UPDATED,
            Column("finalized_at", "timestamp with time zone", "When it was closed"), _GONE,
        ),
    ),
    Relation(
        name="packages", meaning="What patients have paid in advance: packages of sessions, and vouchers.",
        columns=(
            _ID, Column("kind", "text", "package or voucher"), _CLINIC, _PATIENT,
            Column("name", "text", "As sold; may be empty"), Column("total_sessions", "integer", "As sold"),
            Column("used_sessions", "integer", "Of them"), Column("remaining_sessions", "integer", "Of them"),
            Column("expires_on", "date", "Civil day, where FisioFlow keeps one"),
            Column("expires_at", "timestamp with time zone", "Instant, where it keeps one"),
            Column("is_active", "boolean", "Neither used up nor cancelled nor expired by hand"), _GONE,
        ),
    ),
    Relation(
        name="payments", meaning="Payments, as far as they belong to visits.",
        columns=(
            _ID, _CLINIC, Column("appointment_id", "text", "The visit paid"), _PATIENT,
            Column("amount", "numeric", "Reais"), Column("status", "text", "paid, pending, …"),
            Column("paid_at", "date", "Civil day"),
        ),
    ),
    Relation(
        name="appointment_statuses", meaning="A clinic's own status words.",
        columns=(
            Column("organization_id", "text", "The clinic"), Column("key", "text", "The word"),
            Column("class", "text", "upcoming, confirmed, done, absent, cancelled, to_rebook; empty: none"),
        ),
    ),
    Relation(
        name="push_tokens", meaning="Devices that take push messages.",
        columns=(
            Column("token", "text", "Expo's"), Column("user_id", "text", "The login it belongs to"),
            Column("active", "boolean", "Whether it still takes messages"),
        ),
    ),
    Relation(
        name="notification_history", meaning="FisioFlow's log of notifications; cleaned up.",
        columns=(_ID, _CREATED), needed=False,
    ),
    Relation(
        name="password_reset_tokens", meaning="FisioFlow's reset tokens; cleaned up.",
        columns=(_ID, _CREATED), needed=False,
    ),
    Relation(
        name="system_health_logs", meaning="FisioFlow's health log; cleaned up.",
        columns=(_ID, _CREATED), needed=False,
    ),
    Relation(
        name="old_messages",
        meaning="What FisioFlow's old crons sent: compared with shadow mode, and not said again.",
        columns=(
            _ID, Column("kind", "text", "The name of the job that sends the same here"), _CLINIC, _PATIENT,
            Column("appointment_id", "text", "The visit, if it was about one"),
            Column("channel", "text", "whatsapp, email or push"),
            Column("sent_at", "timestamp with time zone", "When"),
        ),
        needed=False,
    ),
    Relation(
        name="session_contents",
        meaning="What the records of visits say: clinical text, which only the insights read.",
        columns=(
            Column("session_id", "text", "The session"), _CLINIC, _PATIENT,
            Column("pain_scale", "integer", "0 to 10"),
            Column("note", "text", "The main note, with HTML"),
            Column("procedures", "jsonb", "A list: names, or objects with one"),
            Column("exercises", "jsonb", "A list: names, or objects with sets, repetitions, load, seconds"),
            Column("measurements", "jsonb", "A list of objects with name, value, unit, side"),
            Column("home_exercises", "jsonb", "As exercises"),
        ),
        needed=False,
    ),
    Relation(
        name="patient_profiles",
        meaning="What else is known of a patient; only the insights read it. Who has no row does not consent.",
        columns=(
            _PATIENT, _CLINIC, Column("sex", "text", "M, F or O"),
            Column("complaint", "text", "The main one"),
            Column("allows_insights", "boolean", "Whether the patient has not switched AI off"),
            Column("consents", "boolean", "To the use of the data; empty: no"),
            Column("identifiers", "text[]", "By what else the patient is known: never sent, taken out of texts"),
        ),
        needed=False,
    ),
)  # fmt: skip

#: By name.
RELATIONS: Final[Mapping[str, Relation]] = {row.name: row for row in ROWS}

#: Writes insights; the only one that nothing else needs.
STORE_INSIGHTS: Final = "clinic.store_insights(text, text, jsonb, text[], timestamp with time zone)"

#: Named functions by which clinic rows are written or words are read.
FUNCTIONS: Final = (
    Function("clinic.status_class(text)", "The class of a status word."),
    Function("clinic.status_class(text, text)", "The class of a status word in a clinic."),
    Function("clinic.confirm_appointment(text, timestamp with time zone, text)", "A patient confirms a visit."),
    Function("clinic.disable_push_token(text)", "A device takes no messages any more."),
    Function(
        STORE_INSIGHTS, "A patient's insights are written, and those expire that they replace.", needed=False
    ),
)
