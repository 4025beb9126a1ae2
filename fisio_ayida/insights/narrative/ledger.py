"""The ledger of the model's calls and the budgets that it keeps: what a call may use is reserved beforehand.

Each operation is one statement: what all processes together reserve stays within a clinic's limits, and a kill at
any point leaves spending equal to the sum of the calls. A reservation is an estimate that the answer corrects: a
limit can be exceeded by what the calls under way use beyond theirs, and by no more. Not here: the calls.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

from fisio_ayida.insights.model import PROMPT_VERSION, Commission, NotWritten
from fisio_ayida.insights.narrative.prices import Prices
from fisio_ayida.warehouse.session import Connection, Session

T = TypeVar("T")
Purpose = Literal["first", "repair"]
#: ``answered``: and used what it says; ``failed``: surely for nothing; ``lost``: nobody knows, so it counts whole.
Ending = Literal["answered", "failed", "lost"]

#: Of a row of insights.calls: what it counts for in insights.spending.
USED_TOKENS: Final = "coalesce(prompt_tokens + completion_tokens, reserved_tokens)"
USED_COST: Final = "coalesce(cost, reserved_cost, 0)"

# The clinic's day is locked by the upsert, and its condition sees what others have committed: two that would
# together exceed a limit cannot both be let in. What is refused writes nothing here.
_RESERVE = """
with admitted as (
  insert into insights.spending as s (organization_id, day, tokens, cost, calls)
  select %(organization)s, %(day)s, %(tokens)s, coalesce(%(cost)s::numeric, 0), 1
  where %(tokens)s <= %(tokens_limit)s
    and (%(cost_limit)s::numeric is null or %(cost)s::numeric <= %(cost_limit)s::numeric)
  on conflict (organization_id, day) do update set
    tokens = s.tokens + excluded.tokens, cost = s.cost + excluded.cost, calls = s.calls + 1
  where s.tokens + excluded.tokens <= %(tokens_limit)s
    and (%(cost_limit)s::numeric is null or s.cost + excluded.cost <= %(cost_limit)s::numeric)
  returning 1)
insert into insights.calls (key, organization_id, patient_id, day, model, prompt_version, purpose, attempt, state,
  reserved_tokens, reserved_cost, run_id, started_at)
select %(key)s, %(organization)s, %(patient)s, %(day)s, %(model)s, %(prompt_version)s, %(purpose)s, %(attempt)s,
  'open', %(tokens)s, %(cost)s, %(run_id)s, %(now)s
from admitted
returning id
"""
_REFUSE = """
insert into insights.spending as s (organization_id, day, tokens, cost, calls, refused)
values (%(organization)s, %(day)s, 0, 0, 0, 1)
on conflict (organization_id, day) do update set refused = s.refused + 1
returning tokens, cost
"""
# A call that was given up as lost may still tell what it used; one that has told is not changed again.
_SETTLE = f"""
with before as (
  select id, organization_id, day, {USED_TOKENS} as tokens, {USED_COST} as cost
  from insights.calls where id = %(id)s and state in ('open', 'lost') for update),
ended as (
  update insights.calls c set state = %(state)s, outcome = %(outcome)s, prompt_tokens = %(prompt)s,
    cached_tokens = %(cached)s, completion_tokens = %(completion)s, cost = %(cost)s, latency_ms = %(latency)s,
    ended_at = %(now)s
  from before where c.id = before.id)
update insights.spending s set
  tokens = s.tokens + coalesce(%(prompt)s::bigint + %(completion)s::bigint, %(reserved_tokens)s) - before.tokens,
  cost = s.cost + coalesce(%(cost)s::numeric, %(reserved_cost)s::numeric, 0) - before.cost
from before where (s.organization_id, s.day) = (before.organization_id, before.day)
"""
_USED = "select tokens, cost from insights.spending where organization_id = %(organization)s and day = %(day)s"
_JUDGE = "update insights.calls set outcome = %(outcome)s where id = %(id)s and state = 'answered'"
_LOSE = """
update insights.calls set state = 'lost', outcome = 'lost', ended_at = %(now)s
where state = 'open' and started_at < %(before)s
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right to make one call, and its row in the ledger."""

    id: int
    model: str
    day: dt.date
    tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; ``prompt`` has the cached ones in it."""

    prompt: int
    cached: int
    completion: int


#: Of a call for which surely nobody was billed.
NOTHING: Final = Usage(0, 0, 0)


