"""The other channel: a WhatsApp message that failed, or is unknown, goes by e-mail while it is useful.

A new message with a key of its own and the same stem (CONTRACT clinic §14.4). Here: finding and planning them. Not
here: which templates have another channel (their registry), and dropping it again when the first one does arrive.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.messaging import causes, keys
from fisio_ayida.messaging.model import Cause, Draft, MessagingError
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.messaging.rules import CauseNow
from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.clinic import ClinicDoor

#: What failed longer ago is no longer looked at: nothing with another channel is useful for so long.
LOOK_BACK = dt.timedelta(days=2)

_FIND = """
select m.id, m.key, m.organization_id, m.patient_id, m.category, m.template, m.cause_kind, m.cause_id,
       m.cause_version, m.content, m.priority, m.heeds_quiet, m.not_after,
       m.changed_at + coalesce(y.fallback_after, interval '30 minutes') as due_at
from messaging.messages m
left join messaging.policies y on y.organization_id = m.organization_id
where m.state in ('failed', 'unknown') and m.changed_at > %(since)s and m.id > %(after)s
  and m.channel = 'whatsapp' and m.template = any(%(templates)s) and m.patient_id is not null
  and m.cause_kind is not null and (m.content is not null or m.cause_kind <> 'event')
  and m.not_after > greatest(%(now)s, m.changed_at + coalesce(y.fallback_after, interval '30 minutes'))
  and not exists (select 1 from messaging.messages f where f.fallback_of = m.id)
order by m.id limit %(page)s
"""
_PAGE = 500


def plan_fallbacks(
    conn: psycopg.Connection[Any], outbox: Outbox, clinic: ClinicDoor, *, now: dt.datetime, log: Log
) -> int:
    """Plan the e-mails that take the place of WhatsApp messages; gives their number.

    They are due when the clinic's patience is over. Until then a receipt may still show that the first message has
    arrived: the rules are asked when the e-mail is to be sent.
    """
    planned, after = 0, 0
    while True:
        with conn.transaction():
            rows = _find(conn, after, now)
            planned += _plan(conn, outbox, clinic, rows, now, log)
        if len(rows) < _PAGE:
            return planned
        after = rows[-1].id


def _find(conn: psycopg.Connection[Any], after: int, now: dt.datetime) -> list[Any]:
    templates = [t.name for t in TEMPLATES.values() if t.fallback == "email"]
    values = {"since": now - LOOK_BACK, "now": now, "templates": templates, "after": after, "page": _PAGE}
    with conn.cursor(row_factory=namedtuple_row) as cur:
        return cur.execute(_FIND, values).fetchall()


def _plan(
    conn: psycopg.Connection[Any], outbox: Outbox, clinic: ClinicDoor, rows: list[Any], now: dt.datetime, log: Log
) -> int:
    about = {(row.cause_kind, row.cause_id): row.organization_id for row in rows}
    readings = causes.read(conn, about, now=now, clinic=clinic)
    planned = 0
    for row in rows:
        reading = readings[row.cause_kind, row.cause_id]
        if not _is_useful(row, reading.towards(row.organization_id, row.patient_id)):
            continue
        try:
            if row.content is None:
                letter = outbox.letters.again(row.cause_kind, row.cause_id, row.template, reading.variables)
            else:
                letter = outbox.letters.open(row.content, row.key)
            draft = Draft(
                key=keys.on_other_channel(row.key, "email"), job="fallback", channel="email",
                category=row.category, organization_id=row.organization_id, patient_id=row.patient_id,
                template=row.template, variables=letter.variables or {},
                cause=Cause(row.cause_kind, row.cause_id, row.cause_version), priority=row.priority,
                due_at=row.due_at, heeds_quiet=row.heeds_quiet, not_after=row.not_after, fallback_of=row.id,
            )  # fmt: skip
            planned += sum(each.is_new for each in outbox.plan(conn, [draft], now=now))
        except MessagingError as error:
            log.warning("message %s gets no e-mail in its place: %s", row.id, error)
    return planned


def _is_useful(row: Any, cause: CauseNow) -> bool:
    if not cause.wanted or row.cause_version not in (None, cause.version):
        return False
    return cause.useless_from is None or cause.useless_from > row.due_at
