"""Writing generations and their items: exactly one a key, and what it says anew is superseded visibly.

Here: our tables. The caller holds the patient (``claiming.is_held``) in the same transaction: what it read is the
newest that anybody has read. Not here: the clinic's table (``publishing.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights.making import Made
from fisio_ayida.insights.model import PROMPT_VERSION, Item, NotWritten, Written
from fisio_ayida.insights.numbers import civil_day

#: An insight says how it was; so long it is shown (CONTRACT clinic §9.6).
EXPIRES: Final = dt.timedelta(days=30)
_NAMES: Final = uuid.UUID("5f0a3c52-6c1e-4b47-9d59-0b8a8a5b1f3e")

_GENERATION: Final = """
insert into insights.generations (key, organization_id, patient_id, session_id, finalized_at, edition,
  prompt_version, model, day, today, facts, facts_version, sessions, narrative, reason, retry_at, created_at,
  ended_at, run_id)
values (%(key)s, %(organization)s, %(patient)s, %(session)s, %(finalized_at)s, %(edition)s,
  %(prompt)s, %(model)s, %(day)s, %(today)s, %(facts)s::jsonb, %(version)s, %(sessions)s, %(narrative)s,
  %(reason)s, %(retry_at)s, %(now)s, %(ended_at)s, %(run_id)s)
on conflict (key) do nothing returning key
"""
_SUPERSEDE: Final = """
update insights.{table} set superseded_by = %(key)s, superseded_at = %(now)s
where organization_id = %(organization)s and patient_id = %(patient)s and key <> %(key)s and superseded_at is null
"""
_ITEM: Final = """
insert into insights.items (id, key, organization_id, patient_id, source, insight_type, insight_text, citations,
  related_metric, metric_value, comparison_value, created_at, expires_at)
values (%(id)s, %(key)s, %(organization)s, %(patient)s, %(source)s, %(type)s, %(text)s, %(citations)s, %(metric)s,
  %(value)s, %(comparison)s, %(now)s, %(expires_at)s)
on conflict do nothing
"""
_REPLACE: Final = """
update insights.items set superseded_by = %(key)s, superseded_at = %(now)s
where key = %(key)s and source = 'facts' and insight_type = any(%(types)s) and superseded_at is null
"""
_END: Final = """
update insights.generations set narrative = %(narrative)s, reason = %(reason)s, detail = %(detail)s,
  tries = tries + %(counts)s::integer, retry_at = %(retry_at)s, scrubbed = scrubbed + %(scrubbed)s,
  ended_at = %(ended_at)s
where key = %(key)s and narrative = 'waiting'
"""
_BEGIN_AGAIN: Final = """
update insights.generations set narrative = 'waiting', reason = 'not_yet', detail = '', tries = 0, retry_at = null,
  ended_at = null
where key = %s and narrative <> 'written' and superseded_at is null
"""
# Of those whom the claim still has in hand.
_PUT_OFF: Final = """
update insights.generations g set reason = 'over_budget', detail = '',
  narrative = case when created_at > %(oldest)s then 'waiting' else 'none' end,
  retry_at = case when created_at > %(oldest)s then %(until)s::timestamptz end,
  ended_at = case when created_at > %(oldest)s then null else %(now)s::timestamptz end
where g.organization_id = %(organization)s and g.patient_id = any(%(patients)s)
  and g.narrative = 'waiting' and g.superseded_at is null
  and exists (
    select from insights.queue q
    where q.organization_id = g.organization_id and q.patient_id = g.patient_id and q.claim = %(claim)s)
returning g.patient_id, g.narrative
"""


def item_id(key: str, source: str, type: str) -> uuid.UUID:
    """The id of an item, here and in the clinic's table: the same however often it is made."""
    return uuid.uuid5(_NAMES, f"{key} {source} {type}")


