"""The command line of messages: ``fisio-ayida messages list|show|retry|cancel`` and what an operator sets.

A door: words become questions and orders, what they mean is in ``messaging/``. Not here: how answers are printed
(``message_tables.py``), and going live (``messaging_setup.py``).
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fisio_ayida.commands.eventing import moment
from fisio_ayida.commands.exits import BAD_INPUT, FAILED, fail, plain_errors
from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.messaging.acts import Act
    from fisio_ayida.messaging.claims import Foreseen
    from fisio_ayida.messaging.desk import Which
    from fisio_ayida.warehouse.clinic import ClinicDoor

messages_app = typer.Typer(
    no_args_is_help=True,
    help="Messages to people: look, retry, cancel, forbid, go live. Moments are UTC: YYYY-MM-DD or ISO 8601.",
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Single messages, by id or key")]
States = Annotated[list[str] | None, typer.Option("--state", help="Messages in this state; may be repeated")]
Channel = Annotated[str | None, typer.Option(help="email, whatsapp or push")]
Organization = Annotated[str | None, typer.Option(help="Messages of this organisation")]
Template = Annotated[str | None, typer.Option(help="Messages made from this template")]
Since = Annotated[str | None, typer.Option(metavar="MOMENT", help="In their state since this moment or later")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before doing more than one")]


@contextmanager
def outbox() -> Iterator[tuple[Settings, psycopg.Connection[Any]]]:
    """The settings and a connection in autocommit; errors as one line."""
    from fisio_ayida.warehouse.engine import open_warehouse

    with plain_messaging_errors():
        settings = Settings.load(os.environ)
        with open_warehouse(settings) as warehouse, warehouse.connect(autocommit=True) as conn:
            yield settings, conn


@contextmanager
def outbox_and_clinic() -> Iterator[tuple[Settings, psycopg.Connection[Any], ClinicDoor]]:
    """As :func:`outbox`, with the way to the clinic's relations."""
    from fisio_ayida.warehouse.clinic import open_clinic
    from fisio_ayida.warehouse.engine import open_warehouse

    with plain_messaging_errors():
        settings = Settings.load(os.environ)
        with (
            open_warehouse(settings) as warehouse,
            open_clinic(settings, warehouse) as clinic,
            warehouse.connect(autocommit=True) as conn,
        ):
            yield settings, conn, clinic


@contextmanager
def plain_messaging_errors() -> Iterator[None]:
    """What may be wrong with a question about messages, as one line."""
    from fisio_ayida.events.desk import BadQuestion as BadMoment
    from fisio_ayida.messaging.desk import BadQuestion
    from fisio_ayida.messaging.model import MessagingError

    with plain_errors(BadQuestion, BadMoment, MessagingError, UnicodeEncodeError):
        yield


@messages_app.command("list", help="Messages, newest first: what became of them, never what they say.")
def list_messages(
    state: States = None,
    channel: Channel = None,
    organization: Organization = None,
    patient: Annotated[str | None, typer.Option(help="Messages to this patient")] = None,
    template: Template = None,
    cause: Annotated[
        str | None,
        typer.Option(metavar="KIND:ID", help="What they follow from: appointment:…, event:…, patient:…"),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Messages to this address: those sent, and those planned with it"),
    ] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="Lines at most")] = 50,
    counts: Annotated[bool, typer.Option("--counts", help="How many, by what, channel and state")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
) -> None:
    from fisio_ayida.commands import message_tables as show
    from fisio_ayida.commands.tables import json_lines
    from fisio_ayida.messaging import desk

    with outbox() as (settings, conn):
        which = desk.Which(
            states=desk.known_states(state or ()), channel=desk.known_channel(channel), organization=organization,
            patient=patient, template=desk.known_template(template), cause=desk.known_cause(cause),
            addresses=_hashes(settings, conn, to, channel) if to is not None else (), since=moment("since", since),
        )  # fmt: skip
        if counts:
            found = desk.counts(conn, which)
            return json_lines(found) if as_json else show.show_counts(found)
        return show.show_messages(desk.messages(conn, which, limit=limit), as_json=as_json)


@messages_app.command("show", help="What happened to one message, and why.")
def show_one(word: Annotated[str, typer.Argument(metavar="ID|KEY")]) -> None:
    from fisio_ayida.commands.message_tables import show_story
    from fisio_ayida.messaging import desk, service
    from fisio_ayida.messaging.story import story

    with outbox_and_clinic() as (settings, conn, clinic):
        [id] = desk.named(conn, [word])
        told = story(conn, id, service.providers(settings), clinic, now=now())
        show_story(told, _foreseen(settings, conn, clinic, id, told.message.channel), settings.dagster_ui_url)


