"""Who reads a clinic's reports, what its professionals are called, and how its messages fared.

Here: two queries for all clinics. Not here: what each reader is shown (``wording.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.reports.periods import Period
from fisio_ayida.messaging.cause_queries import IS_ADMINISTRATOR
from fisio_ayida.messaging.templates import formats

Wish = Literal["wants_daily_report", "wants_weekly_summary"]

# Who administrates a clinic sees all of its numbers.
_STAFF: Final = f"""
select user_id, organization_id, full_name, nullif(btrim(email), '') is not null as has_email,
       {IS_ADMINISTRATOR} as is_administrator, is_active and {{wish}} as is_reader
from clinic.staff s
where organization_id = any(%(ids)s) and ((is_active and {{wish}}) or user_id = any(%(therapists)s))
order by organization_id, user_id
"""
# What was accepted later has changed later: the index on changed_at finds it.
_MESSAGES: Final = """
select p.id,
       count(*) filter (where m.accepted_at >= p.starts_at and m.accepted_at < p.ends_at
                        and (m.state = 'failed' and m.changed_at < p.ends_at) is not true),
       count(*) filter (where m.state = 'failed' and m.changed_at < p.ends_at)
from unnest(%(ids)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) p (id, starts_at, ends_at)
join messaging.messages m on m.organization_id = p.id and m.changed_at >= p.starts_at
where m.changed_at >= %(starts_at)s and m.patient_id is not null
group by p.id
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody of a clinic who asked for a report."""

    user_id: str
    organization_id: str
    has_email: bool
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class Staff:
    """Of some clinics. ``names``: what professionals are called, by clinic and then by user; none where blank."""

    readers: Sequence[Reader]
    names: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Messages:
    """Automatic messages to a clinic's patients in a period; what failed after it was accepted was not sent."""

    sent: int = 0
    failed: int = 0


def staff(there: Connection, wish: Wish, ids: Sequence[str], therapists: Collection[str]) -> Staff:
    """Who asked for it in these clinics, and the names of these professionals."""
    rows = there.execute(_STAFF.format(wish=wish), {"ids": list(ids), "therapists": list(therapists)}).fetchall()
    readers: list[Reader] = []
    names: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for user, organization, name, has_email, is_administrator, is_reader in rows:
        names[organization][user] = formats.text(name or "")
        if is_reader:
            readers.append(Reader(user, organization, has_email, is_administrator))
    return Staff(readers, names)


def messages(ours: Connection, periods: Sequence[Period]) -> dict[str, Messages]:
    """How the messages of these clinics fared, by clinic; one that had none is missing."""
    values = {
        "ids": [each.organization_id for each in periods], "starts": [each.starts_at for each in periods],
        "ends": [each.ends_at for each in periods],
        "starts_at": min((each.starts_at for each in periods), default=None),
    }  # fmt: skip
    return {id: Messages(sent, failed) for id, sent, failed in ours.execute(_MESSAGES, values).fetchall()}
