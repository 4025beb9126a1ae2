"""Circuits: a way out that keeps failing is closed for a while, for one organisation or for the whole account.

Closed, it is tried again by one message at a time, after pauses that double. Here: counting, closing, opening, and
the one alert each time. Not here: what counts as a failure of the way (``model.Result``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from fisio_ayida import telemetry
from fisio_ayida.messaging import causes, keys
from fisio_ayida.messaging.model import (
    PRIORITIES,
    Accepted,
    Ambiguous,
    Cause,
    ChannelDown,
    Draft,
    Permanent,
    Result,
    Transient,
)
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.messaging.outcomes import Ended
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.warehouse.clinic import BESIDE

#: Failures in a row that close the way out, for one organisation and for all.
OF_ORGANIZATION, OF_ACCOUNT = 5, 10
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=30), dt.timedelta(minutes=15)
#: How long one message has for finding out whether the way is open again; longer than a call takes.
TRIAL = dt.timedelta(seconds=60)
ALL = ""

_READ = """
select organization_id, openings, open_until from messaging.circuits
where provider = %(provider)s and account = %(account)s and failures > 0
"""
_FAIL = """
insert into messaging.circuits as c (provider, account, organization_id, failures, reason, changed_at)
values (%(provider)s, %(account)s, %(organization)s, %(times)s, %(reason)s, %(now)s)
on conflict (provider, account, organization_id) do update
  set failures = c.failures + excluded.failures, reason = excluded.reason, changed_at = excluded.changed_at
returning failures, openings
"""
_OPEN = """
update messaging.circuits set openings = openings + 1, opened_at = coalesce(opened_at, %(now)s),
  open_until = %(until)s, changed_at = %(now)s
where provider = %(provider)s and account = %(account)s and organization_id = %(organization)s
returning openings, opened_at
"""
# The provider has told how long it will take.
_LENGTHEN = """
update messaging.circuits set open_until = greatest(open_until, %(until)s)
where provider = %(provider)s and account = %(account)s and organization_id = %(organization)s
"""
_CLOSE = """
update messaging.circuits set failures = 0, openings = 0, opened_at = null, open_until = null, changed_at = %(now)s
where provider = %(provider)s and account = %(account)s and organization_id = any(%(organizations)s)
  and failures > 0
"""
# What has just failed is not the next to find out, whatever its priority: others have their time for it first.
_STEP_BACK = """
update messaging.messages set due_at = greatest(due_at, %(until)s) where id = any(%(ids)s) and state = 'retry'
"""
# One process at a time has the trial. One failure more closes the way again.
_TRY = """
update messaging.circuits set open_until = %(until)s, failures = %(almost)s
where provider = %(provider)s and account = %(account)s and organization_id = %(organization)s
  and openings > 0 and open_until <= %(now)s
