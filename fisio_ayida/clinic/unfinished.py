"""Sessions that nobody has finished for a week: told to their author, and never deleted (D-02).

One e-mail a week to each author, with days and ids, no names and no text; of sessions without an active author to
the clinic's administrators. Not here: what else the clean-up does (``cleanup.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import notices
from fisio_ayida.clinic.administrators import administrators
from fisio_ayida.clinic.model import Clinic, Connection, Order, Proposal, Withheld
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Draft

JOB: Final = "daily_cleanup"
TEMPLATE: Final = "unfinished_sessions"
#: Since the last change of the session.
UNTOUCHED: Final = dt.timedelta(days=7)
#: Sessions that an e-mail lists, the oldest first; it says how many there are.
LISTED: Final = 50
_NO_AUTHOR: Final = "sem profissional ativo"
_NOBODY_THERE: Final = "neither an active author nor an administrator with an e-mail address"

# The day of the visit, where there is one.
_QUERY: Final = """
select organization_id, author, id, day, sessions
from (
  select s.organization_id, t.user_id as author, s.id, d.day,
         count(*) over whose as sessions, row_number() over (whose order by d.day, s.id) as place
  from unnest(%(ids)s::text[], %(zones)s::text[]) o (id, zone)
  join clinic.sessions s on s.organization_id = o.id
  left join clinic.appointments a on a.id = s.appointment_id and a.organization_id = s.organization_id
  left join lateral (
    select user_id from clinic.staff
    where user_id = s.therapist_id and organization_id = s.organization_id and is_active
      and nullif(btrim(email), '') is not null
    limit 1) t on true
  cross join lateral (
    select coalesce(a.date, (coalesce(s.date, s.created_at) at time zone o.zone)::date) as day) d
  where s.status in ('draft', 'under_review') and s.deleted_at is null and s.updated_at < %(before)s
  window whose as (partition by s.organization_id, t.user_id)) u
where place <= %(listed)s
order by organization_id, author, place
"""


def find(there: Connection, clinics: Sequence[Clinic], order: Order) -> Proposal:
    """The e-mails of the ISO week that the run's moment is in for each clinic; their causes are notices."""
    values = {
        "ids": [clinic.id for clinic in clinics], "zones": [clinic.zone.key for clinic in clinics],
        "before": order.nominal - UNTOUCHED, "listed": LISTED,
    }  # fmt: skip
    by_reader: dict[str, dict[str | None, list[Any]]] = defaultdict(lambda: defaultdict(list))
    with there.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_QUERY, values).fetchall()
    for row in rows:
        by_reader[row.organization_id][row.author].append(row)
    orphaned = [id for id, rows in by_reader.items() if None in rows]
    admins = administrators(there, orphaned) if orphaned else {}
    proposal = Proposal()
    for clinic in clinics:
        own = by_reader.get(clinic.id, {})
        _tell(clinic, own, admins.get(clinic.id, []), order, proposal)
    return proposal


def _tell(
    clinic: Clinic, own: dict[str | None, list[Any]], admins: Sequence[str], order: Order, proposal: Proposal
) -> None:
    nobodys = own.get(None, [])
    if nobodys and not admins:
        proposal.withheld.append(Withheld(
            key=keys.unfinished(clinic.id, "-", _week(clinic, order)), organization_id=clinic.id,
            reason="no_address", detail=_NOBODY_THERE, channel="email", template=TEMPLATE,
        ))  # fmt: skip
    for reader in sorted({author for author in own if author is not None} | set(admins if nobodys else ())):
        theirs = own.get(reader, [])
        also = nobodys if reader in admins else []
        rows = [*_shown(theirs), *_shown(also, _NO_AUTHOR)]
        many = sum(each[0].sessions for each in (theirs, also) if each)
        draft = _draft(clinic, reader, rows, many, order)
        proposal.drafts.append(draft)
        if also:
            proposal.needs[draft.key] = ("administrator",)


def _shown(rows: Iterable[Any], situation: str = "") -> list[dict[str, object]]:
    return [{"data": row.day, "sessao": row.id, "situacao": situation} for row in rows]


def _draft(clinic: Clinic, reader: str, rows: list[dict[str, object]], many: int, order: Order) -> Draft:
    key = keys.unfinished(clinic.id, reader, _week(clinic, order))
    monday = clinic.day(order.nominal) - dt.timedelta(days=clinic.day(order.nominal).weekday())
    return Draft(
        key=key, job=JOB, channel="email", category="transactional", organization_id=clinic.id, user_id=reader,
        template=TEMPLATE, variables={"clinica": clinic.name or clinic.id, "abertas": many, "sessoes": rows},
        cause=notices.cause(key),
        # The next week has one of its own.
        not_after=clinic.instant(monday + dt.timedelta(days=7), dt.time()),
    )  # fmt: skip


def _week(clinic: Clinic, order: Order) -> str:
    week = clinic.day(order.nominal).isocalendar()
    return f"{week.year}-w{week.week:02}"
