"""An outbox on a real database with a clock that tests move: patients, visits, planning, sending, looking.

Here: what the tests of this room do with the domain's functions. Not here: expectations.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from pydantic import SecretStr

from fisio_ayida.messaging import keys
from fisio_ayida.messaging.channels.file import FileSender
from fisio_ayida.messaging.claims import Claimant, Claimed, claim
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.dispatcher import Dispatcher, Tally
from fisio_ayida.messaging.letters import Letters
from fisio_ayida.messaging.model import CHANNELS, Cause, Channel, Draft, EmailContent, Envelope, Result, Sender
from fisio_ayida.messaging.outbox import Outbox, Planned
from fisio_ayida.messaging.outcomes import Ended, record
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.messaging.sealing import Hasher, Sealer, new_key
from fisio_ayida.warehouse.clinic import ClinicDoor
from fisio_ayida.warehouse.engine import Warehouse

Conn = psycopg.Connection[Any]

#: A Thursday, ten in the morning in São Paulo.
MORNING = dt.datetime(2026, 3, 12, 13, tzinfo=dt.UTC)
LOG = logging.getLogger("fisio_ayida_tests.messaging")
CLINIC, PATIENT, VISIT = "org-1", "patient-1", "visit-1"
PHONE, MAIL = "+55 11 98765-4321", "ana@example.com"
FROM = "FisioFlow <noreply@example.com>"


@dataclass(slots=True)
class Lab:
    """What a test works with; ``moment`` is now."""

    warehouse: Warehouse
    folder: Path
    moment: dt.datetime = MORNING
    conn: Conn = field(init=False)
    sealer: Sealer | None = field(init=False)
    senders: dict[Channel, Sender] = field(init=False)
    in_flight: int = 8
    rates: dict[Channel, float] = field(default_factory=dict)
    alerts_to: str | None = "ops@example.com"
    door: ClinicDoor = field(default_factory=ClinicDoor)

    def __post_init__(self) -> None:
        self.conn = self.warehouse.connect(autocommit=True)
        self.sealer = Sealer.of(SecretStr(new_key()))
        self.senders = {
            channel: FileSender(self.folder / "outbox", channel, FROM, self.now) for channel in CHANNELS
        }

    # --- the world

    def now(self) -> dt.datetime:
        """The lab's clock."""
        return self.moment

    def pass_time(self, **length: float) -> None:
        """Move the clock on."""
        self.moment += dt.timedelta(**length)

    def clinic(self, id: str = CLINIC, name: str = "Clínica São João", **policy: Any) -> None:
        """A clinic, with columns of its policy."""
        self.conn.execute("insert into clinic.organizations (id, name) values (%s, %s)", [id, name])
        self.policy(id, **policy)

    def policy(self, id: str = CLINIC, **columns: Any) -> None:
        """Set columns of a clinic's policy."""
        if columns:
            names = ", ".join(columns)
            self.conn.execute(
                f"insert into messaging.policies (organization_id, {names}) values (%s{', %s' * len(columns)}) "
                f"on conflict (organization_id) do update set "
                + ", ".join(f"{name} = excluded.{name}" for name in columns),
                [id, *columns.values()],
            )

    def patient(
        self, id: str = PATIENT, organization: str = CLINIC, name: str = "Ana Beatriz Souza",
        phone: str | None = PHONE, email: str | None = MAIL, user_id: str | None = None,
    ) -> None:  # fmt: skip
        """A patient."""
        self.conn.execute(
            "insert into clinic.patients (id, organization_id, full_name, phone, email, user_id) "
            "values (%s, %s, %s, %s, %s, %s)",
            [id, organization, name, phone, email, user_id],
        )

    def visit(
        self, id: str = VISIT, start: str = "2026-03-13T14:00", patient: str = PATIENT, organization: str = CLINIC,
        status: str = "agendado",
    ) -> None:  # fmt: skip
        """An appointment, or its change: ``start`` is civil time."""
        day, clock = start.split("T")
        self.conn.execute(
            "insert into clinic.appointments (id, organization_id, patient_id, date, start_time, status) "
            "values (%s, %s, %s, %s, %s, %s) on conflict (id) do update set date = excluded.date, "
            "start_time = excluded.start_time, status = excluded.status",
            [id, organization, patient, day, clock, status],
        )

    # --- planning and sending

    @property
    def hasher(self) -> Hasher:
        """The database's."""
        return Hasher.open(self.conn, None)

    @property
    def outbox(self) -> Outbox:
        """The outbox, with the lab's key."""
        letters = Letters(self.sealer, self.hasher, "http://127.0.0.1:8288", self.alerts_to)
        return Outbox(letters, "fisioflow")

    def plan(self, *drafts: Draft) -> list[Planned]:
        """Plan in one transaction."""
        with self.conn.transaction():
            return self.outbox.plan(self.conn, drafts, now=self.moment)

    def remind(self, visit: str = VISIT, channel: Channel = "whatsapp", **changes: Any) -> Planned:
        """Plan the reminder of an appointment as it is now."""
        draft = self.reminder(visit, channel, **changes)
        return self.plan(draft)[0]

    def reminder(self, visit: str = VISIT, channel: Channel = "whatsapp", **changes: Any) -> Draft:
        """The draft of a reminder of an appointment as it is now."""
        row = self.row("select * from clinic.appointments where id = %s", visit)
        start = dt.datetime.combine(row["date"], row["start_time"])
        person = self.row("select * from clinic.patients where id = %s", row["patient_id"])
        values: dict[str, Any] = {
            "key": keys.reminder(visit, start, "d1", channel), "job": "test", "channel": channel,
            "category": "transactional", "organization_id": row["organization_id"],
            "patient_id": row["patient_id"], "template": "appointment_reminder",
            "variables": {
                "nome": person["full_name"], "clinica": "Clínica São João", "data": row["date"],
                "hora": row["start_time"],
            },
            "cause": Cause("appointment", visit, f"{start:%Y-%m-%dT%H:%M}"),
        }  # fmt: skip
        return Draft(**(values | changes))

    def direct(self, key: str = "direct:1", **changes: Any) -> Draft:
        """The draft of an e-mail that an app asks for."""
        values: dict[str, Any] = {
            "key": key, "job": "email/send", "channel": "email", "category": "direct", "to": "someone@example.com",
            "content": EmailContent(subject="Sua senha nova", text="Abra o link para trocar a senha."),
        }  # fmt: skip
        return Draft(**(values | changes))

    def crowd(self, organization: str, count: int, *, priority: int = 10) -> None:
        """So many due WhatsApp messages of a clinic that is made for them; without a name they are nobody's."""
        patient = f"patient of {organization}"
        if organization:
            query = "insert into clinic.organizations (id, name) values (%s, 'Clínica') on conflict do nothing"
            self.conn.execute(query, [organization])
        self.conn.execute(
            "insert into clinic.patients (id, organization_id, full_name, phone) "
            "values (%s, nullif(%s, ''), 'Bia', %s) on conflict do nothing",
            [patient, organization, PHONE],
        )
        self.conn.execute(
            "insert into messaging.messages (key, organization_id, patient_id, job, category, channel, priority, "
            "heeds_quiet, template, cause_kind, cause_id, state, due_at, not_after, planned_at, changed_at) "
            "select concat_ws(':', 'crowd', %(organization)s::text, %(priority)s::text, n), %(organization)s, "
            "%(patient)s, 'test', %(category)s, 'whatsapp', %(priority)s, false, 'reply_ambiguous', 'patient', "
            "%(patient)s, 'planned', %(now)s, %(now)s + interval '1 day', %(now)s, %(now)s "
            "from generate_series(1, %(count)s) n",
            {
                "organization": organization, "patient": patient, "priority": priority, "count": count,
                "category": "transactional" if organization else "direct", "now": self.moment,
            },
        )  # fmt: skip

    def claimant(self, channel: Channel = "whatsapp", run_id: str = "run-1") -> Claimant:
        """Who claims for the channel's sender."""
        sender = self.senders[channel]
        repeats = sender.repeat_within if sender.repeats_safely else dt.timedelta(0)
        letters = self.outbox.letters
        return Claimant(run_id, sender.provider, dt.timedelta(minutes=2), letters, self.door, "fisioflow", repeats)

    def claim(
        self, channel: Channel = "whatsapp", most: int = 10, run_id: str = "run-1", conn: Conn | None = None,
        **how: Any,
    ) -> Claimed:  # fmt: skip
        """Claim what is due, and do nothing with it."""
        who = self.claimant(channel, run_id)
        return claim(conn or self.conn, Lane(channel, ""), most, who, now=self.moment, **how)

    def record(self, *ended: Ended, run_id: str = "run-1") -> Mapping[int, str]:
        """Write down how calls of one channel ended."""
        sender = self.senders[ended[0].envelope.channel]
        return record(self.conn, ended, sender, self.door, run_id=run_id, now=self.moment, jitter=0.0)

    def call(self, channel: Channel = "whatsapp", most: int = 10, run_id: str = "run-1") -> list[Ended]:
        """Claim, call once, and write down what came of it; nothing else that a dispatcher does."""
        envelopes = self.claim(channel, most, run_id).envelopes
        ended = [Ended(each, asyncio.run(_send(self.senders[channel], each))) for each in envelopes]
        if ended:
            self.record(*ended, run_id=run_id)
        return ended

    def dispatcher(self, run_id: str = "run-1") -> Dispatcher:
        """A dispatcher over the lab's senders, whose time is the lab's."""
        return Dispatcher(
            connect=lambda: self.warehouse.connect(autocommit=True), senders=self.senders, outbox=self.outbox,
            clinic=self.door,
            rates=self.rates, accounts={"whatsapp": "fisioflow"}, in_flight=self.in_flight,
            lease=dt.timedelta(minutes=2), run_id=run_id, alerts_to=self.alerts_to, now=self.now,
            jitter=lambda: 0.0, monotonic=time.monotonic, pause=lambda length: None, log=LOG,
        )  # fmt: skip

    def dispatch(self, run_id: str = "run-1", most: dt.timedelta | None = None) -> Tally:
        """Send what is due; nothing of ours breaks."""
        tally = asyncio.run(dispatch(self.dispatcher(run_id), most=most))
        assert not tally.faults
        return tally

    # --- looking

    def value(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row."""
        row = self.conn.execute(query, parameters).fetchone()
        return None if row is None else row[0]

    def row(self, query: str, *parameters: Any) -> dict[str, Any]:
        """One row."""
        with self.conn.cursor(row_factory=dict_row) as cur:
            found = cur.execute(query, parameters).fetchone()
        assert found is not None
        return found

    def message(self, key_or_id: str | int) -> dict[str, Any]:
        """A message as the outbox has it."""
        column = "id" if isinstance(key_or_id, int) else "key"
        return self.row(f"select * from messaging.messages where {column} = %s", key_or_id)

    def states(self) -> Mapping[str, int]:
        """How many messages are in each state."""
        return dict(self.conn.execute("select state, count(*) from messaging.messages group by 1").fetchall())

    def path(self, id: int) -> list[str]:
        """The states that a message went through."""
        found = self.conn.execute(
            "select state from messaging.transitions where message_id = %s order by at, ctid", [id]
        )
        return [state for (state,) in found]

    def files(self, channel: Channel) -> Sequence[Path]:
        """What the file channel has written."""
        return sorted((self.folder / "outbox" / channel).glob("*"))

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()


class Counted:
    """A connection that counts statements."""

    def __init__(self, conn: Conn) -> None:
        self.conn, self.statements = conn, 0

    def execute(self, query: str, values: Any = None) -> Any:
        """Count and pass on."""
        self.statements += 1
        return self.conn.execute(query, values)


async def _send(sender: Sender, envelope: Envelope) -> Result:
    return await sender.send(envelope)
