"""The command line of insights: ``fisio-ayida insights run|show|page|spending|queue|retry|scrub|outgoing``.

A door: what is computed, written and stored is in ``insights/``. No command shows a patient's name. Not here: how
answers are printed (``insights_tables.py``).
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from fisio_ayida.commands.exits import BAD_INPUT, FAILED, fail, plain_errors
from fisio_ayida.commands.messaging import now, outbox_and_clinic
from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Connection, Outcome
    from fisio_ayida.insights.card import Seen
    from fisio_ayida.warehouse.clinic import ClinicDoor

insights_app = typer.Typer(
    no_args_is_help=True,
    help="What is computed of patients' sessions and, where a model is configured, put into words. Ids, no names.",
)

Patient = Annotated[str, typer.Argument(metavar="PATIENT", help="An id of FisioFlow's")]
Clinic = Annotated[str, typer.Option("--organization", metavar="ID", help="The patient's organisation")]
Only = Annotated[str | None, typer.Option("--organization", metavar="ID", help="This organisation alone")]
Limit = Annotated[int, typer.Option(min=1, help="Lines at most")]


@insights_app.command("run", help="Do a run of patient_insights now: what waits, or these patients.")
def run(
    patient: Annotated[
        list[str] | None, typer.Option("--patient", metavar="ID", help="This patient; may be repeated")
    ] = None,
    organization: Only = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and write nothing; no model is asked")] = False,
) -> None:
    from fisio_ayida.commands.insights_tables import show_outcome

    patients = tuple(patient or ())
    if patients and organization is None:
        fail("--patient goes with --organization: ids of patients are its own", BAD_INPUT)
    with _plain():
        outcome = asyncio.run(_run(patients, organization, is_dry=dry_run))
    show_outcome(outcome)
    if outcome.failures:
        raise typer.Exit(FAILED)


@insights_app.command("show", help="What is known of a patient, what was made of it, and what was before.")
def show(patient: Patient, organization: Clinic) -> None:
    from fisio_ayida.commands.insights_tables import show_patient
    from fisio_ayida.insights import card, showing

    with _desk() as (_, conn, clinic):
        seen = _seen(conn, clinic, organization, patient)
        made = showing.generations(conn, organization, patient)
        if seen.withheld == "unknown_patient" and not made:
            fail(f"patient={patient!r} is none of organisation {organization!r}, or was deleted", BAD_INPUT)
        show_patient(card.without_names(seen), made, showing.items(conn, organization, patient))


@insights_app.command("page", help="A patient's page: chart, facts, flags and, if there is one, the narrative.")
def page(
    patient: Patient,
    organization: Clinic,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of standard output")] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Without the patient's id, for print")] = False,
) -> None:
    from fisio_ayida.insights import card

    with _desk() as (_, conn, clinic):
        seen = _seen(conn, clinic, organization, patient)
        text = card.page_of(seen, shows_id=not anonymous) if seen.record is not None else _not_readable(seen)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", BAD_INPUT)
    typer.echo(f"{output}: {len(text.encode()):,} bytes")


@insights_app.command("spending", help="What clinics have used of their budgets, newest day first.")
def spending(
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Of the clinic; all if none")] = None,
    organization: Only = None,
    limit: Limit = 50,
) -> None:
    from fisio_ayida.bdns.windows import parse_day
    from fisio_ayida.commands.insights_tables import show_spending
    from fisio_ayida.insights import showing
    from fisio_ayida.insights.model import Limits

    with _desk() as (settings, conn, _):
        of = parse_day("day", day) if day else None
        show_spending(showing.spending(conn, Limits.of(settings), day=of, organization=organization, limit=limit))


@insights_app.command("queue", help="Who waits for a run, is tried again, or is given up (dead); moments are UTC.")
def queue(organization: Only = None, limit: Limit = 50) -> None:
    from fisio_ayida.commands.insights_tables import show_queue
    from fisio_ayida.insights import showing

    with _desk() as (_, conn, _clinic):
        show_queue(showing.queue(conn, organization=organization, limit=limit), now())


@insights_app.command("retry", help="Put a patient that was given up back, to be tried at once.")
def retry(patient: Patient, organization: Clinic) -> None:
    from fisio_ayida.insights import asking, showing

    with _desk() as (_, conn, _clinic):
        found = showing.queued(conn, organization, patient)
        if found is None or found.dead_at is None:
            state = "does not wait" if found is None else f"is {found.state(now())}"
            fail(f"patient={patient!r} {state}; only what is dead can be put back", BAD_INPUT)
        asking.ask(conn, organization, [patient], cause="hand", now=now())
    typer.echo(f"{patient}: asked for again; the next run takes it (`fisio-ayida insights run`)")


@insights_app.command("scrub", help="What a note would look like when it leaves. Try it with made-up text.")
def scrub(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A text or HTML; - is standard input")],
    patient: Annotated[
        str | None, typer.Option("--patient", metavar="ID", help="With this patient's names")
    ] = None,
    organization: Only = None,
) -> None:
    from fisio_ayida.commands.insights_tables import show_hits
    from fisio_ayida.insights import privacy
    from fisio_ayida.insights.model import Identity

    if (patient is None) != (organization is None):
        fail("--patient and --organization go together", BAD_INPUT)
    text = _text(file)
    identity = Identity()
    if patient is not None and organization is not None:
        with _desk() as (_, conn, clinic):
            seen = _seen(conn, clinic, organization, patient)
            identity = seen.record.identity if seen.record is not None else _not_readable(seen)
    scrubbed = privacy.Scrubber(identity).scrub(privacy.plain(text))
    typer.echo(scrubbed.text)
    typer.echo()
    show_hits(scrubbed.hits, privacy.leaks(scrubbed.text, identity))


@insights_app.command("outgoing", help="Exactly what would be sent to a model about a patient, as JSON.")
def outgoing(patient: Patient, organization: Clinic) -> None:
    from fisio_ayida.insights import privacy
    from fisio_ayida.insights.narrative import subject

    with _desk() as (_, conn, clinic):
        seen = _seen(conn, clinic, organization, patient)
        if seen.record is None or seen.facts is None:
            _not_readable(seen)
        given = subject.of(seen.record, seen.facts, privacy.Scrubber(seen.record.identity))
        typer.echo(given.text)
        kinds = subject.found(given, seen.record.identity)
        if kinds:
            fail(f"it would not leave: the second detector still finds {', '.join(kinds)}", FAILED)


async def _run(patients: tuple[str, ...], organization: str | None, *, is_dry: bool) -> Outcome:
    """The same as the job's step, by hand."""
    from fisio_ayida import telemetry
    from fisio_ayida.clinic.model import Order
    from fisio_ayida.clinic.registry import ZONE, shadowed
    from fisio_ayida.clinic.service import open_desk
    from fisio_ayida.insights import running
    from fisio_ayida.insights.collecting import JOB
    from fisio_ayida.insights.model import Limits
    from fisio_ayida.insights.narrative.service import model_of, open_writer
    from fisio_ayida.warehouse.engine import open_warehouse

    settings = Settings.load(os.environ)
    log = telemetry.configure(level=settings.log_level, style=settings.log_format)
    moment = now()
    order = Order(
        nominal=moment.astimezone(ZoneInfo(ZONE)), now=moment, run_id=f"cli-{uuid.uuid4()}",
        organization=organization, is_shadow=JOB in shadowed(settings.clinic_shadow), is_dry=is_dry,
    )  # fmt: skip
    with open_warehouse(settings) as warehouse, open_desk(settings, warehouse, log=log) as desk:
        make = partial(
            running.run, desk, order, now=now, limits=Limits.of(settings), in_flight=settings.insights_in_flight,
            patients=patients,
        )  # fmt: skip
        if is_dry:
            return await make(None, model=model_of(settings))
        async with open_writer(settings, warehouse, now=now, log=log) as writer:
            return await make(writer)


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read as text: {error}", BAD_INPUT)


def _seen(conn: Connection, clinic: ClinicDoor, organization: str, patient: str) -> Seen:
    from fisio_ayida.insights.card import look

    return look(conn, clinic, organization, patient, now=now())


def _not_readable(seen: Seen) -> NoReturn:
    from fisio_ayida.insights.model import REASONS

    code = BAD_INPUT if seen.withheld == "unknown_patient" else FAILED
    fail(f"{seen.patient_id}: {seen.withheld}: {REASONS[seen.withheld]}", code)


@contextmanager
def _desk() -> Iterator[tuple[Settings, Connection, ClinicDoor]]:
    """The settings, our database and the way to the clinic's; errors as one line."""
    with _plain(), outbox_and_clinic() as opened:
        yield opened


@contextmanager
def _plain() -> Iterator[None]:
    from fisio_ayida.clinic.model import BadOrder
    from fisio_ayida.clinic.registry import UnknownJob

    with plain_errors(BadOrder, UnknownJob):
        yield