returning organization_id
"""


@dataclass(frozen=True, slots=True)
class Way:
    """What the circuits say about a lane now.

    Args:
        closed: nothing may be sent.
        trial: the whole lane is to be tried by one message.
        organizations: those for which it is closed, or tried.
        trials: of these, who may try one message.
    """

    closed: bool = False
    trial: bool = False
    organizations: frozenset[str] = frozenset()
    trials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a call showed of the way. ``pause``: the provider's wish; ``times``: as how many failures it counts."""

    code: str
    reason: str
    pause: dt.timedelta | None = None
    times: int = 1
    messages: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Circuits:
    """The circuits of one provider.

    Args:
        alerts_to: who is told by e-mail; None: nobody.
    """

    provider: str
    outbox: Outbox
    alerts_to: str | None

    def way(self, conn: psycopg.Connection[Any], lane: Lane, *, now: dt.datetime) -> Way:
        """How the lane is; takes the trials that are due, which this process has to use."""
        rows = conn.execute(_READ, self._at(lane)).fetchall()
        opened = {organization: open_until for organization, openings, open_until in rows if openings}
        trial, trials = False, list[str]()
        if ALL in opened:
            trial = opened.pop(ALL) <= now and self._try(conn, lane, ALL, now)
            if not trial:
                # Nobody's trial is used up while nothing can go.
                return Way(closed=True)
        for organization, open_until in sorted(opened.items()):
            if open_until <= now and self._try(conn, lane, organization, now):
                trials.append(organization)
        return Way(trial=trial, organizations=frozenset(opened), trials=tuple(trials))

    def note(
        self, conn: psycopg.Connection[Any], lane: Lane, ended: Sequence[Ended], *, now: dt.datetime
    ) -> list[str]:
        """Count what calls have shown; gives a line for each way that was closed by it."""
        reached = {e.envelope.organization_id for e in ended if _reached(e.result)}
        if reached:
            conn.execute(_CLOSE, {**self._at(lane), "organizations": [ALL, *reached], "now": now})
        lines, is_closed = list[str](), False
        # The messages of a batch share the result of their one call: it failed once.
        for e in {id(each.result): each for each in ended}.values():
            match e.result:
                case ChannelDown(code, reason, after):
                    failure = _Failure(code, reason, after or FIRST_PAUSE, OF_ACCOUNT, _sharing(ended, e))
                    is_closed, said = self._fail(conn, lane, ALL, failure, now)
                    lines += said
                case (
                    Transient(code, reason, channel=True)
                    | Permanent(code, reason, channel=True)
                    | Ambiguous(code, reason)
                ):
                    failure = _Failure(code, reason, messages=_sharing(ended, e))
                    organization = e.envelope.organization_id
                    if not reached:
                        is_closed, said = self._fail(conn, lane, ALL, failure, now)
                        lines += said
                    # What closes the way for all is no organisation's own, and told once.
                    if organization and organization not in reached and not is_closed:
                        lines += self._fail(conn, lane, organization, failure, now)[1]
                case _:
                    pass
        return lines

    def hold(self, conn: psycopg.Connection[Any], lane: Lane, reason: str, *, now: dt.datetime) -> list[str]:
        """Close the lane because its account is not well."""
        return self._fail(conn, lane, ALL, _Failure("unhealthy", reason, FIRST_PAUSE, OF_ACCOUNT), now)[1]

    def well(self, conn: psycopg.Connection[Any], lane: Lane, *, now: dt.datetime) -> None:
        """Forget that the account was not well; failures of messages stay."""
        conn.execute(
            _CLOSE + "  and reason like 'unhealthy:%%'", {**self._at(lane), "organizations": [ALL], "now": now}
        )

    def _fail(
        self, conn: psycopg.Connection[Any], lane: Lane, organization: str, failure: _Failure, now: dt.datetime
    ) -> tuple[bool, list[str]]:
        """Count; gives whether the way is closed now, and a line if nobody was told yet."""
        where = {**self._at(lane), "organization": organization, "now": now}
        pause, times = failure.pause, failure.times
        text = telemetry.excerpt(f"{failure.code}: {failure.reason}", 300)
        row = conn.execute(_FAIL, {**where, "times": times, "reason": text}).fetchone()
        assert row is not None  # noqa: S101  an upsert returns its row
        failures, openings = row
        if failures < _most(organization):
            return False, []
        longest = max(LONGEST_PAUSE, pause or FIRST_PAUSE)
        until = now + min((pause or FIRST_PAUSE) * float(2 ** min(openings, 10)), longest)
        if failures - times >= _most(organization):
            # Closed by an earlier one of the calls that were under way: they are one failure of the way.
            if pause is not None:
                conn.execute(_LENGTHEN, {**where, "until": now + pause})
            return True, []
        opened = conn.execute(_OPEN, {**where, "until": until}).fetchone()
        if opened is None or opened[0] > 1:
            conn.execute(_STEP_BACK, {"until": until + TRIAL, "ids": failure.messages})
            return True, []
        self._alert(conn, lane, organization, opened[1], now)
        whom = f" for {organization}" if organization else ""
        return True, [f"{self.provider} {lane.account}{whom} is closed until {until:%H:%M:%S} UTC: {text}"]

    def _alert(
        self,
        conn: psycopg.Connection[Any],
        lane: Lane,
        organization: str,
        opened_at: dt.datetime,
        now: dt.datetime,
    ) -> None:
        if self.alerts_to is None:
            return
        cause = Cause("circuit", "|".join((self.provider, lane.account, organization)))
        about = (cause.kind, cause.id)
        # In a table of ours: the clinic's database is not asked.
        reading = causes.read(conn, {about: ""}, now=now, clinic=BESIDE)[about]
        draft = Draft(
            key=keys.alert(self.provider, lane.account, organization, int(opened_at.timestamp())),
            job="circuits", channel="email", category="direct", to=self.alerts_to, template="channel_alert",
            variables=reading.variables, cause=cause,
            priority=PRIORITIES["critical"],
        )  # fmt: skip
        self.outbox.plan(conn, [draft], now=now)

    def _try(self, conn: psycopg.Connection[Any], lane: Lane, organization: str, now: dt.datetime) -> bool:
        where = {
            **self._at(lane), "organization": organization, "now": now, "until": now + TRIAL,
            "almost": _most(organization) - 1,
        }  # fmt: skip
        return conn.execute(_TRY, where).fetchone() is not None

    def _at(self, lane: Lane) -> dict[str, Any]:
        return {"provider": self.provider, "account": lane.account}


def _reached(result: Result) -> bool:
    """Whether the provider has shown that it is there, and takes what is right."""
    return isinstance(result, Accepted) or (isinstance(result, Permanent) and result.called and not result.channel)


def _sharing(ended: Sequence[Ended], one: Ended) -> list[int]:
    """The messages of the same call."""
    return [each.envelope.id for each in ended if each.result is one.result]


def _most(organization: str) -> int:
    return OF_ACCOUNT if organization == ALL else OF_ORGANIZATION
