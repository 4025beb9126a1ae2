"""A dispatcher process that is killed between claim and answer, on each channel: never two, and nobody pretends.

Two processes are killed, each with all that its channels can have in hand; the tests look at what a second
dispatcher makes of it once the lease is over.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fisio_ayida.messaging import preferences
from fisio_ayida.messaging.channels.mail import slug
from fisio_ayida.messaging.model import Cause, Content, Draft, EmailContent, PushContent, WhatsappContent
from fisio_ayida.messaging.sealing import new_key
from fisio_ayida.messaging.service import lease, open_outbox
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.evolution import EvolutionSimulator
from fisio_ayida.simulators.expo import ExpoSimulator
from fisio_ayida.simulators.meta import MetaConfig, MetaSimulator
from fisio_ayida.simulators.resend import ResendSimulator
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.gateway.running import running, until, utc_now
from fisio_ayida_tests.messaging import child

pytestmark = pytest.mark.xdist_group("kills")
META = MetaConfig()
NUMBER_ID = META.phone_number_ids[0]
TOKEN = "expo-token"  # noqa: S105  opens nothing
FOUND, NEVER = "5511987650001", "5511987650002"
DEVICE = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"


class House:
    """A database, its settings, and a clock that is moved on between dispatchers."""

    def __init__(self, warehouse: Warehouse, home: Path, **variables: str) -> None:
        self.warehouse, self.home = warehouse, home
        self.later = dt.timedelta()
        self.variables = {
            "DATABASE_URL": warehouse.url.psycopg, "FISIO_AYIDA_HOME": str(home), "MESSAGING_KEY": new_key(),
            "RESEND_REQUESTS_PER_SECOND": "0", "EVOLUTION_REQUESTS_PER_SECOND": "0",
            "WHATSAPP_REQUESTS_PER_SECOND": "0", **variables,
        }  # fmt: skip
        self.settings = Settings.load(self.variables)
        self.conn = warehouse.connect(autocommit=True)

    def plan(self, *drafts: Draft) -> list[int]:
        outbox = open_outbox(self.conn, self.settings)
        with self.conn.transaction():
            return [planned.id for planned in outbox.plan(self.conn, drafts, now=utc_now())]

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """A dispatcher of its own."""
        command = [sys.executable, "-m", child.__name__, "killed"]
        with log.open("wb") as output:
            environment = {"PATH": os.environ["PATH"], **self.variables}
            return subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def dispatch(self, later: dt.timedelta) -> None:
        """Another dispatcher, after so long."""
        self.later += later
        asyncio.run(
            child.run(self.settings, self.warehouse, f"second-{self.later}", lambda: utc_now() + self.later)
        )

    def dispatch_after_the_lease(self) -> None:
        self.dispatch(lease(self.settings) + dt.timedelta(seconds=5))

    def states(self, like: str) -> Counter[str]:
        """Of the messages whose key begins so."""
        found = self.conn.execute("select state from messaging.messages where key like %s", [f"{like}%"])
        return Counter(state for (state,) in found)

    def value(self, query: str, *values: Any) -> Any:
        return next(iter(self.conn.execute(query, values)))[0]


def draft(key: str, content: Content, to: str) -> Draft:
    """What an app asks for: no rule but the address stands against it, at any hour."""
    channel: Any = {EmailContent: "email", WhatsappContent: "whatsapp", PushContent: "push"}[type(content)]
    return Draft(key=key, job="test", channel=channel, category="direct", to=to, content=content)


def mail(key: str) -> Draft:
    return draft(key, EmailContent(subject=key, text="Olá"), "ana@example.com")


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[tuple[ResendSimulator, EvolutionSimulator, ExpoSimulator, MetaSimulator]]:
    """All of them, for both processes."""
    with ExitStack() as stack:
        resend, evolution = stack.enter_context(ResendSimulator()), stack.enter_context(EvolutionSimulator())
        yield resend, evolution, stack.enter_context(ExpoSimulator()), stack.enter_context(MetaSimulator())


@pytest.fixture(scope="module")
def killed(
    messaging_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory, stand_ins: tuple[Any, ...]
) -> House:
    """With Resend, Evolution and Expo, which hold every call; half of them after the message has gone out."""
    resend, evolution, expo, _ = stand_ins
    folder = tmp_path_factory.mktemp("killed")
    house = House(
        messaging_warehouse, folder, RESEND_API_KEY="re", RESEND_BASE_URL=resend.url,
        EVOLUTION_API_KEY="evolution-key", EVOLUTION_BASE_URL=evolution.url,
        EXPO_ACCESS_TOKEN=TOKEN, EXPO_BASE_URL=expo.url,
    )  # fmt: skip
    house.conn.execute("insert into clinic.organizations (id, name) values ('org', 'Clínica São João')")
    greetings = [greeting(house, nth) for nth in range(3)]
    house.plan(
        mail("mail-1"), mail("mail-2"), *greetings,
        draft("whatsapp-1", WhatsappContent(text="primeira"), FOUND),
        draft("whatsapp-2", WhatsappContent(text="segunda"), NEVER),
        draft("push-1", PushContent(title="Olá", body="um"), DEVICE),
        draft("push-2", PushContent(title="Olá", body="dois"), DEVICE),
    )  # fmt: skip
    resend.fault("hang", recorded=True)
    resend.fault("hang", recorded=False)
    resend.fault("hang", recorded=True, route="/emails/batch")
    for stand_in in (evolution, expo):
        stand_in.fault("hang", recorded=True)
        stand_in.fault("hang", recorded=False)
    process = house.start(folder / "child.log")
    try:
        until(
            lambda: (
                resend.state()["faults"] == 0 and evolution.watch("fisioflow")["starts"] == 2
                and expo.state()["faults"] == 0
            ),
            "every call is held",
        )  # fmt: skip
    finally:
        process.kill()
        process.wait()
    assert house.states("") == {"claimed": 9}, (folder / "child.log").read_text()
    assert (resend.count, evolution.count, expo.state()["sent"]) == (1 + 3, 1, 1)
    house.dispatch_after_the_lease()
    return house


def greeting(house: House, nth: int) -> Draft:
    """An e-mail that shares its call with others."""
    id = f"patient-{nth}"
    house.conn.execute(
        "insert into clinic.patients (id, organization_id, full_name, email) values (%s, 'org', 'Ana', %s)",
        [id, f"ana-{nth}@example.com"],
    )
    preferences.record(
        house.conn, organization_id="org", channel="email", category="marketing", allowed=True, source="form",
        evidence="test", at=utc_now(), patient_id=id,
    )  # fmt: skip
    return Draft(
        key=f"greeting-{nth}", job="test", channel="email", category="marketing", organization_id="org",
        patient_id=id, template="birthday", variables={"nome": "Ana", "clinica": "Clínica São João"},
        cause=Cause("patient", id), heeds_quiet=False,
    )  # fmt: skip


def test_resend_is_asked_again_under_the_same_key_and_sends_once(
    killed: House, stand_ins: tuple[Any, ...]
) -> None:
    keys = Counter(sent["key"] for sent in stand_ins[0].sent if sent["key"].startswith("mail"))
    assert keys == {"mail-1": 1, "mail-2": 1}
    assert killed.states("mail") == {"accepted": 2}
    assert killed.value("select max(attempt) from messaging.messages where key like 'mail%%'") == 2


def test_a_batch_is_repeated_as_it_was_and_sends_each_once(killed: House, stand_ins: tuple[Any, ...]) -> None:
    to = Counter(sent["to"][0] for sent in stand_ins[0].sent if sent["to"][0] != "ana@example.com")
    assert to == {f"ana-{nth}@example.com": 1 for nth in range(3)}
    assert killed.states("greeting") == {"accepted": 3}


def test_evolution_is_looked_up_and_what_is_not_found_stays_unknown(
    killed: House, stand_ins: tuple[Any, ...]
) -> None:
    evolution = stand_ins[1]
    assert killed.states("whatsapp") == {"unknown": 2}
    # The provider's own records are late: asked a minute and a half later, and again after longer pauses.
    for _ in range(3):
        killed.dispatch(dt.timedelta(minutes=4))
    assert evolution.count == 1
    assert killed.states("whatsapp") == {"accepted": 1, "unknown": 1}
    found = killed.value(
        "select provider_id from messaging.messages where key like 'whats%%' and state = 'accepted'"
    )
    assert found == evolution.sent[0]["id"]


def test_expo_cannot_be_asked_so_that_a_push_stays_unknown(killed: House, stand_ins: tuple[Any, ...]) -> None:
    killed.dispatch(dt.timedelta(minutes=4))
    assert stand_ins[2].state()["sent"] == 1
    assert killed.states("push") == {"unknown": 2}


@pytest.fixture(scope="module")
def killed_too(
    warehouse_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory, stand_ins: tuple[Any, ...]
) -> Iterator[House]:
    """With Meta and files: one file half written, one whole that nobody has recorded."""
    meta, folder = stand_ins[3], tmp_path_factory.mktemp("killed_too")
    with cloned(warehouse_server) as warehouse:
        house = House(
            warehouse, folder, WHATSAPP_ACCESS_TOKEN=META.access_token, WHATSAPP_BASE_URL=meta.base_url,
            WHATSAPP_PHONE_NUMBER_ID=NUMBER_ID, WHATSAPP_APP_SECRET=META.app_secret,
        )  # fmt: skip
        kill_in_mid_write(house, meta, folder / "child.log")
        house.dispatch_after_the_lease()
        yield house


def kill_in_mid_write(house: House, meta: MetaSimulator, log: Path) -> None:
    """Both files' writers wait where they are told to, and Meta holds both calls."""
    half, whole, *_ = house.plan(
        mail("file-half"), mail("file-whole"),
        draft("meta-1", WhatsappContent(text="primeira"), FOUND),
        draft("meta-2", WhatsappContent(text="segunda"), NEVER),
    )  # fmt: skip
    meta.talking(FOUND, NEVER)
    meta.fault("hang", recorded=True)
    meta.fault("hang", recorded=False)
    parts = [part(house, half, "file-half"), part(house, whole, "file-whole")]
    for path in parts:
        # A file that takes in nothing until somebody reads it: the process waits inside the write.
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
    process = house.start(log)
    try:
        until(
            lambda: house.states("") == {"claimed": 4} and meta.watch(NUMBER_ID)["starts"] == 2, "all is claimed"
        )
        with house.warehouse.connect() as conn:
            # Until this ends nobody can record anything.
            conn.execute("lock table messaging.transitions in share mode")
            content = parts[1].read_bytes()
            until(lambda: not parts[1].exists(), "the file has its name")
            process.kill()
            process.wait()
    finally:
        process.kill()
        process.wait()
    assert house.states("") == {"claimed": 4}, log.read_text()
    for path, left in ((parts[0], b"From: half"), (written(parts[1]), content)):
        path.unlink()
        path.write_bytes(left)


