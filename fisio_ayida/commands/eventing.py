"""The command line of the inbox: ``fisio-ayida events list|show|replay|cancel|send``.

A door: words become questions and orders, what they mean is in ``events/``. Not here: how answers are printed
(``event_tables.py``).
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fisio_ayida.commands.exits import BAD_INPUT, FAILED, fail, plain_errors
from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.events.desk import Which
    from fisio_ayida.events.replay import Outcome

events_app = typer.Typer(
    no_args_is_help=True,
    help="The inbox of events: look, replay, cancel, send. Moments are UTC: YYYY-MM-DD or ISO 8601.",
)

_LOOK_EVERY = dt.timedelta(seconds=0.25)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Single events")]
Name = Annotated[str | None, typer.Option(help="Events of this name or alias")]
Organization = Annotated[str | None, typer.Option(help="Events of this organisation")]
Since = Annotated[str | None, typer.Option(metavar="MOMENT", help="Received at this moment or later")]
Until = Annotated[str | None, typer.Option(metavar="MOMENT", help="Received before this moment")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before doing more than one")]


@contextmanager
def inbox() -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit; errors as one line."""
    from fisio_ayida.events.admission import BadEvent
    from fisio_ayida.events.desk import BadQuestion
    from fisio_ayida.events.registry import UnknownEvent
    from fisio_ayida.warehouse.engine import open_warehouse

    with (
        plain_errors(BadQuestion, BadEvent, UnknownEvent, UnicodeEncodeError),
        open_warehouse(Settings.load(os.environ)) as warehouse,
        warehouse.connect(autocommit=True) as conn,
    ):
        yield conn


