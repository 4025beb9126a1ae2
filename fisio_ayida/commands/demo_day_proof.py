"""The proof of the demo's scripted Monday: what is in the tables against what must have come of it.

Here: reading the tables and comparing. Not here: what must come (``simulators/fisioflow/truth.py``), and showing
it (``demo_day_tables.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.simulators.fisioflow import truth
from fisio_ayida.simulators.fisioflow.came import Came
from fisio_ayida.simulators.fisioflow.world import Say, Session, World

if TYPE_CHECKING:
    from fisio_ayida.commands.demo_day import Day

Connection = psycopg.Connection[Any]

#: States of messages that have gone, and of those that will go.
SENT: Final = ("accepted", "delivered", "read")
WAITS: Final = ("planned", "deferred", "retry")

_MESSAGES: Final = """
select organization_id, template, coalesce(patient_id, user_id) as person, channel, state, address_masked,
       case when cause_kind in ('appointment', 'appointments', 'visit', 'package') then cause_id
            else coalesce(patient_id, user_id) end as subject,
       split_part(coalesce(reason, ''), ':', 1) as reason, accepted_at
from messaging.messages where organization_id = any(%s) order by coalesce(accepted_at, changed_at), id
"""
_WITHHELD: Final = """
select organization_id, template, patient_id as person, reason, detail,
       case when cause_kind in ('appointment', 'appointments', 'visit', 'package') then cause_id
            -- A notice's key ends in the colleague and the channel.
            when cause_kind = 'notice' then split_part(key, ':', -2) else patient_id end as subject
from jobs.decisions where organization_id = any(%s) and outcome = 'withheld' order by id
"""
_REPORTED: Final = """
select organization_id, scheduled, done, absent, cancelled, to_rebook, new_patients from jobs.reports
where kind = 'daily' and therapist_id = '' and first_day = %s and organization_id = any(%s)
"""
_FAULTS: Final = """
select organization_id, check_name, problems from jobs.integrity where organization_id = any(%s) and problems > 0
"""
_LOGS: Final = """
select id from (select id from clinic.notification_history union all select id from clinic.password_reset_tokens
                union all select id from clinic.system_health_logs) l where id like %s
"""
_SESSIONS: Final = "select count(*) as rows from clinic.sessions where organization_id = any(%s)"
_STATUS: Final = "select status from clinic.appointments where id = %s"


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that must be so. ``differences``: what is not, for people."""

    what: str
    due: str
    came: str
    differences: tuple[str, ...] = ()


def proven(conn: Connection, day: Day) -> list[Proof]:
    """What must be so, and whether it is."""
    world, clinics = day.world, list(day.world.manners)
    messages = messages_of(conn, clinics)
    due = truth.expected(world)
    came = {Came(row.template, row.subject, row.channel, _became(row)) for row in messages}
    known = {(row.template, row.subject, row.reason) for row in withheld_of(conn, clinics)}
    proofs = _by_template({each for each in due if each.is_planned}, came)
    held = {each for each in due if not each.is_planned}
    missing = [each for each in held if (each.template, each.subject, each.became) not in known]
    proofs.append(Proof("withheld when planning", f"{len(held)}", f"{len(held) - len(missing)}", _lines(missing)))
    proofs.append(_numbers(conn, world))
    proofs.append(_faults(conn, world))
    proofs.append(_confirmed(conn, world))
    proofs.append(_deleted(conn, world))
    failures = tuple(f"{job} {organization}: {error}" for job, organization, error in day.first.failures)
    proofs.append(Proof("organisations that failed", "0", f"{len(failures)}", failures))
    again = day.again.planned + day.again.sent
    proofs.append(Proof(
        "planned or sent when the day is run a second time", "0", f"{again}",
        (f"{day.again.planned} planned, {day.again.sent} sent",) if again else (),
    ))  # fmt: skip
    return proofs


