"""The last part of the demo: messages are planned, held to the rules, sent, confirmed and answered.

Nothing leaves the machine: e-mails and WhatsApp go into files, then to stand-ins that call the real gateway back.
Clinics and patients are made up. Not here: the other parts (``demo.py``, ``demo_events.py``).
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import random
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from fisio_ayida.commands.demo_events import gateway
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import get_logger

if TYPE_CHECKING:
    from fisio_ayida.messaging.dispatcher import Tally
    from fisio_ayida.messaging.model import Draft
    from fisio_ayida.simulators.evolution import EvolutionSimulator
    from fisio_ayida.warehouse.engine import Warehouse

ZONE = ZoneInfo("America/Sao_Paulo")
Connection = psycopg.Connection[Any]

_BECAME = """
select channel, address_masked, state,
       coalesce(reason, case when fallback_of is not null
                        then 'in its place, if nothing is heard until ' || to_char(due_at, 'HH24:MI') end, ''),
       fallback_of
from messaging.messages where patient_id = %s and template = 'appointment_reminder' order by channel desc
"""


@dataclass(frozen=True, slots=True)
class Patient:
    """A made-up patient, with the state in which a reminder for tomorrow must end, and why."""

    id: str
    name: str
    phone: str | None
    wanted: str
    what: str
    clinic: str = "vitoria"


# Numbers of a block that no operator has given out.
PATIENTS = (
    Patient("ana", "Ana Beatriz Souza", "27 99900-0001", "read", "answers 1"),
    Patient("bruno", "Bruno Araújo", "(27) 9 9900-0002", "delivered", "answers PARAR"),
    Patient("carla", "Carla Conceição", "+55 27 99900-0003", "skipped", "has moved her visit"),
    Patient("davi", "Davi Gonçalves", None, "skipped", "has no phone"),
    Patient("elisa", "Elisa Magalhães", "27 99900-0005", "failed", "is not on WhatsApp"),
    Patient("fabio", "Fábio Nunes", "27 99900-0006", "skipped", "said no before"),
    Patient("gil", "Gil Ventura", "68 99900-0007", "deferred", "it is night at the clinic", clinic="rio-branco"),
)


def show_messages(console: Console, settings: Settings, warehouse: Warehouse) -> bool:
    """Plan, send, receive; True when every message ended as it must."""
    mark = secrets.token_hex(3)
    key = secrets.token_bytes(32)
    files = settings.model_copy(update={"messaging_key": SecretStr(_base64(key))})
    with warehouse.connect(autocommit=True) as conn:
        _make_clinics(conn, mark)
        kinds = _plan_every_kind(conn, files, mark)
    tally = _dispatch(files, warehouse)
    sent = tally.total("accepted")
    folder = settings.home / "outbox"
    console.print(f"  every template on every channel: {kinds} planned, {sent} sent into files; open {folder}")
    with ExitStack() as stack:
        good = _with_stand_ins(console, files, warehouse, mark, stack)
    return good and sent >= kinds


def _with_stand_ins(
    console: Console, settings: Settings, warehouse: Warehouse, mark: str, stack: ExitStack
) -> bool:
    from fisio_ayida.simulators.evolution import EvolutionConfig, EvolutionSimulator
    from fisio_ayida.simulators.resend import ResendConfig, ResendSimulator

    token, secret = secrets.token_urlsafe(12), "whsec_" + _base64(secrets.token_bytes(32))
    assert settings.messaging_key is not None  # noqa: S101  made above
    environment = {
        "EVOLUTION_WEBHOOK_TOKEN": token, "RESEND_WEBHOOK_SECRET": secret,
        "MESSAGING_KEY": settings.messaging_key.get_secret_value(),
    }  # fmt: skip
    url = stack.enter_context(gateway(settings, environment))
    resend = stack.enter_context(
        ResendSimulator(ResendConfig(webhook_url=f"{url}/webhooks/resend", webhook_secret=secret))
    )
    evolution = stack.enter_context(
        EvolutionSimulator(EvolutionConfig(webhook_url=f"{url}/webhooks/evolution", webhook_token=token))
    )
    evolution.absent("5527999000005")
    local = settings.model_copy(
        update={
            "resend_api_key": SecretStr("stand-in"), "resend_base_url": resend.url,
            "resend_requests_per_second": 0.0, "evolution_api_key": SecretStr("evolution-key"),
            "evolution_base_url": evolution.url, "evolution_requests_per_second": 0.0,
            "gateway_public_url": url,
        }
    )  # fmt: skip
    with warehouse.connect(autocommit=True) as conn:
        _plan_reminders(conn, local, mark)
        _forbid(conn, local, mark)
        conn.execute(
            "update clinic.appointments set start_time = start_time + interval '1 hour' where id = %s",
            [f"visit-carla-{mark}"],
        )
        _ask_by_sql(conn, mark)
    _handle_events(console, local)
    _dispatch(local, warehouse)
    _answers(evolution)
    again = _dispatch(local, warehouse)
    console.print(
        f"  Resend's stand-in delivered {resend.count} e-mails, Evolution's {evolution.count} WhatsApp messages; "
        f"{again.receipts} receipts and {again.replies} replies came back through the gateway"
    )
    pages = _keep_pages(settings.home / "outbox", {"resend": resend.url, "evolution": evolution.url})
    console.print(f"  what they have received: {', '.join(str(page) for page in pages)}")
    with warehouse.connect(autocommit=True) as conn:
        table, good = _table(conn, mark)
        console.print(table)
        confirmed = _one(conn, "select status from clinic.appointments where id = %s", f"visit-ana-{mark}")
        shown = _one(conn, "select min(id) from messaging.messages where patient_id = %s", f"ana-{mark}")
    console.print(
        f"  Ana's visit is {confirmed}. The whole story of her message: fisio-ayida messages show {shown}"
    )
    return good and confirmed == "presenca_confirmada" and resend.count >= 2


def _make_clinics(conn: Connection, mark: str) -> None:
    """Two clinics, one of them at night, and tomorrow's visits."""
    here = dt.datetime.now(ZONE)
    night = ((here - dt.timedelta(hours=1)).time(), (here + dt.timedelta(hours=1)).time())
    with conn.transaction():
        for id, name, quiet in (
            ("vitoria", "Clínica Vitória & Saúde", (dt.time(0), dt.time(0))),
            ("rio-branco", "Fisio Rio Branco", night),
        ):
            conn.execute("insert into clinic.organizations (id, name) values (%s, %s)", [f"{id}-{mark}", name])
            conn.execute(
                "insert into messaging.policies (organization_id, quiet_from, quiet_to, marketing_basis) "
                "values (%s, %s, %s, 'legitimate_interest')",
                [f"{id}-{mark}", *quiet],
            )
        conn.execute(
            "insert into clinic.staff (user_id, organization_id, full_name) values (%s, %s, %s)",
            [f"staff-{mark}", f"vitoria-{mark}", "Dra. Helena Brandão"],
        )
        for patient in PATIENTS:
            conn.execute(
                "insert into clinic.patients (id, organization_id, full_name, phone, email) "
                "values (%s, %s, %s, %s, %s)",
                [f"{patient.id}-{mark}", f"{patient.clinic}-{mark}", patient.name, patient.phone,
                 f"{patient.id}@example.com"],
            )  # fmt: skip
            conn.execute(
                "insert into clinic.appointments "
                "(id, organization_id, patient_id, therapist_id, date, start_time) "
                "values (%s, %s, %s, %s, %s, '14:00')",
                [f"visit-{patient.id}-{mark}", f"{patient.clinic}-{mark}", f"{patient.id}-{mark}", f"staff-{mark}",
                 here.date() + dt.timedelta(days=1)],
            )  # fmt: skip


