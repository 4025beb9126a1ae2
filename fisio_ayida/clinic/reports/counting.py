"""Counting visits and new patients of all clinics and all periods asked, in one query.

Visits count on their civil day, patients on the civil day of their clinic in which they were registered; what is
deleted does not count. Not here: which periods (``periods.py``), and what is made of the numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.reports import frames
from fisio_ayida.clinic.reports.periods import Period

if TYPE_CHECKING:
    import pandas as pd

#: How a status word looks (CONTRACT clinic §2.4); anything else may be a sentence about somebody.
_WORD: Final = re.compile(r"[a-z0-9_]{2,80}")
ANYTHING: Final = "(free text)"

# Words are classified once each, not once a visit. The last part gives a period in which nothing happened its row.
_COUNT: Final = """
with period as materialized (
  select * from unnest(%(ids)s::text[], %(first_days)s::date[], %(end_days)s::date[], %(starts)s::timestamptz[],
                       %(ends)s::timestamptz[], %(asked)s::boolean[])
    p (id, first_day, end_day, starts_at, ends_at, is_asked)),
visit as materialized (
  select p.id, p.first_day, p.is_asked,
         case when p.is_asked then coalesce(nullif(btrim(a.therapist_id), ''), %(nobody)s) else %(nobody)s end
           as therapist,
         coalesce(lower(btrim(a.status)), '') as word, count(*) as visits
  from period p join clinic.appointments a
    on a.organization_id = p.id and a.date >= p.first_day and a.date < p.end_day
  where a.deleted_at is null and a.date >= %(first_day)s and a.date < %(end_day)s
  group by 1, 2, 3, 4, 5),
word as materialized (
  select id, word, clinic.status_class(word, id) as class from (select distinct id, word from visit) w)
select id, first_day, therapist, sum(visits)::bigint,
       coalesce(sum(visits) filter (where class = 'done'), 0)::bigint,
       coalesce(sum(visits) filter (where class = 'absent'), 0)::bigint,
       coalesce(sum(visits) filter (where class = 'cancelled'), 0)::bigint,
       coalesce(sum(visits) filter (where class = 'to_rebook'), 0)::bigint,
       coalesce(sum(visits) filter (where class in ('other', 'unknown')), 0)::bigint, 0::bigint,
       json_object_agg(word, visits) filter (where class = 'unknown' and is_asked)
from visit join word using (id, word) group by 1, 2, 3
union all
select p.id, p.first_day,
       case when p.is_asked then coalesce(nullif(btrim(t.professional_id), ''), %(nobody)s) else %(nobody)s end,
       0, 0, 0, 0, 0, 0, count(*), null
from period p join clinic.patients t
  on t.organization_id = p.id and t.created_at >= p.starts_at and t.created_at < p.ends_at
where t.deleted_at is null and t.created_at >= %(starts_at)s and t.created_at < %(ends_at)s
group by 1, 2, 3
union all
select id, first_day, '', 0, 0, 0, 0, 0, 0, 0, null from period
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers of some clinics.

    Args:
        asked, before: complete frames of the periods that the report is about, and of those before them.
        unknown: visits by status words that nobody knows, in the periods asked for.
    """

    asked: pd.DataFrame
    before: pd.DataFrame
    unknown: Counter[str]


def count(there: Connection, periods: Sequence[Period]) -> Counted:
    """Count, for clinics whose rows are visible on ``there``."""
    rows = there.execute(_COUNT, _values(periods)).fetchall()
    unknown = Counter[str]()
    for row in rows:
        for word, visits in (row[-1] or {}).items():
            unknown[word if _WORD.fullmatch(word) else ANYTHING] += visits
    complete = frames.complete(frames.frame(row[:-1] for row in rows))
    asked = frames.frame((each.organization_id, each.first_day, "", *[0] * len(frames.COUNTS))
                         for each in periods if each.is_asked)[["organization_id", "first_day"]]  # fmt: skip
    marked = complete.merge(asked, how="left", on=["organization_id", "first_day"], indicator=True)
    is_asked = marked.pop("_merge") == "both"
    return Counted(marked[is_asked], marked[~is_asked], unknown)


def _values(periods: Sequence[Period]) -> dict[str, Any]:
    return {
        "ids": [each.organization_id for each in periods],
        "first_days": [each.first_day for each in periods], "end_days": [each.end_day for each in periods],
        "starts": [each.starts_at for each in periods], "ends": [each.ends_at for each in periods],
        "asked": [each.is_asked for each in periods], "nobody": frames.NOBODY,
        # The same for all of them, so that an index can be used.
        "first_day": min(each.first_day for each in periods), "end_day": max(each.end_day for each in periods),
        "starts_at": min(each.starts_at for each in periods), "ends_at": max(each.ends_at for each in periods),
    }  # fmt: skip