def store_facts(conn: Connection, made: Made, *, now: dt.datetime, run_id: str) -> bool:
    """Keep what was computed; whether it is new. Everything that was said of the patient before is superseded."""
    record, is_told = made.record, made.reason != ""
    values: dict[str, Any] = {
        "key": made.key, "organization": record.organization_id, "patient": record.patient_id,
        "session": made.newest.id, "finalized_at": made.newest.finalized_at,
        "edition": made.edition, "prompt": PROMPT_VERSION, "model": made.model,
        "day": civil_day(now), "today": made.facts.today,
        "facts": msgspec.json.encode(made.facts).decode(), "version": made.facts.version,
        "sessions": made.facts.sessions, "narrative": "none" if is_told else "waiting",
        "reason": made.reason or "not_yet", "retry_at": None if is_told else now, "now": now,
        "ended_at": now if is_told else None, "run_id": run_id,
    }  # fmt: skip
    if conn.execute(_GENERATION, values).fetchone() is None:
        return False
    _supersede(conn, record.organization_id, record.patient_id, made.key, now)
    _items(conn, made.key, record.organization_id, record.patient_id, made.items, now)
    return True


def store_words(
    conn: Connection, key: str, organization: str, patient: str, written: Written, *, now: dt.datetime
) -> None:
    """Keep a narrative; facts in the clinic's words of the same types are superseded by it."""
    _end(conn, key, "written", scrubbed=written.scrubbed, ended_at=now)
    _items(conn, key, organization, patient, written.items, now)
    conn.execute(_REPLACE, {"key": key, "types": [each.type for each in written.items], "now": now})


def store_reason(
    conn: Connection, key: str, why: NotWritten, *, retry_at: dt.datetime | None, counts: bool, now: dt.datetime
) -> None:
    """Keep why there is no narrative, or not yet.

    Args:
        retry_at: when it is tried again; None: never.
        counts: whether it was one of the tries that there are.
    """
    _end(
        conn, key, "none" if retry_at is None else "waiting", scrubbed=why.scrubbed, reason=why.reason,
        detail=why.detail, retry_at=retry_at, counts=counts, ended_at=now if retry_at is None else None,
    )  # fmt: skip


def begin_again(conn: Connection, key: str) -> None:
    """Somebody asked for words again: whatever came of asking for them is forgotten."""
    conn.execute(_BEGIN_AGAIN, [key])


def withdraw(conn: Connection, organization: str, patient: str, reason: str, *, now: dt.datetime) -> None:
    """Nothing is said of the patient any more, by this organisation, because of ``reason``."""
    _supersede(conn, organization, patient, reason, now)


def put_off_words(
    conn: Connection, claim: uuid.UUID, organization: str, patients: Sequence[str], *, until: dt.datetime,
    oldest: dt.datetime, now: dt.datetime,
) -> dict[str, bool]:  # fmt: skip
    """The budget is spent for all of these: their words wait; gives whether they still do.

    Args:
        until: when they are tried again.
        oldest: what was made by then waits no more.
    """
    values = {
        "claim": claim, "organization": organization, "patients": list(patients), "until": until, "oldest": oldest,
        "now": now,
    }  # fmt: skip
    return {patient: state == "waiting" for patient, state in conn.execute(_PUT_OFF, values)}


def _supersede(conn: Connection, organization: str, patient: str, by: str, now: dt.datetime) -> None:
    """Whatever else was said of the patient by this organisation is said no more. ``by``: a key, or a reason."""
    values = {"organization": organization, "patient": patient, "key": by, "now": now}
    for table in ("generations", "items"):
        conn.execute(_SUPERSEDE.format(table=table).encode(), values)


def _end(
    conn: Connection, key: str, narrative: str, *, scrubbed: dict[str, int], reason: str = "", detail: str = "",
    retry_at: dt.datetime | None = None, counts: bool = True, ended_at: dt.datetime | None,
) -> None:  # fmt: skip
    conn.execute(_END, {
        "key": key, "narrative": narrative, "reason": reason, "detail": detail, "retry_at": retry_at,
        "counts": counts, "scrubbed": sum(scrubbed.values()), "ended_at": ended_at,
    })  # fmt: skip


def _items(
    conn: Connection, key: str, organization: str, patient: str, items: Sequence[Item], now: dt.datetime
) -> None:
    types = [each.type for each in items]
    if len(types) != len(set(types)):
        raise ValueError(f"items: one of each type is expected, {', '.join(sorted(types))} came")
    rows = [
        {
            "id": item_id(key, each.source, each.type), "key": key, "organization": organization,
            "patient": patient, "source": each.source, "type": each.type, "text": each.text,
            "citations": list(each.citations), "metric": each.metric, "value": each.value,
            "comparison": each.comparison, "now": now, "expires_at": now + EXPIRES,
        }
        for each in items
    ]  # fmt: skip
    with conn.cursor() as cur:
        cur.executemany(_ITEM, rows)
