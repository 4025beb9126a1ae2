"""Which of our messages somebody answers (CONTRACT clinic §16): the quoted one, or the only open question.

Here: finding questions, and whether their visits can still be spoken of. Not here: what follows from the answer
(``replies.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import causes
from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.warehouse.clinic import ClinicDoor

#: An answer without a quotation is to what was asked within this time.
OPEN_FOR: Final = dt.timedelta(hours=72)
#: What has answered a question, as written in messaging.replies.
ANSWERED: Final = ("confirmed", "reschedule", "score")
# The provider's time of an answer has no fractions, and its clock is not ours.
_CLOCKS_APART: Final = dt.timedelta(minutes=1)

Asks = Literal["confirmation", "score"]

_COLUMNS = """
m.id, m.organization_id, m.patient_id, m.template, m.cause_kind, m.cause_id, m.cause_version, m.address_hash
"""
_QUOTED = f"select {_COLUMNS} from messaging.messages m where m.provider_id = %s and m.provider = %s"
_LATEST = f"""
select {_COLUMNS} from messaging.messages m
where m.address_hash = %s and m.channel = 'whatsapp' and m.claimed_at is not null order by m.id desc limit 1
"""
# The last of our messages that this address quoted.
_BEHIND = f"""
select {_COLUMNS} from messaging.replies r join messaging.messages m on m.id = r.message_id
where r.address_hash = %s and r.quoted_id is not null order by r.id desc limit 1
"""
# Through the number that was asked from: a patient of two clinics answers each at its own.
_OPEN = f"""
select {_COLUMNS}, exists (
  select from messaging.replies r
  where r.message_id = m.id and split_part(r.outcome, ':', 1) = any(%(answered)s)) as is_answered
from messaging.messages m
where m.address_hash = %(address_hash)s and m.channel = 'whatsapp' and m.account = %(account)s
  and m.template = any(%(asking)s) and m.state in ('accepted', 'delivered', 'read', 'unknown')
  and m.claimed_at > %(at)s - %(open_for)s and m.claimed_at <= %(at)s + %(clocks_apart)s
order by m.id desc
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A message that somebody may have answered."""

    id: int
    organization_id: str
    patient_id: str | None
    template: str | None
    cause_kind: str | None
    cause_id: str | None
    cause_version: str | None
    address_hash: bytes | None
    is_answered: bool = False

    @property
    def asks(self) -> Asks | None:
        """What it asks for."""
        template = TEMPLATES.get(self.template or "")
        return None if template is None else template.asks

    @property
    def is_answer(self) -> bool:
        """One of our own answers: who quotes it speaks of what was asked before."""
        return (self.template or "").startswith("reply_")

    @property
    def visits(self) -> tuple[str, ...]:
        """The appointments that it speaks of."""
        if self.cause_kind not in ("appointment", "appointments") or self.cause_id is None:
            return ()
        return tuple(self.cause_id.split(","))


@dataclass(frozen=True, slots=True)
class Visits:
    """A question's appointments as they are now: those still to come at the hour it named, and the others."""

    good: tuple[str, ...]
    other: tuple[str, ...]


def quoted(conn: psycopg.Connection[Any], provider: str, provider_id: str) -> Question | None:
    """The message of this id."""
    return _one(conn, _QUOTED, [provider_id, provider])


def latest(conn: psycopg.Connection[Any], address_hash: bytes) -> Question | None:
    """The last message to this address, whatever it was."""
    return _one(conn, _LATEST, [address_hash])


def behind(conn: psycopg.Connection[Any], alias_hash: bytes) -> Question | None:
    """A message to whom an alias hides, if they ever quoted one: an alias is always the same person's."""
    return _one(conn, _BEHIND, [alias_hash])


def open_questions(
    conn: psycopg.Connection[Any], address_hash: bytes, account: str, clinic: ClinicDoor, *, at: dt.datetime,
    now: dt.datetime,
) -> list[Question]:  # fmt: skip
    """What was asked of this address and is not answered, newest first; one for each set of visits.

    Questions about visits that are over or off are left out as long as there are others.

    Args:
        at: when the answer was written.
    """
    with conn.cursor(row_factory=class_row(Question)) as cur:
        found = cur.execute(_OPEN, {
            "address_hash": address_hash, "account": account, "at": at, "open_for": OPEN_FOR,
            "clocks_apart": _CLOCKS_APART,
            "asking": [name for name, template in TEMPLATES.items() if template.asks], "answered": list(ANSWERED),
        }).fetchall()  # fmt: skip
    distinct: list[Question] = []
    for question in found:
        if not any(_repeats(question, newer) for newer in distinct):
            distinct.append(question)
    # Who has answered the second reminder of a visit has answered the first.
    waiting = [question for question in distinct if not question.is_answered]
    live = [q for q in waiting if q.asks == "score" or visits_now(conn, q, clinic, now=now).good]
    return live or waiting


def visits_now(
    conn: psycopg.Connection[Any], question: Question, clinic: ClinicDoor, *, now: dt.datetime
) -> Visits:
    """The question's appointments: good are the asked patient's that will be, at the hour that was asked about."""
    asked = None if question.cause_version is None else question.cause_version.split(",")
    about = {("appointment", id): question.organization_id for id in question.visits}
    readings = causes.read(conn, about, now=now, clinic=clinic)
    good: list[str] = []
    other: list[str] = []
    for id in question.visits:
        visit = readings["appointment", id].towards(question.organization_id, question.patient_id)
        is_good = (
            visit.exists and visit.wanted and (asked is None or visit.version in asked)
            and visit.useless_from is not None and visit.useless_from > now
        )  # fmt: skip
        (good if is_good else other).append(id)
    return Visits(tuple(good), tuple(other))


def _repeats(question: Question, newer: Question) -> bool:
    """Whether a newer question asks the same again."""
    if question.asks != newer.asks:
        return False
    if question.visits and newer.visits:
        return set(question.visits) <= set(newer.visits)
    return (question.cause_kind, question.cause_id) == (newer.cause_kind, newer.cause_id)


def _one(conn: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> Question | None:
    with conn.cursor(row_factory=class_row(Question)) as cur:
        return cur.execute(query, values).fetchone()