@messages_app.command("retry", help="Let messages that were not sent be tried again, with all rules.")
def retry_messages(
    ids: Ids = None,
    state: States = None,
    channel: Channel = None,
    organization: Organization = None,
    template: Template = None,
    since: Since = None,
    yes: Yes = False,
) -> None:
    from fisio_ayida.messaging import acts

    with outbox() as (_, conn):
        which = _chosen(conn, ids, None, acts.RETRIABLE, state, channel, organization, template, since)
        _act(conn, which, lambda chosen: acts.retry(conn, chosen, now=now()), "retry", yes=yes)


@messages_app.command("cancel", help="Stop messages that were not handed over yet.")
def cancel_messages(
    ids: Ids = None,
    state: States = None,
    channel: Channel = None,
    organization: Organization = None,
    template: Template = None,
    since: Since = None,
    yes: Yes = False,
) -> None:
    from fisio_ayida.messaging import acts

    with outbox() as (_, conn):
        states = acts.CANCELLABLE
        which = _chosen(conn, ids, states, states, state, channel, organization, template, since)
        _act(
            conn, which, lambda chosen: acts.cancel(conn, chosen, who="an operator", now=now()), "cancel", yes=yes
        )


def now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


def _hashes(
    settings: Settings, conn: psycopg.Connection[Any], address: str, channel: str | None
) -> tuple[bytes, ...]:
    from fisio_ayida.messaging import desk
    from fisio_ayida.messaging.sealing import Hasher

    return desk.hashes(address, Hasher.open(conn, settings.messaging_hash_key), channel)


def _foreseen(
    settings: Settings, conn: psycopg.Connection[Any], clinic: ClinicDoor, id: int, channel: Any
) -> Foreseen | str | None:
    """What would become of it now; a word if these settings cannot tell."""
    from fisio_ayida.messaging import claims, service
    from fisio_ayida.messaging.sealing import SealError

    try:
        letters = service.open_outbox(conn, settings).letters
    except SealError as error:
        return f"cannot be told: {error}"
    provider = service.providers(settings)[channel]
    who = claims.Claimant(
        "", provider, service.lease(settings), letters, clinic, repeat_within=service.repeat_within(provider)
    )
    return claims.verdict(conn, id, who, now=now())


def _chosen(
    conn: psycopg.Connection[Any], ids: list[str] | None, default: Sequence[str] | None, allowed: Sequence[str],
    states: list[str] | None, channel: str | None, organization: str | None, template: str | None,
    since: str | None,
) -> Which:  # fmt: skip
    """Either single messages, or all that fit a description."""
    from fisio_ayida.messaging import desk

    filters = (channel, organization, template, since)
    if ids:
        if states or any(part is not None for part in filters):
            raise desk.BadQuestion("give either IDs or --state with its filters, not both")
        return desk.Which(ids=tuple(desk.named(conn, ids)))
    if not states and (default is None or all(part is None for part in filters)):
        raise desk.BadQuestion(f"give IDs, or --state ({', '.join(allowed)}) and what else narrows it")
    return desk.Which(
        states=desk.known_states(states or default or (), allowed), channel=desk.known_channel(channel),
        organization=organization, template=desk.known_template(template), since=moment("since", since),
    )  # fmt: skip


def _act(
    conn: psycopg.Connection[Any],
    which: Which,
    order: Callable[[Sequence[int]], list[Act]],
    verb: str,
    *,
    yes: bool,
) -> None:
    """Say how many it would be; ask if it is many; do it; say what was done."""
    from fisio_ayida.commands.message_tables import show_acts, show_counts
    from fisio_ayida.messaging import desk

    ids = desk.ids(conn, which)
    if not ids:
        typer.echo(f"nothing to {verb}")
        return
    if which.ids is None and not yes:
        show_counts(desk.counts(conn, which))
        if not sys.stdin.isatty():
            fail(f"to {verb} {len(ids)} messages without being asked, add --yes", BAD_INPUT)
        if not typer.confirm(f"{verb} these {len(ids)} messages?"):
            fail("nothing was done", FAILED)
    done = order(ids)
    show_acts(done)
    # Single messages were meant one by one: one that could not be had is a failure.
    if which.ids is not None and not all(act.is_done for act in done):
        raise typer.Exit(FAILED)
