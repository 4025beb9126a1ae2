"""A clinic with patients, visits and a clock, over a real outbox: everything that can be done to it.

Here: acts, each on the database and on what the judge knows. Not here: who sends (``process.py``), what reached
people (``provider.py``), what may be said (``judge.py``), what must be true in the end (``laws.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from fisio_ayida.messaging import inbound, keys, outbox, preferences, receipts
from fisio_ayida.messaging.letters import Letters
from fisio_ayida.messaging.model import Cause, Channel, Draft, EmailContent, Envelope, Status
from fisio_ayida.messaging.reports.reading import Inbound, Report
from fisio_ayida.messaging.sealing import Hasher, Sealer, new_key
from fisio_ayida_tests.messaging.conftest import TABLES
from fisio_ayida_tests.messaging.judge import LIVE, LONGEST_WAIT, PHONES, Asked, Judge, Kind, Person, Visit, Word
from fisio_ayida_tests.messaging.lab import MORNING
from fisio_ayida_tests.messaging.one_thread import AtOnce, Lasting, Numbered
from fisio_ayida_tests.messaging.provider import KeyedProvider, Provider, Reached

CLINIC, INSTANCE = "org-1", "fisioflow"
OPERATORS: Final = "ops@example.com"
#: Of one run. It looks again and again for a quarter of a minute at a report that matches nothing.
MOST_SLEEPS: Final = 400
_sleep = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Wrote:
    """A reply that nobody has acted on yet."""

    id: str
    phone: str
    text: str
    at: dt.datetime


class World(Judge):
    """One history's clinic. ``begin`` starts another one in the same database."""

    def __init__(self, conn: Lasting) -> None:
        self.conn = conn
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(AtOnce(1))
        self.loop.set_task_factory(lambda loop, work, **more: Numbered(work, loop=loop, **more))
        self._sealer = Sealer.of(SecretStr(new_key()))
        self.hasher = Hasher.open(conn, None)

    def begin(self, *, sealed: bool, consent: bool) -> None:
        """Everything is forgotten; with or without a MESSAGING_KEY, and with or without consent to marketing."""
        self.know_nothing()
        Numbered.made = 0
        self.sleeps = 0
        self.outrage: AssertionError | None = None
        self.unheard: list[Wrote] = []
        self.failed_by_report: set[str] = set()
        self.counts = dict.fromkeys(("requests", "replies", "reports"), 0)
        self.sealer = self._sealer if sealed else None
        self.outbox = outbox.Outbox(Letters(self.sealer, self.hasher, "http://127.0.0.1:8288", OPERATORS))
        self.evolution = Provider("evolution", "whatsapp", self.now, self.called)
        self.resend = KeyedProvider("resend", "email", self.now, self.called)
        people = "".join(
            f"insert into clinic.patients (id, organization_id, full_name, phone, email) "
            f"values ('{one.id}', '{CLINIC}', '{one.name}', '+{one.phone}', '{one.email}');"
            for one in self.patients
        )
        self.conn.execute(
            "".join(f"delete from {table};" for table in TABLES)
            + f"insert into clinic.organizations (id, name) values ('{CLINIC}', 'Clínica São João');{people}"
        )
        if consent:
            for one in self.patients:
                self.say(one.id, "whatsapp", "marketing", True)
                self.say(one.id, "email", "marketing", True)

    def end(self) -> None:
        """Leave the database."""
        self.loop.close()
        self.conn.really_close()

    def now(self) -> dt.datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """In place of asyncio's: the clock moves on instead; stand-ins in threads of their own sleep as ever."""
        if asyncio.get_running_loop() is not self.loop:
            await _sleep(seconds)
            return
        self.sleeps += 1
        assert self.sleeps < MOST_SLEEPS, "a dispatcher waits for ever for something that it cannot do"
        self.moment += dt.timedelta(seconds=seconds)
        await _sleep(0)

    def provider(self, channel: Channel) -> Provider:
        return self.evolution if channel == "whatsapp" else self.resend

    @property
    def reached(self) -> list[Reached]:
        """All that reached anybody."""
        return self.evolution.reached + self.resend.reached

    # --- the clinic

    def book(self, patient: int, start: dt.datetime) -> None:
        visit = Visit(f"visit-{len(self.visits) + 1}", self.patients[patient % 2], start, start)
        self.visits.append(visit)
        self.conn.execute(
            "insert into clinic.appointments (id, organization_id, patient_id, date, start_time) "
            "values (%s, %s, %s, %s, %s)",
            [visit.id, CLINIC, visit.patient.id, start.date(), start.time()],
        )

    def move(self, visit: Visit, start: dt.datetime) -> None:
        """Also brings a cancelled one back."""
        visit.before, visit.start, visit.status = visit.start, start, "agendado"
        self.conn.execute(
            "update clinic.appointments set date = %s, start_time = %s, status = 'agendado' where id = %s",
            [start.date(), start.time(), visit.id],
        )

    def set_status(self, visit: Visit, status: str) -> None:
        visit.status = status
        self.conn.execute("update clinic.appointments set status = %s where id = %s", [status, visit.id])

    def set_clinic(self, is_active: bool) -> None:
        self.clinic_is_active = is_active
        self.conn.execute("update clinic.organizations set is_active = %s", [is_active])

    def set_patient(self, person: Person, **facts: Any) -> None:
        """Its phone, name or is_active."""
        for name, value in facts.items():
            setattr(person, name, value)
        self.conn.execute(
            "update clinic.patients set phone = %s, full_name = %s, is_active = %s where id = %s",
            ["+" + person.phone, person.name, person.is_active, person.id],
        )

    # --- people

    def say(self, subject: str, channel: Channel, category: str, allowed: bool) -> None:
        """A word through a form: of a patient's id or of an address."""
        is_patient = subject.startswith("patient-")
        whom: dict[str, Any] = (
            {"patient_id": subject} if is_patient else {"address_hash": self.hasher.address(channel, subject)}
        )
        self.words.append(Word(subject, channel, category, allowed, self.moment))
        preferences.record(
            self.conn, organization_id=CLINIC, channel=channel, category=category, allowed=allowed, source="form",
            evidence="form:1", at=self.moment, **whom,
        )  # fmt: skip

    def write(self, phone: str, text: str) -> None:
        """A reply comes in; the next dispatcher acts on it."""
        self.counts["replies"] += 1
        wrote = Wrote(f"in-{self.counts['replies']}", phone, text, self.moment)
        self.unheard.append(wrote)
        came = Inbound(provider="evolution", account=INSTANCE, provider_id=wrote.id, sender=phone, text=text)
        inbound.store(
            self.conn, [came], inbound.Desk(self.hasher, self.sealer, {"evolution": INSTANCE}), now=self.moment
        )

    def heard(self) -> None:
        """Replies that were acted on: PARAR holds in any case, VOLTAR where there was a no to take back."""
        while self.unheard and (outcome := self._outcome(self.unheard[0])):
            wrote = self.unheard.pop(0)
            self.suppressed.pop(("whatsapp", wrote.phone), None)
            back = wrote.text == "VOLTAR" and outcome.startswith("opted_in")
            if back or wrote.text == "PARAR":
                self.words.append(Word(wrote.phone, "whatsapp", "all", back, wrote.at))

    def suppress(self, channel: Channel, address: str, days: int) -> None:
        until = self.moment + dt.timedelta(days=days)
        known = self.suppressed.get((channel, address), self.moment)
        self.suppressed[channel, address] = max(known, until)
        preferences.suppress(
            self.conn, channel=channel, address_hash=self.hasher.address(channel, address), reason="bounce",
            evidence="test", at=self.moment, expires_at=until,
        )  # fmt: skip

    def _look_at_suppressions(self) -> None:
        """What providers' answers and reports have closed."""
        known: list[tuple[Channel, str]] = [("whatsapp", phone) for phone in PHONES]
        known += [("email", address) for address in (OPERATORS, *(one.email for one in self.patients))]
        by_hash = {self.hasher.address(channel, address): (channel, address) for channel, address in known}
        for digest, until in self.conn.execute("select address_hash, expires_at from messaging.suppressions"):
            self.suppressed[by_hash[digest]] = until

    def _outcome(self, wrote: Wrote) -> str | None:
        query = "select outcome from messaging.replies where provider_id = %s"
        outcome: str | None = next(iter(self.conn.execute(query, [wrote.id])))[0]
        return outcome

    # --- planning

    def plan(self, wanted: Sequence[tuple[Kind, Channel, int]], copies: int, delay: dt.timedelta) -> None:
        """What a job plans for all of these at once: kind, channel, and which visit or patient."""
        drafts = [
            draft for kind, channel, nth in wanted if (draft := self._draft(kind, channel, nth, delay)) is not None
        ]
        with self.conn.transaction():
            self.outbox.plan(self.conn, drafts * copies, now=self.moment)

    def _draft(self, kind: Kind, channel: Channel, nth: int, delay: dt.timedelta) -> Draft | None:
        if kind in ("reminder", "confirmation"):
            if not self.visits:
                return None
            visit = self.visits[nth % len(self.visits)]
            return self.about(kind, channel, visit, delay) if visit.status in LIVE else None
        person = self.patients[nth % 2]
        key = (
            keys.birthday(person.id, self.moment.year, channel)
            if kind == "birthday"
            else keys.reactivation(person.id, MORNING.date() - dt.timedelta(days=nth), channel)
        )
        draft = Draft(
            key=key, job="test", channel=channel, category="marketing", organization_id=CLINIC,
            patient_id=person.id, template="birthday" if kind == "birthday" else "reactivation",
            variables={"nome": person.name, "clinica": "Clínica São João"}, cause=Cause("patient", person.id),
            due_at=self.moment + delay,
        )  # fmt: skip
        if kind == "direct":
            if self.sealer is None:
                # Nothing of it is stored then, and there is no event to make it again from.
                return None
            self.counts["requests"] += 1
            draft = Draft(
                key=keys.request("email", f"request-{self.counts['requests']}"), job="test", channel="email",
                category="direct", to=person.email, due_at=self.moment + delay,
                content=EmailContent(subject="Sua senha", text=f"Pedido {self.counts['requests']}"),
            )  # fmt: skip
        self._remember(kind, draft, person, None)
        return draft

    def about(self, kind: Kind, channel: Channel, visit: Visit, delay: dt.timedelta, rule: str = "d1") -> Draft:
        """A message about a visit as it is now."""
        key = (
            keys.reminder(visit.id, visit.start, rule, channel)
            if kind == "reminder"
            else keys.confirmation(visit.id, visit.start, channel)
        )
        draft = Draft(
            key=key, job="test", channel=channel, category="transactional", organization_id=CLINIC,
            patient_id=visit.patient.id, template=f"appointment_{kind}",
            variables={
                "nome": visit.patient.name, "clinica": "Clínica São João", "data": visit.start.date(),
                "hora": visit.start.time(),
            },
            cause=Cause("appointment", visit.id, f"{visit.start:%Y-%m-%dT%H:%M}"), due_at=self.moment + delay,
        )  # fmt: skip
        self._remember(kind, draft, visit.patient, visit)
        return draft

    def _remember(self, kind: Kind, draft: Draft, person: Person, visit: Visit | None) -> None:
        start = None if visit is None else visit.start
        due_at = draft.due_at or self.moment
        asked = Asked(kind, draft.category, person, visit, start, due_at + LONGEST_WAIT)
        self.asked.setdefault(draft.key, asked)

    # --- providers' reports

    def report(self, one: Reached, status: Status, times: int) -> None:
        """What a provider tells of a message that reached somebody, once or more often."""
        self.counts["reports"] += 1
        if status == "failed":
            self.failed_by_report.add(one.key)
        told = Report(
            provider=self.provider(one.channel).provider, event_id=f"event-{self.counts['reports']}", kind=status,
            body={}, status=status, provider_id=one.provider_id, provider_at=self.moment,
            message_key=one.key if one.channel == "email" else None,
        )  # fmt: skip
        for _ in range(times):
            receipts.store(self.conn, [told], hasher=self.hasher, now=self.moment)

    def called(self, envelope: Envelope) -> None:
        """A provider is called: for what was found right when it was claimed, or is right now."""
        try:
            if (envelope.id, envelope.attempt) not in self.approved:
                self.claimed(envelope)
        except AssertionError as error:
            # Whoever calls takes this for a fault of the provider: it is raised when the step is over.
            self.outrage = error

    def claimed(self, envelope: Envelope) -> None:
        """A message was just claimed. Raises AssertionError if it must not be sent now."""
        self.heard()
        assert not self.unheard, f"{envelope.key} is about to be sent, and a reply was not acted on before"
        self.approve(envelope)

    def look_around(self) -> None:
        """After a step of a dispatcher. Raises AssertionError for what must not have happened in it."""
        if self.outrage is not None:
            raise self.outrage
        self.heard()
        self._look_at_suppressions()