def _plan_every_kind(conn: Connection, settings: Settings, mark: str) -> int:
    """Every template on each of its channels, with its example; gives their number."""
    from fisio_ayida.messaging.model import Draft
    from fisio_ayida.messaging.templates.registry import TEMPLATES

    to = {"email": "ana@example.com", "whatsapp": "27 99900-0001", "push": "ExponentPushToken[demo]"}
    drafts = [
        Draft(
            key=f"demo:{mark}:{template.name}:{channel}", job="demo", channel=channel, category=template.category,
            organization_id=f"vitoria-{mark}", to=to[channel], template=template.name,
            variables=template.example,
        )
        for template in TEMPLATES.values() for channel in template.channels
    ]  # fmt: skip
    return _planned(conn, settings, drafts)


def _plan_reminders(conn: Connection, settings: Settings, mark: str) -> None:
    """A WhatsApp reminder for everybody, and an e-mail for some."""
    from fisio_ayida.messaging import causes, keys
    from fisio_ayida.messaging.model import Cause, Channel, Draft
    from fisio_ayida.warehouse.clinic import BESIDE

    visits = {patient.id: f"visit-{patient.id}-{mark}" for patient in PATIENTS}
    clinics = {("appointment", visits[patient.id]): f"{patient.clinic}-{mark}" for patient in PATIENTS}
    readings = causes.read(conn, clinics, now=dt.datetime.now(dt.UTC), clinic=BESIDE)
    channels: dict[str, tuple[Channel, ...]] = {"ana": ("whatsapp", "email"), "gil": ("whatsapp",)}
    drafts = []
    for patient in PATIENTS:
        reading = readings["appointment", visits[patient.id]]
        version = reading.now.version
        assert version is not None  # noqa: S101  inserted above
        for channel in channels.get(patient.id, ("whatsapp",)):
            key = keys.reminder(visits[patient.id], dt.datetime.fromisoformat(version), "d1", channel)
            drafts.append(Draft(
                key=key, job="demo", channel=channel, category="transactional",
                organization_id=f"{patient.clinic}-{mark}", patient_id=f"{patient.id}-{mark}",
                template="appointment_reminder", variables=reading.variables,
                cause=Cause("appointment", visits[patient.id], version),
            ))  # fmt: skip
    # Without the demo's key: the one that waits for the morning is made again from its cause, by whoever sends it.
    plain = settings.model_copy(update={"messaging_key": None})
    # As a job that runs twice: the keys make the second time nothing.
    for _ in range(2):
        _planned(conn, plain, drafts)


