"""What follows from what people write (CONTRACT clinic §16): a visit confirmed, a reception's task, an opt-out.

Each reply is acted on once, in the order of arrival, in one transaction with the answer to it. Not here: what
words mean (``intents.py``), which message is answered (``questions.py``), and taking replies in (``inbound.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import causes, inbound, keys, opting, preferences
from fisio_ayida.messaging.intents import Kind
from fisio_ayida.messaging.model import PRIORITIES, Cause, Draft, MessagingError
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.messaging.questions import (
    OPEN_FOR,
    Asks,
    Question,
    behind,
    latest,
    open_questions,
    quoted,
    visits_now,
)
from fisio_ayida.warehouse.clinic import ClinicDoor

_JOB: Final = "replies"
# A provider tells the time of a message in seconds, and may tell it late; older ones are taken as just said.
_BELIEVED: Final = dt.timedelta(days=7)
_ASKED: Final = ("asked", "asked_which")
# What the clinic's side may raise for one reply; a database that is away or busy is everybody's.
_OF_THIS_REPLY: Final = (
    psycopg.DataError, psycopg.IntegrityError, psycopg.InternalError, psycopg.ProgrammingError, MessagingError,
)  # fmt: skip

_ANY = "select exists (select from messaging.replies where handled_at is null)"
# One actor at a time, or a later word could be heard before an earlier one.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('messaging.replies', 0))"
_NEXT = """
select id, provider, account, provider_id, address_masked, address_hash, quoted_id, intent, score, body, sent_at,
       received_at
from messaging.replies where handled_at is null order by id limit 1
"""
_DONE = """
update messaging.replies set handled_at = %(now)s, outcome = %(outcome)s, message_id = %(message_id)s,
                             intent = %(intent)s, score = %(score)s
where id = %(id)s
"""
_ANSWERS = "update messaging.replies set message_id = %s where id = %s"
_CONFIRM = "select clinic.confirm_appointment(%s, %s, 'whatsapp')"
_TASK = """
insert into messaging.tasks (organization_id, patient_id, appointment_id, kind, reply_id, created_at)
values (%s, %s, %s, %s, %s, %s) on conflict (reply_id) do nothing
"""
_ASKED_LATELY = """
select exists (select from messaging.replies
               where address_hash = %s and split_part(outcome, ':', 1) = any(%s) and handled_at > %s)
"""
# A number of one clinic alone tells whose patient it is.
_CLINIC_OF = """
select organization_id from messaging.policies where whatsapp_account = %s and whatsapp_account <> ''
"""


@dataclass(frozen=True, slots=True)
class _Reply:
    id: int
    provider: str
    account: str
    provider_id: str
    address_masked: str
    address_hash: bytes
    quoted_id: str | None
    intent: Kind
    score: int | None
    body: bytes | None
    sent_at: dt.datetime | None
    received_at: dt.datetime

    @property
    def said_at(self) -> dt.datetime:
        at = self.sent_at
        return at if at and self.received_at - _BELIEVED < at <= self.received_at else self.received_at

    @property
    def evidence(self) -> str:
        return f"reply:{self.id}"

    @property
    def is_hidden(self) -> bool:
        return self.address_masked == inbound.HIDDEN


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a reply came to: its outcome, its reading, and the message that it answers."""

    outcome: str
    message: Question | None
    intent: Kind
    score: int | None = None


@dataclass(frozen=True, slots=True)
class _Matched:
    """What is known of the message that a reply answers."""

    question: Question | None
    #: More than one could be meant.
    several: bool = False
    #: Quoted, but not a message of ours: somebody wrote it by hand.
    foreign: bool = False


def act(conn: psycopg.Connection[Any], *, outbox: Outbox, clinic: ClinicDoor, now: dt.datetime) -> int:
    """Act on all replies that wait, each in a transaction of its own; gives their number.

    Raises:
        psycopg.Error: an opt-out could not be stored. It waits; whoever sends must not go on without it.
    """
    row = conn.execute(_ANY).fetchone()
    if row is None or not row[0]:
        return 0
    acted = 0
    while _next(conn, outbox, clinic, now):
        acted += 1
    return acted


