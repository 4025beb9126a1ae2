"""Writing down what a visit came to: ``bdns.documentos`` and, for what ends, ``bdns.documentos_history``.

Each function is one transaction about one document, and writes nothing when the row is no longer the one that was
looked at: another run was faster. A version ends when another announcement takes its place; nothing is deleted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.bdns.documents.model import Announcement, Gone, Kept, Known, Origin, State

Connection = psycopg.Connection[Any]

# After each failed try of one announcement; when they are used up, the check tells a person.
PAUSES = (dt.timedelta(hours=1), dt.timedelta(hours=6), dt.timedelta(days=1), dt.timedelta(days=3))

_LISTINGS = {
    Origin.CALL: "bdns.convocatorias_documentos",
    Origin.PLAN: "bdns.planes_estrategicos_documentos",
}
_IDENTITY = (
    "origen", "id", "codigo_bdns", "id_plan", "nombre_fic", "long", "dat_mod", "dat_publicacion", "ejercicio",
    "tipo_documento", "fingerprint",
)  # fmt: skip
_CONTENT = ("file_name", "path", "size_bytes", "sha256", "content_type", "fetched_at", "valid_from")
_STATE = (
    "state", "gone_at", "gone_reason", "attempts", "attempted_at", "next_attempt_at", "last_error",
    "doubtful_sha256", "refused_over", "run_id",
)  # fmt: skip
_COLUMNS = (*_IDENTITY, *_CONTENT, *_STATE)
_UPSERT = f"""
insert into bdns.documentos ({", ".join(_COLUMNS)}) values ({", ".join(f"%({c})s" for c in _COLUMNS)})
on conflict (origen, id) do update set {", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[2:])}
"""
_PAST = (*_IDENTITY, *_CONTENT)
# A version that has bytes ends: when it was found to be gone, or now.
_END = f"""
insert into bdns.documentos_history ({", ".join(_PAST)}, valid_to, end_kind)
select {", ".join(_PAST)}, coalesce(gone_at, %(now)s),
       case when gone_at is null then 'superseded' else 'withdrawn' end
from bdns.documentos where origen = %(origen)s and id = %(id)s and sha256 is not null
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was found out, and by which run."""

    now: dt.datetime
    run_id: str | None = None


def keep(conn: Connection, announced: Announcement, known: Known | None, kept: Kept, moment: Moment) -> None:
    """The bytes of this announcement are in the store."""
    content = {
        "file_name": kept.file_name,
        "path": kept.path,
        "size_bytes": kept.size,
        "sha256": kept.sha256,
        "content_type": kept.content_type,
        "fetched_at": moment.now,
        "valid_from": moment.now,
    }
    _replace(conn, announced, known, moment, state=State.STORED, **content)


def fail(
    conn: Connection, announced: Announcement, known: Known | None, words: str, moment: Moment,
    *, doubtful: str | None = None,
) -> None:  # fmt: skip
    """A try brought no document; after the last one nobody tries it until it is announced anew."""
    before = known.attempts if known and known.fingerprint == announced.fingerprint else 0
    _replace(
        conn, announced, known, moment,
        state=State.FAILED, attempts=before + 1, last_error=words, doubtful_sha256=doubtful,
        next_attempt_at=moment.now + PAUSES[before] if before < len(PAUSES) else None,
    )  # fmt: skip


def refuse(
    conn: Connection, announced: Announcement, known: Known | None, words: str, moment: Moment, *, over: int
) -> None:
    """It is larger than ``over`` bytes, which is all that we take."""
    _replace(conn, announced, known, moment, state=State.REFUSED, last_error=words, refused_over=over)


def gone(conn: Connection, announced: Announcement, known: Known | None, words: str, moment: Moment) -> None:
    """The source announces it and answers that it does not exist."""
    _replace(
        conn, announced, known, moment,
        state=State.GONE, gone_at=moment.now, gone_reason=Gone.REFUSED, last_error=words,
    )  # fmt: skip


def restore(conn: Connection, announced: Announcement, moment: Moment) -> None:
    """It is announced again as before, perhaps by another call: the bytes that we have are current again."""
    key = {**_identity(announced), "now": moment.now, "run_id": moment.run_id}
    with conn.transaction():
        conn.execute(f"{_END} and gone_at is not null", key)
        conn.execute(
            """
            update bdns.documentos set
              codigo_bdns = %(codigo_bdns)s, id_plan = %(id_plan)s, state = 'stored',
              valid_from = case when gone_at is null then valid_from else %(now)s end,
              gone_at = null, gone_reason = null, last_error = null, run_id = %(run_id)s
            where origen = %(origen)s and id = %(id)s and sha256 is not null
            """,
            key,
        )


def mark_unlisted(conn: Connection, moment: Moment) -> int:
    """Mark what no call and no plan announces any more as gone; how many. Their bytes stay."""
    return sum(
        conn.execute(
            f"""
            update bdns.documentos s set
              state = 'gone', gone_at = coalesce(s.gone_at, %(now)s), gone_reason = 'unlisted',
              next_attempt_at = null, last_error = 'not announced any more', run_id = %(run_id)s
            where s.origen = %(origin)s and s.gone_reason is distinct from 'unlisted'
              and not exists (select from {listing} d where d.id = s.id)
            """,
            {"now": moment.now, "run_id": moment.run_id, "origin": origin},
        ).rowcount
        for origin, listing in _LISTINGS.items()
    )


def _replace(
    conn: Connection, announced: Announcement, known: Known | None, moment: Moment, **columns: Any
) -> None:
    """End the version that is there, if it has bytes, and put another row in its place."""
    identity = _identity(announced)
    row = dict.fromkeys(_COLUMNS) | {"attempts": 0, "attempted_at": moment.now, "run_id": moment.run_id}
    with conn.transaction():
        present = conn.execute(
            """
            select coalesce(codigo_bdns, id_plan::text), fingerprint, state, attempts from bdns.documentos
            where origen = %(origen)s and id = %(id)s for update
            """,
            identity,
        ).fetchone()
        if present != (known and (known.parent, known.fingerprint, known.state, known.attempts)):
            return
        conn.execute(_END, {**identity, "now": moment.now})
        conn.execute(_UPSERT, row | identity | columns)


def _identity(announced: Announcement) -> dict[str, Any]:
    target = announced.target
    call = target.origin is Origin.CALL
    return {
        "origen": target.origin,
        "id": target.id,
        "codigo_bdns": target.parent if call else None,
        "id_plan": None if call else int(target.parent),
        "nombre_fic": announced.nombre_fic,
        "long": announced.long,
        "dat_mod": announced.dat_mod,
        "dat_publicacion": announced.dat_publicacion,
        "ejercicio": announced.ejercicio,
        "tipo_documento": announced.tipo_documento,
        "fingerprint": announced.fingerprint,
    }
