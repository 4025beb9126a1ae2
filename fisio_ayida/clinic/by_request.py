"""Messages that somebody asks for by name: this visit's confirmation or reminder, this patient's greeting.

Here: from an appointment or a patient to a message, with the keys, texts and causes of the jobs. What a job would
leave out because of a clinic's rules (lead, series, weeks) is not left out. Not here: events (``on_events.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import birthdays, confirmations, planning, reactivation, reminders
from fisio_ayida.clinic.birthdays import born_on
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome, Proposal
from fisio_ayida.clinic.reminder_rules import MANUAL
from fisio_ayida.clinic.telling import PERSON, Telling, tell, withhold
from fisio_ayida.clinic.visits import DAY, MIDNIGHT, Manners, manners
from fisio_ayida.messaging import causes, keys
from fisio_ayida.messaging.model import Cause, Channel
from fisio_ayida.messaging.outbox import LONGEST_WAIT
from fisio_ayida.messaging.templates.registry import TEMPLATES

_OF_VISIT: Final = f"""
select {PERSON} from clinic.appointments a
join clinic.patients p on p.id = a.patient_id and p.organization_id = a.organization_id
where a.id = %s and a.organization_id = %s
"""
_OF_PATIENT: Final = f"select {PERSON} from clinic.patients p where p.id = %s and p.organization_id = %s"


class NotNow(Exception):
    """The message would not be true, or there is nothing that it could speak of; the text says why.

    No ``ValueError``: nothing is wrong with the clinic's rows.
    """


@dataclass(frozen=True, slots=True)
class _Words:
    """What a message is made of. ``truth``: from then on its words are wrong."""

    template: str
    key: Callable[[Channel], str]
    truth: dt.datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """A kind of message that can be asked for. ``cause``: its kind, of which the request names the id."""

    job: str
    cause: str
    person: str
    words: Callable[[Clinic, Manners, str, causes.Reading, dt.datetime], _Words]


def plan(
    wish: Wish, desk: Desk, order: Order, id: str, channels: Collection[Channel], *, among: bool = False
) -> Outcome:
    """Plan one message for each of the channels, or with ``among`` one on the best of them.

    Raises:
        NotNow: it would say what is not so.
    """
    return planning.plan(wish.job, partial(_find, wish=wish, id=id, channels=channels, among=among), desk, order)


def _find(
    desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order, *, wish: Wish, id: str,
    channels: Collection[Channel], among: bool,
) -> Proposal:  # fmt: skip
    (clinic,) = clinics
    with there.cursor(row_factory=namedtuple_row) as cur:
        person: Any = cur.execute(wish.person, [id, clinic.id]).fetchone()
    reading = causes.read(
        desk.conn, {(wish.cause, id): clinic.id}, now=order.now, clinic=desk.clinic
    )[wish.cause, id]  # fmt: skip
    if person is None or not reading.now.exists:
        raise NotNow(f"there is no patient behind {wish.cause} {id!r}")
    cause, proposal = Cause(wish.cause, id, reading.now.version), Proposal()
    words = wish.words(clinic, manners(desk.conn, [clinic])[clinic.id], id, reading, order.now)
    declared = {each.name for each in TEMPLATES[words.template].variables} - {"nome", "clinica"}
    limits = [words.truth, *([reading.now.useless_from] if reading.now.useless_from else [])]
    telling = Telling(
        clinic=clinic, job=wish.job, template=words.template, key=words.key, cause=cause,
        variables={name: value for name, value in reading.variables.items() if name in declared},
        due_at=order.now, not_after=min(limits), only=channels, both=not among,
    )  # fmt: skip
    if reading.now.wanted:
        tell(telling, person, proposal)
    else:
        withhold(telling, person.patient_id, "stale", reading.now.why, proposal)
    return proposal


def _confirmation(clinic: Clinic, ways: Manners, id: str, reading: causes.Reading, now: dt.datetime) -> _Words:
    start = _start(reading)
    return _Words(
        confirmations.TEMPLATE, lambda channel: keys.confirmation(id, start, channel), now + LONGEST_WAIT
    )


def _reminder(clinic: Clinic, ways: Manners, id: str, reading: causes.Reading, now: dt.datetime) -> _Words:
    """Its words say today or tomorrow, by the day on which it is sent."""
    start = _start(reading)
    ahead = start.date() - clinic.day(ways.sent_at(now))
    if not dt.timedelta(0) <= ahead <= DAY:
        raise NotNow(f"the visit is on {start.date()}: a reminder says today or tomorrow")
    template = reminders.TOMORROW if ahead else reminders.TODAY
    until = clinic.instant(start.date() + (dt.timedelta(0) if ahead else DAY), MIDNIGHT)
    return _Words(template, lambda channel: keys.reminder(id, start, MANUAL, channel), until)


def _greeting(clinic: Clinic, ways: Manners, id: str, reading: causes.Reading, now: dt.datetime) -> _Words:
    today = clinic.day(now)
    if reading.now.version not in born_on(today, clinic.rules.leap_birthday):
        raise NotNow(f"patient {id!r} has no birthday on {today}")
    until = clinic.instant(today + DAY, MIDNIGHT)
    return _Words(birthdays.TEMPLATE, lambda channel: keys.birthday(id, today.year, channel), until)


def _invitation(clinic: Clinic, ways: Manners, id: str, reading: causes.Reading, now: dt.datetime) -> _Words:
    if reading.now.version is None:
        raise NotNow(f"patient {id!r} has never come")
    last = dt.date.fromisoformat(reading.now.version)
    return _Words(reactivation.TEMPLATE, lambda channel: keys.reactivation(id, last, channel), now + LONGEST_WAIT)


def _start(reading: causes.Reading) -> dt.datetime:
    if reading.now.version is None:
        raise NotNow("the visit has no start")
    return dt.datetime.fromisoformat(reading.now.version)


CONFIRMATION: Final = Wish(confirmations.JOB, "appointment", _OF_VISIT, _confirmation)
REMINDER: Final = Wish(reminders.JOB, "appointment", _OF_VISIT, _reminder)
GREETING: Final = Wish(birthdays.JOB, "birthday", _OF_PATIENT, _greeting)
INVITATION: Final = Wish(reactivation.JOB, "reactivation", _OF_PATIENT, _invitation)

#: By the part of an event's name that says which.
WISHES: Final[Mapping[str, Wish]] = {
    "appointment.confirmation": CONFIRMATION, "appointment.reminder": REMINDER, "birthday.greeting": GREETING,
    "reactivation": INVITATION,
}  # fmt: skip
