"""How messages fare in numbers: how many stand where, and how many of those that moved lately have arrived.

Read only, and bounded: what waits is found in the indices of what waits, what has ended by when it last changed.
Not here: what of it needs a person (``watch.py``), and how it is drawn.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import psycopg

Connection = psycopg.Connection[Any]

#: Rates are those of messages whose state changed in this time.
RECENT: Final = dt.timedelta(days=7)
#: The picture shows so many hours.
SHOWN: Final = dt.timedelta(hours=48)
#: States in which a message still has something before it.
WAITING: Final = ("planned", "deferred", "retry", "claimed", "unknown")

#: States in which it has nothing more before it, but for a receipt.
ENDED: Final = ("accepted", "delivered", "read", "skipped", "failed", "expired")

By = Literal["template", "channel", "organization"]

_WAITING = """
select state, count(*) from messaging.messages
where state in ('planned', 'deferred', 'retry', 'unknown') group by state
union all select 'claimed', count(*) from messaging.messages where state = 'claimed' having count(*) > 0
"""
# Counted by everything at once; whatever is shown is summed from these few rows.
_RATES = """
select coalesce(template, job), channel, organization_id, state,
       case state when 'skipped' then split_part(reason, ':', 1)
                  when 'failed' then coalesce(nullif(error_code, ''), 'unknown reason')
                  when 'expired' then 'expired' end as why,
       count(*), count(accepted_at), count(delivered_at), count(read_at)
from messaging.messages where changed_at >= %(since)s group by 1, 2, 3, 4, 5
"""
_HOURS = """
select m.channel, e.what, date_trunc('hour', e.at, 'UTC') as hour, count(*)
from messaging.messages m
cross join lateral (values ('accepted', m.accepted_at), ('delivered', m.delivered_at),
                           ('failed', case when m.state = 'failed' then m.changed_at end)) e (what, at)
where m.changed_at >= %(since)s and e.at >= %(since)s
group by 1, 2, 3
"""


@dataclass(slots=True)
class Rate:
    """What became of messages of one template, channel or clinic. ``planned``: all of them.

    What was delivered counts as accepted too, and what was read as both. ``reasons``: why the others did not go.
    """

    planned: int = 0
    accepted: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    skipped: int = 0
    expired: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Recent:
    """What became of the messages of :data:`RECENT`: by state, and in three ways, the most frequent first."""

    states: Counter[str]
    rates: Mapping[By, Mapping[str, Rate]]


@dataclass(frozen=True, slots=True)
class Hour:
    """Events of one channel in the hour from ``at``. ``what``: accepted, delivered or failed."""

    channel: str
    what: str
    at: dt.datetime
    messages: int


def waiting(conn: Connection) -> Counter[str]:
    """How many messages are in each state of :data:`WAITING`."""
    return Counter(dict(conn.execute(_WAITING).fetchall()))


def recent(conn: Connection, now: dt.datetime) -> Recent:
    """What became of the messages of :data:`RECENT`; reads each of them once."""
    states = Counter[str]()
    found: dict[By, defaultdict[str, Rate]] = {
        "template": defaultdict(Rate), "channel": defaultdict(Rate), "organization": defaultdict(Rate),
    }  # fmt: skip
    for template, channel, organization, state, why, *numbers in conn.execute(_RATES, {"since": now - RECENT}):
        states[state] += numbers[0]
        for rate in (
            found["template"][template], found["channel"][channel], found["organization"][organization]
        ):  # fmt: skip
            _add(rate, state, why, *numbers)
    return Recent(states, {
        by: dict(sorted(rows.items(), key=lambda row: (-row[1].planned, row[0]))) for by, rows in found.items()
    })  # fmt: skip


def hours(conn: Connection, now: dt.datetime) -> list[Hour]:
    """What happened in each hour of :data:`SHOWN`, the present one included."""
    return [Hour(*row) for row in conn.execute(_HOURS, {"since": first_hour(now)})]


def first_hour(now: dt.datetime) -> dt.datetime:
    """The beginning of the first hour that is shown, in UTC."""
    return (now.astimezone(dt.UTC) - SHOWN).replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)


def _add(rate: Rate, state: str, why: str | None, planned: int, accepted: int, delivered: int, read: int) -> None:
    rate.planned += planned
    rate.accepted += accepted
    rate.delivered += delivered
    rate.read += read
    if state in ("failed", "skipped", "expired"):
        setattr(rate, state, getattr(rate, state) + planned)
        rate.reasons[why or "unknown reason"] += planned
