"""Which documents have to be visited, and what a visit has to do: the mirror's lists against what we know.

One comparison in SQL for the whole table, the same one again for each document just before it is asked for:
another run may have been faster, and the mirror may know more by then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fisio_ayida.bdns.documents.model import Announcement, Gone, Known, Origin, State, Target

Connection = psycopg.Connection[Any]


class Action(StrEnum):
    """What a visit has to do."""

    FETCH = "fetch"
    REFUSE = "refuse"  # announced larger than we take: no request
    RESTORE = "restore"  # announced again as before, the bytes are here: no request
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which documents: of calls registered from ``first`` to ``last`` (both included), or all, plans too."""

    first: dt.date | None = None
    last: dt.date | None = None

    @property
    def is_everything(self) -> bool:
        return self.first is None


# What of an announcement makes a document another one. A change of these words makes all documents due once.
_CALLS = """
select 'convocatoria' as origen, d.id, d.codigo_bdns as parent, c.fecha_recepcion as day, d.nombre_fic, d.long,
       d.dat_mod, d.dat_publicacion, null::integer as ejercicio, null as tipo_documento,
       encode(sha256(convert_to(jsonb_build_array(
         d.nombre_fic, d.long, d.dat_mod, d.dat_publicacion)::text, 'UTF8')), 'hex') as fingerprint
from bdns.convocatorias_documentos d join bdns.convocatorias c using (codigo_bdns)
"""
_PLANS = """
select 'plan' as origen, d.id, d.id_plan::text as parent, p.fecha_aprobacion as day, d.nombre_fic,
       null::bigint as long, null::date as dat_mod, null::date as dat_publicacion, d.ejercicio, d.tipo_documento,
       encode(sha256(convert_to(jsonb_build_array(
         d.nombre_fic, d.ejercicio, d.tipo_documento)::text, 'UTF8')), 'hex') as fingerprint
from bdns.planes_estrategicos_documentos d join bdns.planes_estrategicos p on p.id = d.id_plan
"""
_PARENT = "coalesce(s.codigo_bdns, s.id_plan::text)"
# The parent of then still has it: a document that two of them announce belongs to the first that we saw.
_HELD = """case s.origen
  when 'convocatoria' then exists (
    select from bdns.convocatorias_documentos o where o.codigo_bdns = s.codigo_bdns and o.id = s.id)
  else exists (
    select from bdns.planes_estrategicos_documentos o where o.id_plan = s.id_plan and o.id = s.id) end"""
_DUE = f"""
s.id is null
or ({_PARENT} = a.parent or not {_HELD}) and (
  s.fingerprint <> a.fingerprint
  or {_PARENT} <> a.parent
  or s.state = 'failed' and s.next_attempt_at <= %(now)s
  or s.state = 'refused' and s.refused_over < %(most_bytes)s
  or s.state = 'gone' and s.gone_reason = 'unlisted')
"""


def due(conn: Connection, scope: Scope, *, now: dt.datetime, most_bytes: int, limit: int | None) -> list[Target]:
    """The documents to visit, newest call first, at most ``limit`` if one is given."""
    rows = conn.execute(
        f"""
        select a.origen, a.id, a.parent, a.day from ({_announced(scope)}) a
        left join bdns.documentos s on s.origen = a.origen and s.id = a.id
        where {_DUE}
        order by a.day desc nulls last, a.origen, a.id desc limit %(limit)s
        """,
        {"first": scope.first, "last": scope.last, "now": now, "most_bytes": most_bytes, "limit": limit},
    ).fetchall()
    # One that two calls announce is one visit.
    found = {(origin, id_): Target(Origin(origin), id_, parent, day) for origin, id_, parent, day in rows}
    return list(found.values())


def left(conn: Connection, scope: Scope, *, now: dt.datetime, most_bytes: int) -> int:
    """How many documents are due."""
    row = conn.execute(
        f"""
        select count(*) from ({_announced(scope)}) a
        left join bdns.documentos s on s.origen = a.origen and s.id = a.id where {_DUE}
        """,
        {"first": scope.first, "last": scope.last, "now": now, "most_bytes": most_bytes},
    ).fetchone()
    return int(row[0]) if row else 0


