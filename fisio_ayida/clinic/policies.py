"""What a clinic wants of the jobs and of its messages: reading and setting its rules, one by one, as text.

Here: which rules there are, from two tables (``jobs.policies``, ``messaging.policies``), and their defaults. Not
here: their values as text (``policy_values.py``), and what follows from them (the jobs, ``messaging/rules.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fisio_ayida.clinic import policy_values as v
from fisio_ayida.clinic.model import Rules
from fisio_ayida.clinic.reminder_rules import RuleError
from fisio_ayida.messaging.quiet import DEFAULT
from fisio_ayida.telemetry import excerpt
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]
Table = Literal["messaging", "jobs"]

#: The word that gives a rule back to its default.
UNSET: Final = "default"
#: Characters of a wrong value that an error repeats.
ECHOED: Final = 80

_EXISTS: Final = "select exists (select from clinic.organizations where id = %s)"


class BadPolicy(ValueError):
    """A rule cannot be that; the text names it and the value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``read``: its value from text; raises ValueError with what is expected."""

    name: str
    table: Table
    default: Any
    read: Callable[[str], Any]
    meaning: str


@dataclass(frozen=True, slots=True)
class Held:
    """A rule as a clinic has it. ``value``: as text that could be given again, empty where there is none."""

    name: str
    value: str
    is_default: bool
    meaning: str


def policy(conn: Connection, door: ClinicDoor, organization: str) -> list[Held]:
    """All rules of a clinic.

    Raises:
        BadPolicy: there is no such clinic.
    """
    _known_clinic(conn, door, organization)
    values = _values(conn, organization)
    return [
        Held(rule.name, v.shown(values[rule.name]), values[rule.name] == rule.default, rule.meaning)
        for rule in ROWS
    ]  # fmt: skip


def change(
    conn: Connection, door: ClinicDoor, organization: str, words: Mapping[str, str], *, now: dt.datetime
) -> None:
    """Set rules, all of them or, if one cannot be, none. ``words``: a value or :data:`UNSET`, by rule.

    Raises:
        BadPolicy: there is no such clinic or rule, or a value cannot be.
    """
    values = {name: _read(name, text) for name, text in words.items()}
    _known_clinic(conn, door, organization)
    with conn.transaction():
        after = _values(conn, organization) | values
        first, end = after["reactivation_from"], after["reactivation_to"]
        if end <= first:
            raise BadPolicy(f"reactivation_to={end} must be after reactivation_from={first}")
        tables: dict[Table, dict[str, Any]] = {"messaging": {}, "jobs": {}}
        for name, value in values.items():
            tables[RULES[name].table][name] = value
        for table, columns in tables.items():
            if columns:
                _write(conn, table, organization, columns, now)


def _read(name: str, text: str) -> Any:
    rule = RULES.get(name)
    if rule is None:
        raise BadPolicy(f"{excerpt(name, ECHOED)!r} is no rule; the rules: {', '.join(RULES)}")
    if text.strip() == UNSET:
        return rule.default
    try:
        return rule.read(text.strip())
    except RuleError as error:
        raise BadPolicy(excerpt(str(error), 4 * ECHOED)) from None
    except ValueError as error:
        raise BadPolicy(f"{name}={excerpt(text, ECHOED)!r} is not {error}") from None


def _known_clinic(conn: Connection, door: ClinicDoor, organization: str) -> None:
    row = door.on(conn).execute(_EXISTS, [organization]).fetchone()
    if row is None or not row[0]:
        raise BadPolicy(f"organization={organization!r} does not exist or is not visible")


def _values(conn: Connection, organization: str) -> dict[str, Any]:
    values = {rule.name: rule.default for rule in ROWS}
    for table in ("messaging", "jobs"):
        names = sql.SQL(", ").join(sql.Identifier(rule.name) for rule in ROWS if rule.table == table)
        query = sql.SQL("select {} from {} where organization_id = %s")
        with conn.cursor(row_factory=dict_row) as cur:
            row = cur.execute(query.format(names, sql.Identifier(table, "policies")), [organization]).fetchone()
        values |= row or {}
    return values


def _write(
    conn: Connection, table: Table, organization: str, columns: Mapping[str, Any], now: dt.datetime
) -> None:
    given = {**columns, "changed_at": now}
    names = [sql.Identifier(name) for name in given]
    query = sql.SQL(
        "insert into {table} (organization_id, {names}) values (%s, {holes}) "
        "on conflict (organization_id) do update set ({names}) = row ({excluded})"
    ).format(
        table=sql.Identifier(table, "policies"), names=sql.SQL(", ").join(names),
        holes=sql.SQL(", ").join([sql.Placeholder()] * len(names)),
        excluded=sql.SQL(", ").join(sql.SQL("excluded.{}").format(name) for name in names),
    )  # fmt: skip
    plain = [Jsonb(value) if isinstance(value, list) else value for value in given.values()]
    try:
        conn.execute(query, [organization, *plain])
    except (psycopg.errors.CheckViolation, psycopg.DataError) as error:
        # Somebody else has set the other one meanwhile, or PostgreSQL does not know a zone.
        raise BadPolicy(f"{', '.join(columns)}: the database refuses it: {error.diag.message_primary}") from None


# As the tables' own checks.
_MONTH, _YEAR = dt.timedelta(days=30), dt.timedelta(days=366)
_DEFAULTS: Final = {each.name: each.default for each in dataclasses.fields(Rules)}


def _of_jobs(name: str, read: Callable[[str], Any], meaning: str) -> Rule:
    return Rule(name, "jobs", _DEFAULTS[name], read, meaning)


def _of_messages(name: str, default: Any, read: Callable[[str], Any], meaning: str) -> Rule:
    return Rule(name, "messaging", default, read, meaning)


#: All of them, in the order in which they are shown.
ROWS: Final = (
    _of_messages("zone", DEFAULT.zone, v.as_zone, "What today, tomorrow and quiet mean"),
    _of_messages("quiet_from", DEFAULT.quiet_from, v.as_clock, "From then on nothing that we plan is sent"),
    _of_messages("quiet_to", DEFAULT.quiet_to, v.as_clock, "Until then; the same as quiet_from: never quiet"),
    _of_messages("quiet_weekends", DEFAULT.weekends, v.as_flag, "Nothing on Saturdays and Sundays"),
    _of_messages(
        "marketing_basis", "consent", v.as_one_of("consent", "legitimate_interest"),
        "Advertisements: to who said yes, or to all who did not say no",
    ),
    _of_messages("whatsapp_account", "", v.as_line(100), "Its own instance or number; empty: the settings'"),
    _of_messages("reply_to", "", v.as_mail, "Where answers to its e-mails go"),
    _of_messages("address", "", v.as_line(200), "As patients read it"),
    _of_messages("phone", "", v.as_line(60), "The reception's, as patients read it"),
    _of_messages(
        "fallback_after", dt.timedelta(minutes=30), v.as_length(_YEAR),
        "WhatsApp without a receipt: an e-mail after that",
    ),
    _of_jobs("reminder_rules", v.as_reminder_rules, "When visits are reminded of; empty: FisioFlow's settings"),
    _of_jobs("reminder_lead", v.as_length(_MONTH), "A visit that begins sooner is not reminded of"),
    _of_jobs("confirms_bookings", v.as_flag, "A word to who has just booked"),
    _of_jobs("confirmation_lead", v.as_length(_MONTH), "A visit that begins sooner is not confirmed"),
    _of_jobs("asks_feedback", v.as_flag, "How was it? after a visit"),
    _of_jobs("feedback_after", v.as_length(_MONTH), "So long after the visit"),
    _of_jobs("feedback_every", v.as_length(_YEAR), "A patient is asked at most so often"),
    _of_jobs("birthday_channels", v.as_one_of("preferred", "both"), "On one channel, or on both"),
    _of_jobs("leap_birthday", v.as_one_of("02-28", "03-01"), "When 29 February is kept in other years"),
    _of_jobs("voucher_days", v.as_number(1, 60), "Packages: so many days before they expire"),
    _of_jobs("reactivates", v.as_flag, "An invitation to who has stayed away"),
    _of_jobs("reactivation_from", v.as_number(1, 3650), "Days since the last visit, included"),
    _of_jobs("reactivation_to", v.as_number(2, 3650), "Days since the last visit, excluded"),
    _of_jobs("reports_empty_days", v.as_flag, "A report of a day on which nothing was"),
    _of_jobs(
        "insights", v.as_one_of("off", "facts", "narrative"),
        "About patients: none; facts alone; facts and, where a model is configured, a narrative",
    ),
    _of_jobs(
        "insights_tokens_per_day", v.as_number(0, 999_999_999),
        "So many of the model's tokens; empty: INSIGHTS_TOKENS_PER_DAY",
    ),
    _of_jobs(
        "insights_cost_per_day", v.as_money,
        "So much in the price table's currency; empty: INSIGHTS_COST_PER_DAY",
    ),
)  # fmt: skip

#: By name.
RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in ROWS}
