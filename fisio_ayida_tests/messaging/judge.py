"""What may be said at a moment, in the plainest words, from what was done: it can contradict the code's rules.

Here: a clinic's facts and the objection to a message. Not here: who does anything to the clinic (``world.py``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final, Literal

from fisio_ayida.messaging.model import Category, Channel, Draft, Envelope
from fisio_ayida_tests.messaging.lab import MORNING
from fisio_ayida_tests.messaging.provider import words_of

PHONES: Final = ("5511987654321", "5521912345678", "5555999998888")
#: Of a clinic without a policy; São Paulo has had no summer time since 2019.
BEHIND: Final = dt.timedelta(hours=3)
QUIET_FROM, QUIET_TO = 21, 8
#: States of a visit that will be.
LIVE: Final = ("agendado", "presenca_confirmada")
#: What has no end of its own is useless so long after it was due.
LONGEST_WAIT: Final = dt.timedelta(hours=72)
Kind = Literal["reminder", "confirmation", "birthday", "reactivation", "direct"]


@dataclass(slots=True)
class Person:
    """A patient as the clinic has it."""

    id: str
    name: str
    phone: str
    email: str
    is_active: bool = True

    def address(self, channel: Channel) -> str:
        return self.phone if channel == "whatsapp" else self.email


@dataclass(slots=True)
class Visit:
    """An appointment; ``start`` is civil time."""

    id: str
    patient: Person
    start: dt.datetime
    #: Where it was before it was moved.
    before: dt.datetime
    status: str = "agendado"

    @property
    def starts_at(self) -> dt.datetime:
        return self.start.replace(tzinfo=dt.UTC) + BEHIND


@dataclass(frozen=True, slots=True)
class Asked:
    """What a key was first planned for."""

    kind: Kind
    category: Category
    person: Person
    visit: Visit | None
    start: dt.datetime | None
    not_after: dt.datetime


@dataclass(frozen=True, slots=True)
class Word:
    """What a patient, or whoever has an address, said about a channel."""

    subject: str
    channel: Channel
    category: str
    allowed: bool
    at: dt.datetime


class Judge:
    """A clinic's facts, and who may be written to."""

    def know_nothing(self) -> None:
        """Two patients of a clinic, and nothing has happened."""
        self.moment = MORNING
        self.clinic_is_active = True
        self.patients = [
            Person("patient-1", "Ana Beatriz Souza", PHONES[0], "ana@example.com"),
            Person("patient-2", "João Conceição", PHONES[1], "joao@example.com"),
        ]
        self.visits: list[Visit] = []
        self.words: list[Word] = []
        self.asked: dict[str, Asked] = {}
        self.suppressed: dict[tuple[Channel, str], dt.datetime] = {}
        #: Messages with the number of their call.
        self.approved: set[tuple[int, int]] = set()

    def approve(self, envelope: Envelope) -> None:
        """Raises AssertionError if this must not be sent now."""
        why = self.objection(envelope)
        assert why is None, f"{envelope.key} is about to be sent: {why}"
        self.approved.add((envelope.id, envelope.attempt))

    def objection(self, envelope: Envelope) -> str | None:
        """Why this may not be said now; None if it may."""
        if self.suppressed.get((envelope.channel, envelope.to), self.moment) > self.moment:
            return "its address is suppressed"
        asked = self.asked.get(envelope.key) or self._stands_in_for(envelope.key)
        if asked is None or asked.category == "direct":
            return None
        person, visit = asked.person, asked.visit
        if not self.clinic_is_active or not person.is_active:
            return "the clinic or the patient is inactive"
        if envelope.to != person.address(envelope.channel):
            return "it is not the patient's address"
        if why := self._refused(person, envelope.channel, asked.category):
            return why
        if not QUIET_TO <= (self.moment - BEHIND).hour < QUIET_FROM:
            return "it is quiet"
        if visit is None:
            return "nobody expects it any more" if self.moment >= asked.not_after else None
        if visit.status not in LIVE:
            return f"the visit is {visit.status}"
        if visit.start != asked.start:
            return f"the visit was moved from {asked.start} to {visit.start}"
        if self.moment >= visit.starts_at:
            return "the visit has begun"
        words = words_of(envelope)
        is_told = f"{visit.start:%d/%m/%Y}" in words and f"{visit.start:%H:%M}" in words
        return None if is_told else "it does not say when the visit is"

    def wants(self, draft: Draft, within: dt.timedelta) -> bool:
        """Whether this reminder may go now, whatever it says, and is of use for so long."""
        asked = self.asked[draft.key]
        assert asked.visit is not None
        address = draft.channel, asked.person.address(draft.channel)
        return (
            self.clinic_is_active and asked.person.is_active
            and self._refused(asked.person, draft.channel, draft.category) is None
            and self.suppressed.get(address, self.moment) <= self.moment
            and self.moment + within < asked.visit.starts_at
        )  # fmt: skip

    def _stands_in_for(self, key: str) -> Asked | None:
        stem, _, channel = key.rpartition(":")
        found = self.asked.get(f"{stem}:whatsapp") if channel == "email" else None
        # It is planned later than the message whose place it takes.
        return None if found is None else replace(found, not_after=self.moment + LONGEST_WAIT)

    def _refused(self, person: Person, channel: Channel, category: Category) -> str | None:
        subjects = (person.id, person.address(channel))
        said = [word for word in self.words if word.channel == channel and word.subject in subjects]
        said.sort(key=lambda word: word.at)
        latest = {word.category: word.allowed for word in said}
        if latest.get("all") is False or latest.get(category) is False:
            return "the patient wants none"
        if category == "marketing" and not {"all", category} & latest.keys():
            return "the patient never wanted any"
        return None