def part(house: House, id: int, key: str) -> Path:
    """Where the file channel writes before the file has its name."""
    return house.home / "outbox" / "email" / f".{id}-{slug(key, 120)}.eml.part"


def written(path: Path) -> Path:
    return path.with_name(path.name.removeprefix(".").removesuffix(".part"))


def test_a_file_is_written_again_to_the_same_name(killed_too: House) -> None:
    folder = killed_too.home / "outbox" / "email"
    names = sorted(path.name.partition("-")[2] for path in folder.iterdir())
    assert names == ["file-half.eml", "file-whole.eml"]
    assert all(b"Subject: file-" in path.read_bytes() for path in folder.iterdir())
    assert killed_too.states("file") == {"accepted": 2}


def test_meta_tells_by_its_webhook_what_became_of_a_message(killed_too: House, stand_ins: tuple[Any, ...]) -> None:
    meta = stand_ins[3]
    assert killed_too.states("meta") == {"unknown": 2} and meta.count == 1
    with running(killed_too.warehouse, environment=killed_too.variables) as gateway:
        meta.webhook(f"{gateway.url}/webhooks/meta")
        assert meta.receipt(meta.sent[0]["id"], "delivered") == 200
    killed_too.dispatch(dt.timedelta(minutes=4))
    assert killed_too.states("meta") == {"delivered": 1, "unknown": 1}
    assert meta.count == 1
