"""Expiring packages and vouchers: who still has sessions that are lost in a week (CONTRACT clinic §5.5).

Here: the question to the clinic's packages. A patient is told on every channel that reaches them, once for each
expiry day: what a run told, a later one does not tell again, though it be on another channel (``telling.once``);
a session used before the message goes makes it stale, and the next run tells the balance of then.
Days without a run are made up for while the expiry is ahead. Not here: the text, and whether anybody wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Proposal
from fisio_ayida.clinic.organizations import days
from fisio_ayida.clinic.telling import PERSON, Telling, once, tell, withhold
from fisio_ayida.clinic.visits import DAY, MIDNIGHT, Manners, manners
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.cause_queries import PACKAGE_EXPIRY
from fisio_ayida.messaging.model import Cause, Channel
from fisio_ayida.messaging.outbox import LONGEST_WAIT

JOB: Final = "expiring_vouchers"
TEMPLATE: Final = "voucher_expiring"

# The outer limits are only for indexes: two days more than any zone needs.
_QUERY: Final = f"""
select g.id, g.kind, g.organization_id, g.expiry, g.remaining_sessions as balance, g.patient_id as owner,
       coalesce(nullif(btrim(g.name), ''), 'Pacote de sessões') as package,
       p.organization_id as patients_clinic, {PERSON}
from unnest(%(ids)s::text[], %(firsts)s::date[], %(lasts)s::date[]) o (id, first, last)
join (select g.*, {PACKAGE_EXPIRY} as expiry from clinic.packages g
      where g.is_active and g.deleted_at is null and g.remaining_sessions > 0
        and (g.expires_on between %(first)s and %(last)s
             or g.expires_at between %(first)s::date - 2 and %(last)s::date + 2)) g
  on g.organization_id = o.id and g.expiry between o.first and o.last
left join clinic.patients p on p.id = g.patient_id
order by g.id
"""


def find(desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order) -> Proposal:
    """The warnings of the days from tomorrow to the clinic's ``voucher_days``; the key tells which are new."""
    ids, today = days(list(clinics), order.nominal)
    by_id = {clinic.id: clinic for clinic in clinics}
    firsts = [day + DAY for day in today]
    lasts = [day + by_id[id].rules.voucher_days * DAY for id, day in zip(ids, today, strict=True)]
    values = {
        "ids": ids, "firsts": firsts, "lasts": lasts, "first": min(firsts), "last": max(lasts),
        "policies": Jsonb({clinic.id: {"zone": clinic.zone.key} for clinic in clinics}),
    }  # fmt: skip
    with there.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_QUERY, values).fetchall()
    spoken, proposal = manners(desk.conn, clinics), Proposal()
    for row in rows:
        _warn(_warning(by_id[row.organization_id], row, order, spoken[row.organization_id]), row, proposal)
    return once(desk.conn, proposal)


def _warn(warning: Telling, row: Any, proposal: Proposal) -> None:
    if row.patient_id is None:
        detail = "the package has no patient" if row.owner is None else "the package's patient does not exist"
        withhold(warning, row.owner, "orphan", detail, proposal)
    elif row.patients_clinic != row.organization_id:
        withhold(warning, row.owner, "orphan", "the package's patient is not of its clinic", proposal)
    else:
        tell(warning, row, proposal)


def _warning(clinic: Clinic, row: Any, order: Order, manner: Manners) -> Telling:
    def key(channel: Channel) -> str:
        return keys.expiring(row.kind, row.id, row.expiry, channel)

    expired = clinic.instant(row.expiry + DAY, MIDNIGHT)
    return Telling(
        clinic=clinic, job=JOB, template=TEMPLATE, key=key, both=True,
        cause=Cause("package", row.id, f"{row.expiry} with {row.balance}"),
        variables={
            "pacote": row.package, "data": row.expiry, "saldo": row.balance, "telefone": manner.phone,
        },
        due_at=order.nominal, not_after=min(order.nominal + LONGEST_WAIT, expired),
    )  # fmt: skip