class Ledger:
    """The ledger of one process; safe to use from any of its threads.

    Args:
        now: with a zone, for what is written.
    """

    def __init__(self, session: Session, prices: Prices, now: Callable[[], dt.datetime]) -> None:
        self.prices = prices
        self._session = session
        self._now = now
        self._one_at_a_time = threading.Lock()

    def reserve(
        self, commission: Commission, *, model: str, purpose: Purpose, attempt: int, prompt: int, completion: int
    ) -> Reservation | NotWritten:
        """Set aside what a call may use, and commit it before the call is made.

        Args:
            prompt: an estimate, in tokens.
            completion: the most that there may be.
        """
        cost = self.prices.cost(model, commission.day, prompt=prompt, cached=0, completion=completion)
        if cost is None and commission.cost_per_day is not None:
            return _no_price(model, commission)
        values = {
            "organization": commission.organization_id,
            "day": commission.day,
            "tokens": prompt + completion,
            "tokens_limit": commission.tokens_per_day,
            "cost": cost,
            "cost_limit": commission.cost_per_day,
            "key": commission.key,
            "patient": commission.patient_id,
            "model": model,
            "prompt_version": PROMPT_VERSION,
            "purpose": purpose,
            "attempt": attempt,
            "run_id": commission.run_id,
        }
        row = self._do(_reserve, values)
        if row.id is None:
            # What no day has room for keeps nobody else from being asked for.
            fits = prompt + completion <= commission.tokens_per_day and _is_within(cost, commission)
            return _over_budget(commission, row, cost, "clinic" if fits else "patient")
        return Reservation(row.id, model, commission.day, prompt + completion, cost)

    def refuses(self, commission: Commission, *, model: str, completion: int) -> NotWritten | None:
        """Why no call at all can be made for this clinic today; None: perhaps one can. Reserves nothing.

        Args:
            completion: tokens that each call reserves, whatever is asked.
        """
        cost = self.prices.cost(model, commission.day, prompt=0, cached=0, completion=completion)
        if cost is None and commission.cost_per_day is not None:
            return _no_price(model, commission)
        values = {"organization": commission.organization_id, "day": commission.day}
        row = self._do(_used, values)
        whole = None if cost is None else row.cost + cost
        if row.tokens + completion <= commission.tokens_per_day and _is_within(whole, commission):
            return None
        return _over_budget(commission, self._do(_refuse, values), cost, "clinic")

    def settle(
        self,
        reservation: Reservation,
        ending: Ending,
        outcome: str,
        *,
        usage: Usage | None = None,
        latency: dt.timedelta | None = None,
    ) -> None:
        """Put down how a call ended; again, or after it has told, it changes nothing.

        Args:
            outcome: ``ok``, or a word of :data:`insights.model.REASONS`.
            usage: None: unknown, and the reservation counts.
        """
        used = NOTHING if ending == "failed" else usage
        cost = None
        if used is not None:
            cost = self.prices.cost(
                reservation.model,
                reservation.day,
                prompt=used.prompt,
                cached=used.cached,
                completion=used.completion,
            )
        values = {
            "id": reservation.id,
            "state": ending,
            "outcome": outcome,
            "prompt": used and used.prompt,
            "cached": used and used.cached,
            "completion": used and used.completion,
            "cost": cost,
            "reserved_tokens": reservation.tokens,
            "reserved_cost": reservation.cost,
            "latency": None if latency is None else round(latency.total_seconds() * 1000),
        }
        self._do(_executed(_SETTLE), values)

    def judge(self, call: int, outcome: str) -> None:
        """Put down what reading an answer found: a word of :data:`insights.model.REASONS`, or ``ok``."""
        self._do(_executed(_JUDGE), {"id": call, "outcome": outcome})

    def lose_open(self, older_than: dt.timedelta) -> int:
        """Calls that nobody can be waiting for any more are lost: they keep what they reserved; how many.

        Args:
            older_than: more than a call can take.
        """
        return self._do(_executed(_LOSE), {"before": self._now() - older_than})

    def close(self) -> None:
        """Close the connection."""
        with self._one_at_a_time:
            self._session.close()

    def _do(self, action: Callable[[Connection, dict[str, Any]], T], values: dict[str, Any]) -> T:
        with self._one_at_a_time:
            return self._session.do(action, {**values, "now": self._now()})


@dataclass(frozen=True, slots=True)
class _Row:
    """The id of a new call; or none, and what its day has used."""

    id: int | None
    tokens: int = 0
    cost: Decimal = Decimal(0)


def _reserve(conn: Connection, values: dict[str, Any]) -> _Row:
    row = conn.execute(_RESERVE, values).fetchone()
    if row is not None:
        return _Row(row[0])
    return _refuse(conn, values)


def _refuse(conn: Connection, values: dict[str, Any]) -> _Row:
    used = conn.execute(_REFUSE, values).fetchone()
    assert used is not None  # noqa: S101  an upsert without a condition gives its row
    return _Row(None, *used)


def _used(conn: Connection, values: dict[str, Any]) -> _Row:
    row = conn.execute(_USED, values).fetchone()
    return _Row(None) if row is None else _Row(None, *row)


def _executed(statement: str) -> Callable[[Connection, dict[str, Any]], int]:
    return lambda conn, values: conn.execute(statement.encode(), values).rowcount


def _is_within(cost: Decimal | None, commission: Commission) -> bool:
    return commission.cost_per_day is None or (cost is not None and cost <= commission.cost_per_day)


def _no_price(model: str, commission: Commission) -> NotWritten:
    return NotWritten("no_price", f"INSIGHTS_PRICES has no price for {model} on {commission.day}")


def _over_budget(
    commission: Commission, row: _Row, cost: Decimal | None, concerns: Literal["patient", "clinic"]
) -> NotWritten:
    detail = _of_budget(commission, row, cost)
    return NotWritten("over_budget", detail, is_transient=True, concerns=concerns)


def _of_budget(commission: Commission, row: _Row, needed: Decimal | None) -> str:
    text = f"{commission.day}: {row.tokens} of {commission.tokens_per_day} tokens"
    if commission.cost_per_day is not None:
        text += f", {row.cost:f} of {commission.cost_per_day:f} of the money, one call may cost {needed:f},"
    return f"{text} are used or reserved"
