"""What reminders, confirmations and feedback share: how a clinic speaks, and a visit's start in words.

Here: quiet hours, address and telephone of clinics, and decisions that an earlier run has kept already. Not here:
which visits anybody is told of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.clinic.model import Clinic, Proposal
from fisio_ayida.messaging.quiet import DEFAULT, Quiet, until

DAY: Final = dt.timedelta(days=1)
MIDNIGHT: Final = dt.time()

_MANNERS: Final = """
select organization_id, quiet_from, quiet_to, quiet_weekends, nullif(btrim(address), '') as address,
       nullif(btrim(phone), '') as phone
from messaging.policies where organization_id = any(%s)
"""
_STAFF: Final = """
select organization_id, user_id, full_name from clinic.staff
where organization_id = any(%s) and nullif(btrim(full_name), '') is not null
"""
_DECIDED: Final = """
select key, reason from jobs.decisions where job = %s and outcome = 'withheld' and key = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a clinic speaks to its patients; an address or a telephone that it has not told is None."""

    quiet: Quiet
    address: str | None = None
    phone: str | None = None

    def sent_at(self, due_at: dt.datetime) -> dt.datetime:
        """When what is due then is sent: quiet hours put it off."""
        return until(self.quiet, due_at) or due_at


def manners(ours: psycopg.Connection[Any], clinics: Sequence[Clinic]) -> dict[str, Manners]:
    """The manners of clinics, by id."""
    found = {clinic.id: Manners(replace(DEFAULT, zone=clinic.zone.key)) for clinic in clinics}
    zones = {clinic.id: clinic.zone.key for clinic in clinics}
    with ours.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_MANNERS, [list(zones)]).fetchall()
    for row in rows:
        quiet = Quiet(zones[row.organization_id], row.quiet_from, row.quiet_to, row.quiet_weekends)
        found[row.organization_id] = Manners(quiet, row.address, row.phone)
    return found


def staff_names(there: psycopg.Connection[Any], clinics: Sequence[Clinic]) -> Mapping[tuple[str, str | None], str]:
    """The names of who works in these clinics, by clinic and ``user_id``.

    Joined here and not there: the planner guesses one visit where there are tens of thousands, and reads all of
    the staff for each.
    """
    rows = there.execute(_STAFF, [[clinic.id for clinic in clinics]])
    return {(organization, user): name for organization, user, name in rows}


def new_decisions(ours: psycopg.Connection[Any], job: str, proposal: Proposal) -> Proposal:
    """Without what an earlier run decided: each run tells only what it decided itself.

    What was withheld for another reason before its moment passed is not stale afterwards.
    """
    keys = [each.key for each in proposal.withheld]
    known: dict[str, str] = dict(ours.execute(_DECIDED, [job, keys]).fetchall()) if keys else {}
    new = [
        each for each in proposal.withheld
        if each.key not in known or each.reason not in ("stale", known[each.key])
    ]  # fmt: skip
    return replace(proposal, withheld=new, is_news=True)


def start_of(date: dt.date, start: dt.time) -> str:
    """A visit's civil start as the causes of messages know it."""
    return f"{date.isoformat()}T{start:%H:%M}"


def civil(date: dt.date, start: dt.time) -> dt.datetime:
    """The same as a moment without zone, for keys."""
    return dt.datetime.combine(date, start)