@events_app.command("list", help="Events, newest first, without their payloads.")
def list_events(
    name: Name = None,
    state: Annotated[list[str] | None, typer.Option(help="Events in this state; may be repeated")] = None,
    since: Since = None,
    until: Until = None,
    organization: Organization = None,
    limit: Annotated[int, typer.Option(min=1, help="Lines at most")] = 50,
    counts: Annotated[bool, typer.Option("--counts", help="How many, by name and state")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Requests that held no usable event")] = False,
    conflicts: Annotated[bool, typer.Option("--conflicts", help="Other bodies under known ids")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
) -> None:
    from fisio_ayida.commands import event_tables as show
    from fisio_ayida.commands.tables import json_lines
    from fisio_ayida.events import desk, unaccepted

    with inbox() as conn:
        if sum((counts, refused, conflicts)) > 1:
            raise desk.BadQuestion("--counts, --refused and --conflicts exclude one another")
        if refused or conflicts:
            if name or state or until or organization:
                raise desk.BadQuestion("--refused and --conflicts can be narrowed by --since and --limit only")
            look = unaccepted.refused if refused else unaccepted.conflicts
            aside = look(conn, since=moment("since", since), limit=limit)
            return json_lines(aside) if as_json else show.show_unaccepted(aside)
        which = _which(conn, name, state, since, until, organization)
        if counts:
            found = desk.counts(conn, which)
            return json_lines(found) if as_json else show.show_counts(found, desk.attention(conn, _now()))
        listed = desk.events(conn, which, limit=limit)
        return json_lines(listed) if as_json else show.show_events(listed)


@events_app.command("show", help="One event with all its states, or one refused request (by its digest).")
def show_one(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    data: Annotated[
        bool, typer.Option("--data", help="Its payload too. It may be about patients: mind who looks on")
    ] = False,
) -> None:
    from fisio_ayida.commands import event_tables as show
    from fisio_ayida.commands.tables import show_facts
    from fisio_ayida.events import desk, unaccepted
    from fisio_ayida.events.look import find_event

    with inbox() as conn:
        if seen := find_event(conn, id_):
            show.show_event(seen, unaccepted.conflicts(conn, event_id=id_))
            if data and (payload := desk.payload(conn, id_)):
                print()
                show.show_payload(payload)
            return
        aside = unaccepted.find(conn, id_)
        if not aside:
            raise desk.BadQuestion(f"ID={id_!r} is no event, and no digest of a request that was refused")
        for each in aside:
            show_facts({"digest": each.digest, "of event": each.event_id, "what": each.what, "at": each.at,
                             "times": each.times, "source": each.source, "bytes": each.size})  # fmt: skip
            if data:
                show.show_body(unaccepted.body(conn, each.digest))


@events_app.command("replay", help="Make events that did not end well due again; what is done is never repeated.")
def replay_events(
    ids: Ids = None,
    name: Name = None,
    state: Annotated[
        list[str] | None, typer.Option(help="With --name: dead (default), skipped, unmatched or retry")
    ] = None,
    since: Since = None,
    until: Until = None,
    organization: Organization = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    from fisio_ayida.events import desk
    from fisio_ayida.events.replay import REPLAYABLE, replay

    with inbox() as conn:
        states = desk.known_states(state or (), REPLAYABLE)
        which = _chosen(conn, ids, ("dead",), name, states, since, until, organization)
        _act(lambda dry: replay(conn, which, now=_now(), dry_run=dry), "replay", which, dry_run=dry_run, yes=yes)


@events_app.command("cancel", help="End events before they are work; runs that have them are asked to stop.")
def cancel_events(
    ids: Ids = None,
    name: Name = None,
    since: Since = None,
    until: Until = None,
    organization: Organization = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    from fisio_ayida.events.replay import CANCELLABLE, cancel

    with inbox() as conn:
        which = _chosen(conn, ids, CANCELLABLE, name, None, since, until, organization)
        _act(lambda dry: cancel(conn, which, now=_now(), dry_run=dry), "cancel", which, dry_run=dry_run, yes=yes)


@events_app.command("send", help="Put one event into the inbox and print its id.")
def send_event(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    data: Annotated[
        str, typer.Option(metavar="JSON|@FILE|-", help="The payload: text, a file, or standard input")
    ] = "{}",
    id_: Annotated[str | None, typer.Option("--id", help="Its id; the same id again does nothing")] = None,
    wait: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Wait for its end; code 1 if that is not 'done'")
    ] = None,
) -> None:
    from fisio_ayida.events.sending import send

    with inbox() as conn:
        accepted = send(conn, name, _data(data), id_=id_, now=_now(), chance=os.urandom)
        typer.echo(accepted.id)
        if accepted.problem:
            fail(f"{accepted.problem}; the event is kept as dead", BAD_INPUT)
        if accepted.conflict:
            fail(f"id={accepted.id!r} has another body already; this one is kept aside, not done", BAD_INPUT)
        if not accepted.new:
            typer.echo("it was there already: nothing is added", err=True)
        if wait is not None:
            _wait(conn, accepted.id, wait)


def moment(option: str, text: str | None) -> dt.datetime | None:
    """A moment in UTC; one without a zone is UTC, and a day is its beginning."""
    from fisio_ayida.events.desk import BadQuestion

    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadQuestion(f"{option}={text!r} is no moment: YYYY-MM-DD or ISO 8601 is expected") from None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _which(
    conn: psycopg.Connection[Any],
    name: str | None,
    states: Sequence[str] | None,
    since: str | None,
    until: str | None,
    organization: str | None,
) -> Which:
    from fisio_ayida.events import desk

    return desk.Which(
        names=desk.names_of(conn, name) if name is not None else (),
        states=desk.known_states(states or ()),
        organization=organization,
        since=moment("since", since),
        until=moment("until", until),
    )


def _chosen(
    conn: psycopg.Connection[Any], ids: list[str] | None, default: Sequence[str], name: str | None,
    states: Sequence[str] | None, *filters: str | None,
) -> Which:  # fmt: skip
    """Either single events, or those of a kind that stand in a state."""
    from fisio_ayida.events.desk import BadQuestion, Which

    if ids:
        if name is not None or states or any(part is not None for part in filters):
            raise BadQuestion("give either IDs or --name with its filters, not both")
        return Which(ids=tuple(ids))
    if name is None:
        raise BadQuestion("give IDs, or --name for all events of a kind")
    return _which(conn, name, states or default, *filters)


def _act(order: Callable[[bool], Outcome], verb: str, which: Which, *, dry_run: bool, yes: bool) -> None:
    """Say what would be done; ask if it is much; do it; say what was done."""
    from fisio_ayida.commands.event_tables import show_outcome

    plan = order(True)
    many = sum(plan.taken.values())
    if dry_run or not many:
        show_outcome(plan)
        typer.echo(f"{many} events to {verb}" if dry_run else f"nothing to {verb}")
    else:
        if many > 1 and not yes:
            show_outcome(plan)
            if not _asks():
                fail(f"to {verb} {many} events without being asked, add --yes", BAD_INPUT)
            if not typer.confirm(f"{verb} these {many} events?"):
                fail("nothing was done", FAILED)
        plan = order(False)
        show_outcome(plan)
    # Single events were meant one by one: one that could not be had is a failure.
    if which.ids is not None and plan.left:
        raise typer.Exit(FAILED)


def _asks() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def _data(text: str) -> bytes:
    from fisio_ayida.events.desk import BadQuestion

    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise BadQuestion(f"data={text!r} cannot be read: {error.strerror}") from None


def _wait(conn: psycopg.Connection[Any], id_: str, seconds: float) -> None:
    from fisio_ayida.events.look import find_event

    begun = time.monotonic()
    seen = find_event(conn, id_)
    while seen and seen.state not in ("done", "dead", "skipped") and time.monotonic() - begun < seconds:
        time.sleep(_LOOK_EVERY.total_seconds())
        seen = find_event(conn, id_)
    if seen is None:
        fail(f"event {id_} is gone", FAILED)
    took = f"after {time.monotonic() - begun:.1f} s"
    if seen.state == "done":
        typer.echo(f"done in run {seen.run_id} {took}")
        return
    fail(f"{id_} is {seen.state} {took}" + (f": {seen.reason}" if seen.reason else ""), FAILED)
