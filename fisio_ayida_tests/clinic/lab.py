"""Clinics on a real database with a clock that tests move: people, visits, running jobs, looking at what came.

Here: what the tests of this room do with the domain's functions. Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from fisio_ayida.clinic.model import Desk, Order, Outcome, Proposal
from fisio_ayida.clinic.organizations import load
from fisio_ayida.clinic.planning import Finder
from fisio_ayida.clinic.running import run
from fisio_ayida.clinic.service import open_desk
from fisio_ayida.messaging.channels.file import FileSender
from fisio_ayida.messaging.claims import Claimant, claim
from fisio_ayida.messaging.model import Accepted, Content, EmailContent, PushContent
from fisio_ayida.messaging.outcomes import Ended, record
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse

Conn = psycopg.Connection[Any]

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
#: A Thursday, nine in the morning in São Paulo.
MORNING = dt.datetime(2026, 3, 12, 9, tzinfo=SAO_PAULO)
LOG = logging.getLogger("fisio_ayida_tests.clinic")
CLINIC, PATIENT, THERAPIST = "org-1", "patient-1", "therapist-1"
PHONE, MAIL = "+55 11 98765-4321", "ana@example.com"


@dataclass(slots=True)
class ClinicLab:
    """What a test works with; ``moment`` is now."""

    warehouse: Warehouse
    settings: Settings
    moment: dt.datetime = MORNING
    conn: Conn = field(init=False)
    desk: Desk = field(init=False)
    _stack: ExitStack = field(init=False)

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self.conn = self._stack.enter_context(self.warehouse.connect(autocommit=True))
        self.desk = self._stack.enter_context(open_desk(self.settings, self.warehouse, log=LOG))

    def close(self) -> None:
        """Give the connections back."""
        self._stack.close()

    # --- the world

    def add(self, table: str, /, **columns: Any) -> str:
        """A row of schema ``clinic``; gives its id."""
        names = ", ".join(columns)
        holes = ", ".join(["%s"] * len(columns))
        query = f"insert into clinic.{table} ({names}) values ({holes})"
        self.conn.execute(query, list(columns.values()))
        return str(columns.get("id", ""))

    def change(self, table: str, id: str, **columns: Any) -> None:
        """Change a row of schema ``clinic``."""
        sets = ", ".join(f"{name} = %s" for name in columns)
        self.conn.execute(f"update clinic.{table} set {sets} where id = %s", [*columns.values(), id])

    def clinic(self, id: str = CLINIC, zone: str = "America/Sao_Paulo", **columns: Any) -> str:
        """A clinic in a zone, that may write to its patients without each one's consent."""
        self.add("organizations", **({"id": id, "name": "Clínica São João"} | columns))
        self.policy(id, zone)
        return id

    def policy(self, id: str, zone: str) -> None:
        """What messaging knows of a clinic: its zone, and that it may write without each patient's consent."""
        self.conn.execute(
            "insert into messaging.policies (organization_id, zone, marketing_basis) "
            "values (%s, %s, 'legitimate_interest')",
            [id, zone],
        )

    def rules(self, id: str = CLINIC, **columns: Any) -> None:
        """A clinic's row of jobs.policies."""
        names = ", ".join(columns)
        holes = ", ".join(["%s"] * len(columns))
        self.conn.execute(
            f"insert into jobs.policies (organization_id, {names}) values (%s, {holes})", [id, *columns.values()]
        )

    def patient(self, id: str = PATIENT, organization: str | None = CLINIC, **columns: Any) -> str:
        """A patient with a telephone and an e-mail address."""
        given = {"full_name": "Ana Beatriz Souza", "phone": PHONE, "email": MAIL}
        return self.add("patients", id=id, organization_id=organization, **(given | columns))

    def therapist(self, id: str = THERAPIST, organization: str = CLINIC, **columns: Any) -> str:
        """Somebody who works in a clinic."""
        given = {"full_name": "Dra. Helena Brandão", "email": f"{id}@example.com", "roles": ["fisioterapeuta"]}
        self.add("staff", user_id=id, organization_id=organization, **(given | columns))
        return id

    def visit(
        self, start: str, id: str = "visit-1", patient: str | None = PATIENT, organization: str = CLINIC,
        **columns: Any,
    ) -> str:  # fmt: skip
        """An appointment at a civil time such as 2026-03-13T14:00, booked a week before now."""
        day, clock = start.split("T")
        booked = self.moment - dt.timedelta(days=7)
        given = {"therapist_id": THERAPIST, "created_at": booked, "updated_at": booked}
        return self.add(
            "appointments", id=id, organization_id=organization, patient_id=patient, date=day, start_time=clock,
            **(given | columns),
        )  # fmt: skip

    def package(self, id: str = "package-1", organization: str | None = CLINIC, **columns: Any) -> str:
        """A package of a patient with three of ten sessions left, which expires in a week."""
        given = {"patient_id": PATIENT, "name": "Pilates 10", "total_sessions": 10, "remaining_sessions": 3}
        if "expires_on" not in columns and "expires_at" not in columns:
            columns["expires_on"] = self.moment.date() + dt.timedelta(days=7)
        return self.add("packages", id=id, organization_id=organization, **(given | columns))

    # --- running

    def order(self, nominal: dt.datetime | None = None, **changes: Any) -> Order:
        """An order for the present moment, or for another one."""
        values: dict[str, Any] = {"nominal": nominal or self.moment, "now": self.moment, "run_id": "run-1"}
        return Order(**(values | changes))

    def run(self, job: str, nominal: dt.datetime | None = None, **changes: Any) -> Outcome:
        """Run a job now, for the present moment or for another one."""
        return run(job, self.desk, self.order(nominal, **changes))

    def run_at_once(self, job: str, times: int = 3) -> list[Outcome]:
        """Run a job several times at the same moment, each time at a desk of its own."""

        def alone() -> Outcome:
            with open_desk(self.settings, self.warehouse, log=LOG) as desk:
                start.wait()
                return run(job, desk, self.order())

        start = threading.Barrier(times, timeout=60)
        with ThreadPoolExecutor(times) as pool:
            return [each.result() for each in [pool.submit(alone) for _ in range(times)]]

    def find(self, find: Finder, nominal: dt.datetime | None = None) -> Proposal:
        """What a job asks for, unplanned: the outbox does not show what messages say."""
        clinics = load(self.conn, self.desk.clinic).clinics
        return find(self.desk, self.conn, clinics, self.order(nominal))

    def send(self) -> dict[str, str]:
        """Send what is due now, as a dispatcher would; the words of each message that went out, by its key."""
        said: dict[str, str] = {}
        for channel in ("whatsapp", "email", "push"):
            sender = FileSender(self.settings.home / "outbox", channel, "noreply@example.com", lambda: self.moment)
            who = Claimant(
                "run-1", sender.provider, dt.timedelta(minutes=2), self.desk.outbox.letters, self.desk.clinic
            )
            taken = claim(self.conn, Lane(channel, ""), 100, who, now=self.moment).envelopes
            ended = [Ended(each, Accepted(f"{channel}-{each.id}")) for each in taken]
            record(self.conn, ended, sender, self.desk.clinic, run_id="run-1", now=self.moment, jitter=0.0)
            said |= {each.key: _words(each.content) for each in taken}
        return said

    # --- looking

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        with self.conn.cursor(row_factory=dict_row) as cur:
            return cur.execute(query, values).fetchall()

    def messages(self) -> list[dict[str, Any]]:
        """The outbox, by key."""
        return self.rows("select * from messaging.messages order by key")

    def keys(self) -> list[str]:
        """The keys of the outbox."""
        return [row["key"] for row in self.messages()]

    def reasons(self) -> dict[str, str]:
        """Why what was withheld was withheld, by key."""
        found = self.rows("select key, reason from jobs.decisions where outcome = 'withheld'")
        return {row["key"]: row["reason"] for row in found}


def _words(content: Content) -> str:
    if isinstance(content, PushContent):
        return content.body
    return f"{content.subject}\n{content.text}" if isinstance(content, EmailContent) else content.text or ""
