"""The reports' numbers in ``jobs.reports``: what was counted last is what is there.

Here: writing and reading the table. Not here: counting, and the mails.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from fisio_ayida.clinic.model import Connection, Order
from fisio_ayida.clinic.reports import frames
from fisio_ayida.clinic.reports.periods import Kind

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ", ".join(frames.DTYPES)
# In order: of two runs at once the second one waits at the first clinic, and neither waits for the other.
_UPSERT: Final = f"""
insert into jobs.reports (kind, {_COLUMNS}, computed_at, run_id)
select %(kind)s, {_COLUMNS}, %(now)s, %(run_id)s
from json_to_recordset(convert_from(%(rows)b, 'UTF8')::json)
  as r (organization_id text, first_day date, therapist_id text,
        {", ".join(f"{each} integer" for each in frames.COUNTS)})
order by organization_id, therapist_id
on conflict (kind, organization_id, first_day, therapist_id) do update set
  {", ".join(f"{each} = excluded.{each}" for each in frames.COUNTS)},
  computed_at = excluded.computed_at, run_id = excluded.run_id
"""
# Of the same periods, what this run has not just written.
_GONE: Final = """
delete from jobs.reports d
using unnest(%(ids)s::text[], %(days)s::date[]) p (organization_id, first_day)
where d.kind = %(kind)s and d.organization_id = p.organization_id and d.first_day = p.first_day
  and (d.run_id, d.computed_at) is distinct from (%(run_id)s, %(now)s)
"""
_STORED: Final = f"""
select {_COLUMNS} from jobs.reports where kind = %(kind)s and first_day = %(first_day)s
order by organization_id, therapist_id
"""


def store(ours: Connection, kind: Kind, frame: pd.DataFrame, order: Order) -> None:
    """Write a frame in place of what is there of its clinics' periods."""
    written = frame.assign(first_day=frame["first_day"].dt.strftime("%Y-%m-%d"))
    wholes = written[written["therapist_id"] == frames.WHOLE]
    values = {"kind": kind, "now": order.now, "run_id": order.run_id}
    ours.execute(_UPSERT, values | {"rows": msgspec.json.encode(written.to_dict("records"))})
    ours.execute(_GONE, values | {"ids": wholes["organization_id"].tolist(), "days": wholes["first_day"].tolist()})


def stored(ours: Connection, kind: Kind, first_day: dt.date) -> pd.DataFrame:
    """The frame of all clinics' stored numbers of a day, or of the week that begins on it."""
    return frames.frame(ours.execute(_STORED, {"kind": kind, "first_day": first_day}).fetchall())
