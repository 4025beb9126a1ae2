"""The clinic's relations in FisioFlow's own database: ours has none of them, and theirs nothing of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from fisio_ayida.cli import app
from fisio_ayida.messaging import replies, unsubscribing
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.fallback import plan_fallbacks
from fisio_ayida.messaging.model import Cause, Draft, Permanent
from fisio_ayida.messaging.outcomes import Ended
from fisio_ayida.messaging.service import open_dispatcher, open_outbox
from fisio_ayida.settings import Settings, variables
from fisio_ayida.warehouse.clinic import ClinicDoor, open_clinic
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse, WarehouseError
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.gateway.running import ENVIRONMENT, running
from fisio_ayida_tests.messaging import said
from fisio_ayida_tests.messaging.conftest import TABLES
from fisio_ayida_tests.messaging.lab import CLINIC, LOG, PATIENT, VISIT, Lab
from fisio_ayida_tests.messaging.scripted import Scripted, always
from fisio_ayida_tests.messaging.test_replies import store

T = TypeVar("T")
DEVICE = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"
THEIRS = tuple(table for table in TABLES if table.startswith("clinic."))


@pytest.fixture(scope="module")
def messaging_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """Ours: whoever looks for the clinic's relations here fails."""
    with cloned(warehouse_server) as opened, opened.connect(autocommit=True) as conn:
        conn.execute("drop schema clinic cascade")
        yield opened


@pytest.fixture(scope="module")
def clinic_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """FisioFlow's: whoever looks for our tables there fails."""
    with cloned(warehouse_server) as opened, opened.connect(autocommit=True) as conn:
        conn.execute("drop schema messaging, events, jobs cascade")
        yield opened


@dataclass
class Two:
    """Both databases: messages are planned and sent in ``ours``; the clinic lives in ``theirs``."""

    ours: Lab
    theirs: Lab
    environment: dict[str, str]

    def confirmed(self) -> tuple[str, str | None]:
        row = self.theirs.row("select status, confirmed_via from clinic.appointments where id = %s", VISIT)
        return row["status"], row["confirmed_via"]

    def reminded(self, **changes: Any) -> int:
        """A reminder of the visit is planned; gives the message."""
        return self.ours.plan(self.theirs.reminder(**changes))[0].id

    def answered(self, words: str) -> int:
        """The patient has been reminded and writes back; nobody has acted on it. Gives the reply."""
        self.reminded()
        self.ours.dispatch()
        self.ours.pass_time(minutes=1)
        store(self.ours, said.upsert(words, at=self.ours.moment))
        return int(self.ours.value("select max(id) from messaging.replies"))

    def act(self) -> int:
        return replies.act(self.ours.conn, outbox=self.ours.outbox, clinic=self.ours.door, now=self.ours.moment)

    def hang_up(self) -> None:
        """FisioFlow's server ends our connections to it."""
        self.theirs.conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and application_name = 'fisio_ayida clinic'"
        )


@pytest.fixture
def two(messaging_warehouse: Warehouse, clinic_warehouse: Warehouse, tmp_path: Path) -> Iterator[Two]:
    """One clinic, one patient, one visit tomorrow; no message yet."""
    environment = {
        "DATABASE_URL": messaging_warehouse.url.psycopg, "CLINIC_DATABASE_URL": clinic_warehouse.url.psycopg,
        "FISIO_AYIDA_HOME": str(tmp_path),
    }  # fmt: skip
    theirs, ours = Lab(clinic_warehouse, tmp_path / "theirs"), Lab(messaging_warehouse, tmp_path)
    theirs.conn.execute("; ".join(f"delete from {table}" for table in THEIRS))
    ours.conn.execute("; ".join(f"delete from {table}" for table in TABLES if table not in THEIRS))
    theirs.clinic()
    theirs.patient()
    theirs.visit()
    with open_clinic(Settings.load(environment), messaging_warehouse) as ours.door:
        yield Two(ours, theirs, environment)
    ours.close()
    theirs.close()


# --- sending


