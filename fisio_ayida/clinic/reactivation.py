"""Reactivation: who has not come for a month and has nothing booked (CONTRACT clinic §5.7).

Here: the question to the clinic's visits. Each last visit falls into one week's run, for the days are counted as
civil days and the week is half-open. Not here: the text, and whether the patient wants it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Proposal, Rules
from fisio_ayida.clinic.organizations import days
from fisio_ayida.clinic.telling import PERSON, Telling, once, tell, withhold
from fisio_ayida.clinic.visits import DAY, Manners, manners
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Cause, Channel
from fisio_ayida.messaging.outbox import LONGEST_WAIT

JOB: Final = "reactivation_campaign"
TEMPLATE: Final = "reactivation"

# First the visits of a few days, by their index; then what came later, for each of those patients alone. A booking
# of today or yesterday counts whatever its hour: nobody may have said yet what came of it.
_QUERY: Final = f"""
with candidates as materialized (
  select a.patient_id, a.organization_id, o.today, max(a.date) as last
  from unnest(%(ids)s::text[], %(days)s::date[], %(firsts)s::date[], %(lasts)s::date[]) o (id, today, first, last)
  join clinic.appointments a on a.organization_id = o.id and a.date between o.first and o.last
  where a.date between %(first)s and %(last)s and a.deleted_at is null
    and clinic.status_class(a.status, a.organization_id) = 'done'
  group by a.patient_id, a.organization_id, o.today)
select c.organization_id, c.last, later.booked, {PERSON}
from candidates c
join clinic.patients p on p.id = c.patient_id and p.organization_id = c.organization_id and p.deleted_at is null
cross join lateral (
  select coalesce(bool_or(l.class = 'done' and l.date > c.last), false) as came,
         coalesce(bool_or(l.class in ('upcoming', 'confirmed') and l.date >= c.today - 1), false) as booked
  from (select clinic.status_class(a.status, a.organization_id) as class, a.date
        from clinic.appointments a
        where a.patient_id = c.patient_id and a.date >= least(c.last, c.today - 1)
          and a.deleted_at is null) l) later
where not later.came
order by p.id
"""


def find(desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order) -> Proposal:
    """The invitations of the clinics that want any."""
    by_id = {clinic.id: clinic for clinic in clinics if clinic.rules.reactivates}
    if not by_id:
        return Proposal()
    ids, today = days(list(by_id.values()), order.nominal)
    firsts, lasts = zip(*(window(day, by_id[id].rules) for id, day in zip(ids, today, strict=True)), strict=True)
    values = {
        "ids": ids, "days": today, "firsts": list(firsts),
        "lasts": list(lasts), "first": min(firsts), "last": max(lasts),
    }  # fmt: skip
    with there.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_QUERY, values).fetchall()
    spoken, proposal = manners(desk.conn, list(by_id.values())), Proposal()
    for row in rows:
        invitation = _invitation(by_id[row.organization_id], row, order, spoken[row.organization_id])
        if row.booked:
            withhold(invitation, row.patient_id, "booked", "a visit is booked", proposal)
        else:
            tell(invitation, row, proposal)
    return once(desk.conn, proposal)


def window(day: dt.date, rules: Rules) -> tuple[dt.date, dt.date]:
    """The first and the last day of last visits to which a run on a civil day belongs, both included."""
    return day - (rules.reactivation_to - 1) * DAY, day - rules.reactivation_from * DAY


def _invitation(clinic: Clinic, row: Any, order: Order, manner: Manners) -> Telling:
    def key(channel: Channel) -> str:
        return keys.reactivation(row.patient_id, row.last, channel)

    return Telling(
        clinic=clinic, job=JOB, template=TEMPLATE, key=key,
        cause=Cause("reactivation", row.patient_id, row.last.isoformat()),
        variables={"telefone": manner.phone},
        due_at=order.nominal, not_after=order.nominal + LONGEST_WAIT,
    )  # fmt: skip