def _planned(conn: Connection, settings: Settings, drafts: Sequence[Draft]) -> int:
    from fisio_ayida.messaging.service import open_outbox

    with conn.transaction():
        planned = open_outbox(conn, settings).plan(conn, drafts, now=dt.datetime.now(dt.UTC))
    return sum(each.is_new for each in planned)


def _forbid(conn: Connection, settings: Settings, mark: str) -> None:
    from fisio_ayida.messaging import preferences

    preferences.record(
        conn, organization_id=f"vitoria-{mark}", patient_id=f"fabio-{mark}", channel="whatsapp", category="all",
        allowed=False, source="form", evidence="demo", at=dt.datetime.now(dt.UTC),
    )  # fmt: skip


def _ask_by_sql(conn: Connection, mark: str) -> None:
    """What an app writes in its own transaction."""
    request = {
        "organizationId": f"vitoria-{mark}", "userId": f"ana-{mark}", "type": "email", "priority": "high",
        "data": {"to": "ana@example.com", "subject": "Sua nova senha", "body": "Use o link que enviamos."},
    }  # fmt: skip
    conn.execute("select messaging.plan(%s, %s)", [json.dumps(request), f"password-{mark}"])


def _handle_events(console: Console, settings: Settings) -> None:
    """The inbox's own job makes messages of the app's requests."""
    from fisio_ayida.commands.demo import run_jobs

    run_jobs(console, settings, {"process_events": {}})


def _dispatch(settings: Settings, warehouse: Warehouse) -> Tally:
    from fisio_ayida.messaging.dispatch import dispatch
    from fisio_ayida.messaging.service import open_dispatcher

    async def run() -> Tally:
        async with open_dispatcher(
            settings, warehouse, run_id=f"demo-{secrets.token_hex(4)}", now=lambda: dt.datetime.now(dt.UTC),
            jitter=random.random, log=get_logger("fisio_ayida.messaging"),
        ) as dispatcher:  # fmt: skip
            return await dispatch(dispatcher)

    return asyncio.run(run())


def _answers(evolution: EvolutionSimulator) -> None:
    """Phones show the messages, and two people write back; the stand-in tells the gateway."""
    evolution.webhooks()
    first = next(m for m in evolution.sent if m["number"].endswith("0001"))
    evolution.receipt(first["id"], "READ")
    evolution.reply("5527999000001", "1", quoted=first["id"])
    evolution.reply("5527999000002", "Parar, por favor")
    evolution.webhooks()


def _keep_pages(folder: Path, urls: Mapping[str, str]) -> list[Path]:
    """The stand-ins end with the demo; what they show stays."""
    pages = []
    for name, url in urls.items():
        path = folder / f"{name}.html"
        path.write_text(httpx.get(url, trust_env=False).text, encoding="utf-8")
        pages.append(path)
    return pages


def _table(conn: Connection, mark: str) -> tuple[Table, bool]:
    """What became of every reminder, and whether that is what had to."""
    table = Table(title="From messaging.messages, what became of each reminder")
    for name in ("patient", "channel", "to", "state", "why"):
        table.add_column(name, overflow="fold")
    good = True
    for patient in PATIENTS:
        rows = conn.execute(_BECAME, [f"{patient.id}-{mark}"]).fetchall()
        good &= bool(rows)
        for channel, masked, state, why, fallback_of in rows:
            wanted = patient.wanted if channel == "whatsapp" else "planned" if fallback_of else "delivered"
            good &= state == wanted
            style = None if state == wanted else "bold red"
            table.add_row(f"{patient.id}: {patient.what}", channel, masked, state, why, style=style)
    return table, good


def _one(conn: Connection, query: str, value: str) -> Any:
    row = conn.execute(query, [value]).fetchone()
    return None if row is None else row[0]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