def test_what_is_kept_without_its_words_is_worded_from_there(two: Two) -> None:
    settings, lab = Settings.load(two.environment), two.ours

    async def run() -> None:
        how: dict[str, Any] = {"run_id": "run-1", "now": lab.now, "jitter": lambda: 0.0, "log": LOG}
        async with open_dispatcher(settings, lab.warehouse, **how) as dispatcher:
            await dispatch(dispatcher)

    with lab.conn.transaction():
        open_outbox(lab.conn, settings).plan(lab.conn, [two.theirs.reminder()], now=lab.moment)
    asyncio.run(run())
    assert lab.states() == {"accepted": 1}
    (sent,) = lab.files("whatsapp")
    assert "Ana" in sent.read_text() and "São João" in sent.read_text()


def test_a_visit_that_was_moved_there_is_not_announced_at_its_old_hour(two: Two) -> None:
    id = two.reminded()
    two.theirs.visit(start="2026-03-13T15:00")
    two.ours.dispatch()
    assert two.ours.message(id)["reason"] == "stale: planned for 2026-03-13T14:00, now 2026-03-13T15:00"


def test_an_e_mail_takes_the_place_of_what_failed(two: Two) -> None:
    lab = two.ours
    lab.senders["whatsapp"] = Scripted("whatsapp", always(Permanent("400", "no")))
    two.reminded()
    lab.call()
    assert plan_fallbacks(lab.conn, lab.outbox, lab.door, now=lab.moment, log=LOG) == 1


# --- answers


def test_an_answer_confirms_the_visit_there(two: Two) -> None:
    reply = two.answered("1")
    two.act()
    assert two.confirmed() == ("presenca_confirmada", "whatsapp")
    assert two.ours.message(f"reply:{reply}:whatsapp")["template"] == "reply_confirmed"


class LostAfter(ClinicDoor):
    """Commits there, then our own connection is lost, once."""

    lost = False

    def within(self, ours: Any, organization: str, work: Callable[[Any], T]) -> T:
        done = super().within(ours, organization, work)
        if not self.lost:
            self.lost = True
            raise psycopg.OperationalError("lost")
        return done


def test_a_confirmation_that_only_they_have_kept_is_told_once_all_the_same(two: Two) -> None:
    reply = two.answered("1")
    two.ours.door = LostAfter(two.ours.door.open)
    with pytest.raises(psycopg.OperationalError):
        two.act()
    assert two.confirmed() == ("presenca_confirmada", "whatsapp")
    assert two.ours.value("select handled_at from messaging.replies where id = %s", reply) is None
    assert two.act() == 1
    assert two.ours.value("select outcome from messaging.replies where id = %s", reply) == "confirmed"
    assert two.ours.value("select count(*) from messaging.messages where template = 'reply_confirmed'") == 1
    two.ours.door.close()


# --- notices to staff


def notice(two: Two) -> int:
    """An alert to a colleague of the clinic; gives the message."""
    variables = {"clinica": "Clínica São João", "quantidade": 2}
    two.ours.conn.execute(
        "insert into messaging.notices values ('n-1', %s, 'staff-1', 'integrity_alert', %s, %s)",
        [CLINIC, Jsonb(variables), two.ours.moment],
    )
    draft = Draft(
        key="notice:n-1", job="test", channel="email", category="transactional", organization_id=CLINIC,
        user_id="staff-1", template="integrity_alert", variables=variables, cause=Cause("notice", "n-1"),
    )  # fmt: skip
    return two.ours.plan(draft)[0].id


@pytest.fixture
def colleague(two: Two) -> Iterator[Two]:
    two.ours.conn.execute("delete from messaging.notices")
    two.theirs.conn.execute(
        "insert into clinic.staff (user_id, organization_id, full_name, email) "
        "values ('staff-1', %s, 'Dra. Carla Dias', 'carla@example.com')",
        [CLINIC],
    )
    yield two