def look(conn: Connection, target: Target) -> tuple[Announcement, Known | None] | None:
    """What is announced of a document now and what we know of it; None when it is not announced."""
    source, key = (
        (_CALLS, "d.codigo_bdns = %(parent)s")
        if target.origin is Origin.CALL
        else (_PLANS, "d.id_plan = %(parent)s::bigint")
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            f"""
            select a.*, s.id as known_id, {_PARENT} as known_parent, {_HELD} as held, s.fingerprint as known_as,
                   s.state, s.sha256, s.gone_reason, s.attempts, s.next_attempt_at, s.doubtful_sha256,
                   s.refused_over
            from ({source} where {key} and d.id = %(id)s) a
            left join bdns.documentos s on s.origen = a.origen and s.id = a.id
            """,
            {"parent": target.parent, "id": target.id},
        ).fetchone()
    if row is None:
        return None
    announced = Announcement(
        Target(target.origin, target.id, target.parent, row["day"]),
        row["nombre_fic"],
        row["long"],
        row["dat_mod"],
        row["dat_publicacion"],
        row["ejercicio"],
        row["tipo_documento"],
        row["fingerprint"],
    )
    if row["known_id"] is None:
        return announced, None
    known = Known(
        row["known_parent"],
        row["held"],
        row["known_as"],
        State(row["state"]),
        row["sha256"],
        Gone(row["gone_reason"]) if row["gone_reason"] else None,
        row["attempts"],
        row["next_attempt_at"],
        row["doubtful_sha256"],
        row["refused_over"],
    )
    return announced, known


def action(
    announced: Announcement, known: Known | None, *, now: dt.datetime, most_bytes: int, asked: bool = False
) -> Action:
    """What to do with a document; ``asked`` when a person or an app names this one: then no pause is kept."""
    fetch = Action.FETCH if announced.long is None or announced.long <= most_bytes else Action.REFUSE
    if known is None:
        return fetch
    moved = known.parent != announced.target.parent
    if moved and known.held:
        return Action.NOTHING
    if known.fingerprint != announced.fingerprint:
        return fetch
    if known.state is State.STORED:
        return Action.RESTORE if moved else Action.NOTHING
    if known.state is State.GONE and known.gone_reason is Gone.UNLISTED:
        return Action.RESTORE if known.sha256 else fetch
    if asked:
        return fetch
    if known.state is State.FAILED and known.next_attempt_at is not None and known.next_attempt_at <= now:
        return fetch
    if known.state is State.REFUSED and known.refused_over is not None and known.refused_over < most_bytes:
        return fetch
    return Action.NOTHING


def days_of(conn: Connection, days: Sequence[dt.date]) -> dict[dt.date, dict[str, int]]:
    """For each registration day: documents announced, and how many of them are in each state, with their bytes."""
    rows = conn.execute(
        """
        select c.fecha_recepcion, coalesce(s.state, 'waiting'), count(*), coalesce(sum(s.size_bytes), 0)
        from bdns.convocatorias c join bdns.convocatorias_documentos d using (codigo_bdns)
        left join bdns.documentos s on s.origen = 'convocatoria' and s.id = d.id
        where c.fecha_recepcion = any(%s) group by 1, 2
        """,
        [list(days)],
    ).fetchall()
    found: dict[dt.date, dict[str, int]] = {day: {"announced": 0, "bytes": 0} for day in days}
    for day, state, count, size in rows:
        numbers = found[day]
        numbers["announced"] += count
        numbers[state] = count
        numbers["bytes"] += int(size)
    return found


def _announced(scope: Scope) -> str:
    if scope.is_everything:
        return f"{_CALLS} union all {_PLANS}"
    return f"{_CALLS} where c.fecha_recepcion between %(first)s and %(last)s"