def _next(conn: psycopg.Connection[Any], outbox: Outbox, clinic: ClinicDoor, now: dt.datetime) -> bool:
    with conn.transaction():
        conn.execute(_ALONE)
        with conn.cursor(row_factory=class_row(_Reply)) as cur:
            reply = cur.execute(_NEXT).fetchone()
        if reply is None:
            return False
        ended = _Act(conn, outbox, clinic, reply, now).run()
        conn.execute(_DONE, {
            "id": reply.id, "now": now, "outcome": ended.outcome, "intent": ended.intent, "score": ended.score,
            "message_id": ended.message.id if ended.message else None,
        })  # fmt: skip
        return True


class _Act:
    """One reply."""

    def __init__(
        self, conn: psycopg.Connection[Any], outbox: Outbox, clinic: ClinicDoor, reply: _Reply, now: dt.datetime
    ) -> None:
        self.conn = conn
        self.outbox = outbox
        self.clinic = clinic
        self.reply = reply
        self.now = now

    def run(self) -> _Ended:
        if not self.reply.is_hidden:
            # Who writes from a number has it on WhatsApp.
            preferences.lift(self.conn, channel="whatsapp", address_hash=self.reply.address_hash)
        if self.reply.intent == "stop":
            return self._stop()
        try:
            with self.conn.transaction():
                return self._start() if self.reply.intent == "start" else self._answer_to_question()
        except _OF_THIS_REPLY as error:
            return self._for_staff(self._last(), why=type(error).__name__)

    # --- permissions

    def _stop(self) -> _Ended:
        """No more automatic messages on this channel; one acknowledgement."""
        quotes = self._quoted() or self._behind()
        if self.reply.is_hidden and quotes is None:
            return self._for_staff(None, why="hidden number")
        message = quotes or self._last()
        opting.opt_out(
            self.conn, self._hashes(quotes), self.reply.account, message.organization_id if message else None,
            evidence=self.reply.evidence, at=self.reply.said_at,
        )  # fmt: skip
        return self._tell("opted_out", "reply_opt_out", message)

    def _start(self) -> _Ended:
        """Takes a no back; where there is none it is about something else: a patient comes back to the clinic."""
        quotes = self._quoted() or self._behind()
        message = quotes or self._last()
        if not opting.opt_in(
            self.conn, self._hashes(quotes), evidence=self.reply.evidence, at=self.reply.said_at
        ):  # fmt: skip
            return self._for_staff(message)
        return self._tell("opted_in", "reply_opt_in", message)

    def _hashes(self, quotes: Question | None) -> list[bytes]:
        """The addresses that are meant: where we wrote to, and where the reply came from."""
        own = set() if self.reply.is_hidden else {self.reply.address_hash}
        return sorted(own | ({quotes.address_hash} if quotes and quotes.address_hash else set()))

    # --- questions

    def _answer_to_question(self) -> _Ended:
        readings = self._readings()
        matched = self._match(readings)
        message = matched.question
        if matched.several:
            return self._ask_back("asked_which", "reply_which", self._last())
        asks = None if message is None else message.asks
        if message is not None and asks is not None and asks in readings:
            return readings[asks](message)
        if message is not None and message.visits and self.reply.intent == "reschedule":
            return self._reschedule(message)
        if self.reply.intent == "ambiguous_cancel" and not matched.foreign:
            return self._ask_back("asked", "reply_ambiguous", message or self._last())
        return self._for_staff(message or self._last())

    def _readings(self) -> Mapping[Asks, Callable[[Question], _Ended]]:
        """What the reply can mean, by what was asked."""
        found: dict[Asks, Callable[[Question], _Ended]] = {}
        if self.reply.intent == "confirm":
            found["confirmation"] = self._confirm
        elif self.reply.intent == "reschedule":
            found["confirmation"] = self._reschedule
        if self.reply.score is not None:
            found["score"] = self._score
        return found

    def _match(self, readings: Mapping[Asks, Any]) -> _Matched:
        if self.reply.quoted_id is not None:
            message = self._quoted()
            if message is None or not message.is_answer:
                return _Matched(message, foreign=message is None)
        if self.reply.is_hidden:
            return _Matched(None)
        questions = open_questions(
            self.conn, self.reply.address_hash, self.reply.account, self.clinic, at=self.reply.said_at,
            now=self.now,
        )  # fmt: skip
        fitting = [question for question in questions if question.asks in readings]
        if len(fitting) == 1:
            return _Matched(fitting[0])
        return _Matched(None, several=len(fitting) > 1)

    def _confirm(self, question: Question) -> _Ended:
        visits = visits_now(self.conn, question, self.clinic, now=self.now)
        if not visits.good:
            return self._for_staff(question)
        if visits.other:
            self._task("reply", question, visits.other[0])
        ended = self._tell("confirmed", "reply_confirmed", question, intent="confirm")

        def confirm(there: psycopg.Connection[Any]) -> None:
            with there.transaction():
                for id in visits.good:
                    # False for one that is confirmed already, which is as good.
                    there.execute(_CONFIRM, [id, self.reply.said_at])

        # Last: in another database it is committed before the rest. If that is lost, all of it is done again.
        self.clinic.within(self.conn, question.organization_id, confirm)
        return ended

    def _reschedule(self, question: Question) -> _Ended:
        """The hour stays the patient's until another one is agreed."""
        visits = visits_now(self.conn, question, self.clinic, now=self.now)
        self._task("reschedule", question, next(iter(visits.good + visits.other), None))
        return self._tell("reschedule", "reply_reschedule", question, intent="reschedule")

    def _score(self, question: Question) -> _Ended:
        return _Ended("score", question, "score", self.reply.score)

    # --- what comes of it

    def _ask_back(
        self, outcome: str, template: Literal["reply_which", "reply_ambiguous"], message: Question | None
    ) -> _Ended:
        """Once; who is not understood twice needs a person."""
        since = self.now - OPEN_FOR
        row = self.conn.execute(_ASKED_LATELY, [self.reply.address_hash, list(_ASKED), since]).fetchone()
        if row is not None and row[0]:
            return self._for_staff(message)
        return self._tell(outcome, template, message)

    def _for_staff(self, message: Question | None, why: str = "") -> _Ended:
        visits = message.visits if message else ()
        self._task("reply", message, visits[0] if len(visits) == 1 else None)
        return _Ended(f"staff: {why}" if why else "staff", message, self.reply.intent)

    def _task(self, kind: Literal["reschedule", "reply"], message: Question | None, visit: str | None) -> None:
        clinic, patient = (message.organization_id, message.patient_id) if message else ("", None)
        if not clinic:
            found = self.conn.execute(_CLINIC_OF, [self.reply.account]).fetchall()
            clinic = found[0][0] if len(found) == 1 else ""
        self.conn.execute(_TASK, [clinic, patient, visit, kind, self.reply.id, self.now])

    def _tell(
        self, outcome: str, template: str, message: Question | None, *, intent: Kind | None = None
    ) -> _Ended:
        """Plan the one answer to this reply. Where it has nowhere to go, what was said holds all the same."""
        ended = _Ended(outcome, message, intent or self.reply.intent)
        if message is not None:
            self.conn.execute(_ANSWERS, [message.id, self.reply.id])
        about = ("reply", str(self.reply.id))
        clinic = message.organization_id if message else ""
        reading = causes.read(self.conn, {about: clinic}, now=self.now, clinic=self.clinic)[about]
        said = inbound.words(
            self.outbox.letters.sealer, self.reply.provider, self.reply.provider_id, self.reply.body
        )
        draft = Draft(
            key=keys.answer(self.reply.id), job=_JOB, channel="whatsapp", category="direct",
            organization_id=message.organization_id if message else "",
            patient_id=message.patient_id if message else None, to=(said.sender or None) if said else None,
            template=template, variables=reading.variables, cause=Cause("reply", str(self.reply.id)),
            priority=PRIORITIES["high"],
        )  # fmt: skip
        try:
            self.outbox.plan(self.conn, [draft], now=self.now)
        except MessagingError:
            return _Ended(f"{outcome}: not answered", message, ended.intent)
        return ended

    def _quoted(self) -> Question | None:
        return None if self.reply.quoted_id is None else quoted(
            self.conn, self.reply.provider, self.reply.quoted_id
        )  # fmt: skip

    def _behind(self) -> Question | None:
        return behind(self.conn, self.reply.address_hash) if self.reply.is_hidden else None

    def _last(self) -> Question | None:
        return latest(self.conn, self.reply.address_hash)