@pytest.mark.parametrize("sealed", [True, False], ids=["with a key", "without a key"])
def test_a_notice_goes_to_the_address_that_a_colleague_has_today(colleague: Two, sealed: bool) -> None:
    if not sealed:
        colleague.ours.sealer = None
    notice(colleague)
    colleague.theirs.conn.execute("update clinic.staff set email = 'dias@example.com'")
    (envelope,) = colleague.ours.claim("email").envelopes
    assert envelope.to == "dias@example.com"


def test_a_notice_to_who_has_left_is_stale(colleague: Two) -> None:
    id = notice(colleague)
    colleague.theirs.conn.execute("update clinic.staff set is_active = false")
    colleague.ours.dispatch()
    assert colleague.ours.message(id)["reason"] == "stale: this person does not work there any more"


# --- devices


def device(two: Two) -> int:
    """A push reminder to a device that is gone; gives the message."""
    two.theirs.conn.execute("update clinic.patients set user_id = 'user-1'")
    two.theirs.conn.execute("insert into clinic.push_tokens values (%s, 'user-1')", [DEVICE])
    two.ours.senders["push"] = Scripted("push", always(Permanent("gone", "gone", "device_not_registered")))
    return two.reminded(channel="push")


def test_a_device_that_is_gone_is_given_up_there(two: Two) -> None:
    device(two)
    two.ours.call("push")
    assert two.theirs.value("select active from clinic.push_tokens") is False


def nowhere() -> psycopg.Connection[Any]:
    raise WarehouseError("the database cannot be used")


def test_an_outcome_does_not_wait_for_fisioflows_database(two: Two) -> None:
    id = device(two)
    (envelope,) = two.ours.claim("push").envelopes
    two.ours.door = ClinicDoor(nowhere)
    two.ours.record(Ended(envelope, Permanent("gone", "gone", "device_not_registered")))
    assert two.ours.message(id)["state"] == "failed"


# --- trouble


def test_a_connection_that_is_lost_is_opened_again(two: Two) -> None:
    two.reminded()
    two.ours.door.on(two.ours.conn)
    two.hang_up()
    two.ours.dispatch()
    assert two.ours.states() == {"accepted": 1}


def test_messages_wait_while_fisioflows_database_is_away(two: Two) -> None:
    id = two.reminded()
    two.ours.door = ClinicDoor(nowhere)
    with pytest.raises(WarehouseError):
        two.ours.dispatch()
    row = two.ours.message(id)
    assert (row["state"], row["attempt"], row["reason"]) == ("planned", 0, None)


# --- doors


@pytest.mark.parametrize("is_there", [True, False])
def test_an_opt_out_page_names_the_clinic_and_works_without_its_name(two: Two, is_there: bool) -> None:
    elsewhere = two.environment["CLINIC_DATABASE_URL"] + ("" if is_there else "_gone")
    url = unsubscribing.link(
        "", two.ours.hasher, key="k", patient_id=PATIENT, address_hash=None, organization_id=CLINIC,
        category="marketing",
    )  # fmt: skip
    environment = {**ENVIRONMENT, "CLINIC_DATABASE_URL": elsewhere}
    with running(two.ours.warehouse, environment=environment) as gateway:
        page = gateway.client.post(url)
    assert page.status_code == 200 and ("Clínica São João" in page.text) == is_there
    assert two.ours.value("select count(*) from messaging.preferences where patient_id = %s", PATIENT) == 1


def test_an_operator_sees_and_forbids(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    for name, value in two.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("fisio_ayida.commands.messaging.now", two.ours.now)
    two.ours.sealer = None
    shown = CliRunner().invoke(app, ["messages", "show", str(two.reminded())])
    assert shown.exit_code == 0 and "the rules would let it go" in shown.stdout, shown.output
    words = ["--organization", CLINIC, "--channel", "email", "--evidence", "a call"]
    assert CliRunner().invoke(app, ["messages", "forbid", *words, "--patient", PATIENT]).exit_code == 0
    refused = CliRunner().invoke(app, ["messages", "forbid", *words, "--patient", "p-9"])
    assert "patient='p-9' is not a patient" in refused.stderr