def _by_template(due: set[Came], came: set[Came]) -> list[Proof]:
    proofs = []
    for template in sorted({each.template for each in due | came}):
        must = {each for each in due if each.template == template}
        did = {each for each in came if each.template == template}
        differing = [f"missing: {line}" for line in _lines(must - did)]
        differing += [f"too much: {line}" for line in _lines(did - must)]
        proofs.append(Proof(template, _counts(must), _counts(did), tuple(differing)))
    return proofs


def _counts(came: Iterable[Came]) -> str:
    counted = Counter(each.became for each in came)
    return ", ".join(f"{number} {word}" for word, number in sorted(counted.items())) or "–"


def _lines(came: Iterable[Came]) -> tuple[str, ...]:
    return tuple(f"{each.template} {each.subject} {each.channel} {each.became}" for each in sorted(came))


def _became(row: Any) -> str:
    return "sent" if row.state in SENT else "waits" if row.state in WAITS else row.reason


def _numbers(conn: Connection, world: World) -> Proof:
    """Yesterday's reports."""
    rows = _rows(conn, _REPORTED, world.day - dt.timedelta(days=1), list(world.manners))
    words = ("scheduled", "done", "absent", "cancelled", "to_rebook", "new_patients")
    came = {row.organization_id: {word: getattr(row, word) for word in words} for row in rows}
    due = {id: {word: counted[word] for word in words} for id, counted in truth.numbers(world).items()}
    differing = tuple(f"{id}: {due[id]} is due, {came.get(id)} came" for id in due if due[id] != came.get(id))
    return Proof(
        "visits in yesterday's reports", f"{sum(each['scheduled'] for each in due.values())}",
        f"{sum(each['scheduled'] for each in came.values())}", differing,
    )  # fmt: skip


def _faults(conn: Connection, world: World) -> Proof:
    rows = _rows(conn, _FAULTS, list(world.manners))
    came = {(row.organization_id, row.check_name): row.problems for row in rows}
    due = {(id, check): number for id, found in truth.faults(world).items() for check, number in found.items()}
    differing = tuple(
        f"{id} {check}: {due.get((id, check), 0)} are due, {came.get((id, check), 0)} came"
        for id, check in sorted(due.keys() | came.keys()) if due.get((id, check)) != came.get((id, check))
    )  # fmt: skip
    return Proof("rows that contradict each other", f"{sum(due.values())}", f"{sum(came.values())}", differing)


def _confirmed(conn: Connection, world: World) -> Proof:
    """Who answers 1 has confirmed."""
    said = {event.patient_id for event in world.script if isinstance(event.act, Say) and event.act.text == "1"}
    visits = [visit.id for visit in truth.tomorrow(world) if visit.patient_id in said]
    found = [conn.execute(_STATUS, [id]).fetchone() for id in visits]
    confirmed = [id for id, row in zip(visits, found, strict=True) if row and row[0] == "presenca_confirmada"]
    missing = tuple(sorted(set(visits) - set(confirmed)))
    return Proof("visits confirmed by an answer", f"{len(visits)}", f"{len(visits) - len(missing)}", missing)


def _deleted(conn: Connection, world: World) -> Proof:
    """The clean-up deletes what is old of the logs, and nothing of the clinic."""
    left = {row.id for row in _rows(conn, _LOGS, f"%-{world.mark}")}
    due, [sessions] = truth.kept_logs(world), _rows(conn, _SESSIONS, list(world.manners))
    clinical = len(world.of(Session)) - sessions.rows
    differing = [*(f"log {id}" for id in sorted(left ^ due)), *([f"{clinical} sessions"] if clinical else [])]
    return Proof("rows of logs after the clean-up", f"{len(due)}", f"{len(left)}", tuple(differing))


def messages_of(conn: Connection, clinics: list[str]) -> list[Any]:
    """The outbox of these clinics, in the order in which messages went."""
    return _rows(conn, _MESSAGES, clinics)


def withheld_of(conn: Connection, clinics: list[str]) -> list[Any]:
    """What the jobs decided not to plan for these clinics."""
    return _rows(conn, _WITHHELD, clinics)


def _rows(conn: Connection, query: str, *values: Any) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cur:
        return cur.execute(query, values).fetchall()
