"""Going live with messages, and what an operator sets: ``messages key|check|preview|dispatch|forbid|allow|lift``.

A door like ``messaging.py``: importing this module adds its commands to the application made there. Not here:
looking at messages, retrying and cancelling them.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fisio_ayida import telemetry
from fisio_ayida.commands.exits import FAILED, plain_errors
from fisio_ayida.commands.messaging import (
    messages_app,
    now,
    outbox,
    outbox_and_clinic,
    plain_messaging_errors,
)
from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    from fisio_ayida.messaging.dispatcher import Tally

__all__ = ["messages_app"]

Clinic = Annotated[str, typer.Option("--organization", help="The clinic that it is said to")]
Patient = Annotated[str | None, typer.Option(help="Who says it: a patient of the clinic")]
To = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who says it: whoever has this address")]
Way = Annotated[str, typer.Option("--channel", help="email, whatsapp or push")]
Category = Annotated[str, typer.Option(help="all, transactional, care or marketing")]
Evidence = Annotated[
    str, typer.Option(metavar="TEXT", help="What proves it: a form, a call with its day; no names")
]


@messages_app.command("key", help="Print a new key for MESSAGING_KEY.")
def new_key() -> None:
    from fisio_ayida.messaging import sealing

    typer.echo(sealing.new_key())


@messages_app.command(
    "check", help="What is missing before messages are sent for real; code 1 if they would not be."
)
def check() -> None:
    from fisio_ayida.commands.message_tables import show_findings
    from fisio_ayida.messaging.readiness import findings

    with plain_errors():
        found = findings(Settings.load(os.environ))
    show_findings(found)
    if any(each.level == "stops" for each in found):
        raise typer.Exit(FAILED)


@messages_app.command("preview", help="Write what a template looks like, with made-up people, as files to open.")
def preview_template(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE|all")],
    channel: Annotated[
        str | None, typer.Option(help="email, whatsapp or push; all that it has if left out")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where to; `preview` below FISIO_AYIDA_HOME if left out")
    ] = None,
) -> None:
    from fisio_ayida.messaging.desk import known_channel
    from fisio_ayida.messaging.preview import preview
    from fisio_ayida.messaging.templates.registry import TEMPLATES

    with plain_messaging_errors():
        only: Any = known_channel(channel)
        into = folder or Settings.load(os.environ).home / "preview"
        names = [row.name for row in TEMPLATES.values() if only is None or only in row.channels]
        for name in names if template == "all" else [template]:
            for path in preview(name, only, folder=into):
                typer.echo(str(path))


@messages_app.command("dispatch", help="Send what is due, here and now, until nothing is.")
def dispatch_here() -> None:
    from fisio_ayida.commands.message_tables import show_tally

    with plain_messaging_errors():
        tally = asyncio.run(_dispatch(Settings.load(os.environ)))
        show_tally(tally)
    if tally.faults:
        raise typer.Exit(1)


@messages_app.command("forbid", help="Keep that a person wants no messages; the latest word counts.")
def forbid(
    organization: Clinic,
    channel: Way,
    evidence: Evidence,
    patient: Patient = None,
    to: To = None,
    category: Category = "all",
) -> None:
    _say(organization, channel, evidence, patient, to, category, allowed=False)


@messages_app.command("allow", help="Keep that a person wants messages; the latest word counts.")
def allow(
    organization: Clinic,
    channel: Way,
    evidence: Evidence,
    patient: Patient = None,
    to: To = None,
    category: Category = "all",
) -> None:
    _say(organization, channel, evidence, patient, to, category, allowed=True)


@messages_app.command("lift", help="Let messages go again to an address that was suppressed: it works again.")
def lift(to: Annotated[str, typer.Option(metavar="ADDRESS", help="The address")], channel: Way) -> None:
    from fisio_ayida.messaging import desk, preferences
    from fisio_ayida.messaging.sealing import Hasher

    with outbox() as (settings, conn):
        hasher = Hasher.open(conn, settings.messaging_hash_key)
        [digest] = desk.hashes(to, hasher, desk.known_channel(channel))
        done = preferences.lift(conn, channel=channel, address_hash=digest)
        typer.echo("lifted: messages may go there again" if done else "it was not suppressed")


def _say(
    organization: str, channel: str, evidence: str, patient: str | None, to: str | None, category: str, *,
    allowed: bool,
) -> None:  # fmt: skip
    from fisio_ayida.messaging import desk, preferences
    from fisio_ayida.messaging.sealing import Hasher

    with outbox_and_clinic() as (settings, conn, clinic):
        if (patient is None) == (to is None):
            raise desk.BadQuestion("give either --patient or --to")
        digest = None
        # What is said to a clinic that there is not would bind nobody.
        desk.known_clinic(conn, organization, clinic)
        if patient is not None:
            desk.known_patient(conn, organization, patient, clinic)
        if to is not None:
            hasher = Hasher.open(conn, settings.messaging_hash_key)
            [digest] = desk.hashes(to, hasher, desk.known_channel(channel))
        row = preferences.record(
            conn, organization_id=organization, channel=channel, category=category, allowed=allowed,
            source="operator", evidence=evidence, at=now(), patient_id=patient, address_hash=digest,
        )  # fmt: skip
        who = f"patient {patient}" if patient is not None else "this address"
        verb = "allowed" if allowed else "forbidden"
        typer.echo(f"{channel} ({category}) of {organization} to {who}: {verb} (preference {row})")


async def _dispatch(settings: Settings) -> Tally:
    from fisio_ayida.messaging.dispatch import dispatch
    from fisio_ayida.messaging.service import open_dispatcher
    from fisio_ayida.warehouse.engine import open_warehouse

    log = telemetry.configure(level=settings.log_level, style=settings.log_format)
    with open_warehouse(settings) as warehouse:
        async with open_dispatcher(
            settings, warehouse, run_id=f"cli-{uuid.uuid4()}", now=now, jitter=random.random, log=log
        ) as dispatcher:
            return await dispatch(dispatcher)
