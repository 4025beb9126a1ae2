"""Birthday messages: who is greeted today, by whom, and where (CONTRACT clinic §5.4).

Here: the question to the clinic's patients. Not here: the text, and whether the patient wants it.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Proposal
from fisio_ayida.clinic.organizations import days
from fisio_ayida.clinic.telling import PERSON, Telling, once, tell
from fisio_ayida.clinic.visits import DAY, MIDNIGHT
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Cause, Channel

JOB: Final = "birthday_messages"
TEMPLATE: Final = "birthday"
#: Nobody was ever older; a year of birth that says so was mistyped.
OLDEST_YEARS: Final = 120

_QUERY: Final = f"""
select p.organization_id, to_char(p.date_of_birth, 'MM-DD') as born, o.day, s.full_name as professional, {PERSON}
from unnest(%(ids)s::text[], %(days)s::date[], %(births)s::text[]) o (id, day, births)
join clinic.patients p on p.organization_id = o.id
  and to_char(p.date_of_birth, 'MM-DD') = any(string_to_array(o.births, ','))
left join clinic.staff s on s.user_id = p.professional_id and s.organization_id = p.organization_id and s.is_active
where p.deleted_at is null
  and p.date_of_birth between o.day - make_interval(years => %(oldest)s) and o.day - 1
"""


def find(desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order) -> Proposal:
    """The greetings of the civil day that the run's moment is in each clinic."""
    ids, today = days(list(clinics), order.nominal)
    by_id = {clinic.id: clinic for clinic in clinics}
    births = [",".join(born_on(day, by_id[id].rules.leap_birthday)) for id, day in zip(ids, today, strict=True)]
    proposal = Proposal()
    with there.cursor(row_factory=namedtuple_row) as cur:
        values = {"ids": ids, "days": today, "births": births, "oldest": OLDEST_YEARS}
        rows: list[Any] = cur.execute(_QUERY, values).fetchall()
    for row in rows:
        tell(_greeting(by_id[row.organization_id], row), row, proposal)
    return once(desk.conn, proposal)


def born_on(day: dt.date, leap_birthday: str) -> list[str]:
    """The birthdays, as MM-DD, that are kept on a civil day: those of 29 February need one in other years."""
    births = [f"{day:%m-%d}"]
    if not calendar.isleap(day.year) and births[0] == leap_birthday:
        births.append("02-29")
    return births


def _greeting(clinic: Clinic, row: Any) -> Telling:
    def key(channel: Channel) -> str:
        return keys.birthday(row.patient_id, row.day.year, channel)

    return Telling(
        clinic=clinic, job=JOB, template=TEMPLATE, key=key, cause=Cause("birthday", row.patient_id, row.born),
        variables={"profissional": row.professional}, both=clinic.rules.birthday_channels == "both",
        # A greeting a day late is worse than none.
        due_at=clinic.instant(row.day, MIDNIGHT), not_after=clinic.instant(row.day + DAY, MIDNIGHT),
    )  # fmt: skip
