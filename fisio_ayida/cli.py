"""The command line: ``fisio-ayida sync``, ``db``, ``events``, ``messages``, ``clinic``, ``insights``, ``demo`` …

A door: it reads the environment once, turns words into orders, and shows what happens. What the
orders do is in the domain; an answer is a table, an error is one line.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import sys
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from fisio_ayida import telemetry
from fisio_ayida.bdns.datasets import DATASETS, dataset
from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.commands import clinic_people, clinic_shadow  # noqa: F401  they add commands of `clinic`
from fisio_ayida.commands.clinic import clinic_app
from fisio_ayida.commands.eventing import events_app
from fisio_ayida.commands.exits import FAILED, plain_errors
from fisio_ayida.commands.insights import insights_app
from fisio_ayida.commands.messaging_setup import messages_app
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.cli import simulate_app

if TYPE_CHECKING:
    from fisio_ayida.commands.syncing import Terminal

_DATASETS_HELP = "Datasets: " + ", ".join(DATASETS)

app = typer.Typer(
    name="fisio-ayida",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # tracebacks with locals have shown passwords elsewhere
    help="The mirror of Spain's subsidies database (BDNS), and the events and messages of Ayida and FisioFlow.",
)
db_app = typer.Typer(no_args_is_help=True, help="The database's tables.")
rejects_app = typer.Typer(no_args_is_help=True, help="Records that could not be used.")
app.add_typer(db_app, name="db")
app.add_typer(rejects_app, name="rejects")
app.add_typer(events_app, name="events")
app.add_typer(messages_app, name="messages")
app.add_typer(clinic_app, name="clinic")
app.add_typer(insights_app, name="insights")
app.add_typer(simulate_app, name="simulate")


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def named(names: list[str]) -> list[Dataset]:
    return [dataset(name) for name in names]


def terminal(settings: Settings) -> Terminal:
    """What a command works with: the clock, chance, a log on standard error, an id of its own."""
    from fisio_ayida.commands.syncing import Terminal

    # A person watches the progress bar; lines between would tear it. Everything goes to a file or a collector.
    level = "WARNING" if sys.stderr.isatty() else settings.log_level
    log = telemetry.configure(level=level, style=settings.log_format)
    return Terminal(settings, log, str(uuid.uuid4()), utc_now, random.random)


def everything(*, dated: bool) -> list[Dataset]:
    """What 'all' means: every dataset, or with dates those that have registration days."""
    return [d for d in DATASETS.values() if d.is_windowed or not dated]


@app.command(help="Bring datasets to what the BDNS publishes now.\n\n" + _DATASETS_HELP)
def sync(
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET...", help="Names, or 'all'")],
    date_from: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First registration day")
    ] = None,
    date_to: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last registration day, included")
    ] = None,
    partition: Annotated[
        list[str] | None, typer.Option(help="A year, administration type or ámbito; may be repeated")
    ] = None,
    bdns: Annotated[str | None, typer.Option(help="One call by its BDNS code (convocatorias)")] = None,
    allow_removals: Annotated[
        bool, typer.Option(help="Let a load remove more than the guard allows: the source has withdrawn it")
    ] = False,
    quiet: Annotated[bool, typer.Option(help="No progress, only the table")] = False,
) -> None:
    from fisio_ayida.bdns.service import Order
    from fisio_ayida.bdns.windows import parse_day
    from fisio_ayida.commands.syncing import run_single, run_sync

    with plain_errors():
        settings = Settings.load(os.environ)
        chosen = everything(dated=bool(date_from or date_to)) if datasets == ["all"] else named(datasets)
        order = Order(
            date_from=parse_day("from", date_from) if date_from else None,
            date_to=parse_day("to", date_to) if date_to else None,
            partitions=tuple(partition or ()),
            allow_removals=allow_removals,
        )
        if bdns is not None:
            if datasets != ["convocatorias"]:
                raise BadRequest("--bdns goes with 'convocatorias' alone")
            raise typer.Exit(run_single(terminal(settings), bdns))
        code = run_sync(terminal(settings), chosen, order, dagster_home=dagster_home(settings), quiet=quiet)
    raise typer.Exit(code)


def dagster_home(settings: Settings) -> str | None:
    """Where Dagster's instance is: DAGSTER_HOME, or the local one if it has been set up."""
    named_home = os.environ.get("DAGSTER_HOME")
    if named_home:
        return named_home
    local = settings.home / "dagster"
    return str(local) if (local / "dagster.yaml").exists() else None


@db_app.command("migrate", help="Create or update the tables of DATABASE_URL (or of the embedded server).")
def db_migrate() -> None:
    from fisio_ayida.warehouse.engine import open_warehouse
    from fisio_ayida.warehouse.migrate import migrate, status

    with plain_errors(), open_warehouse(Settings.load(os.environ), require_migrated=False) as warehouse:
        before = {number for number, _, applied in status(warehouse.url) if applied}
        migrate(warehouse.url)
        done = [(number, title) for number, title, _ in status(warehouse.url) if number not in before]
        for number, title in done:
            typer.echo(f"applied {number}  {title}")
        typer.echo(f"{warehouse.url.masked}: {'up to date' if not done else f'{len(done)} migrations applied'}")


@db_app.command("status", help="Say which migrations are applied.")
def db_status() -> None:
    from fisio_ayida.warehouse.engine import open_warehouse
    from fisio_ayida.warehouse.migrate import status

    with plain_errors(), open_warehouse(Settings.load(os.environ), require_migrated=False) as warehouse:
        rows = status(warehouse.url)
        typer.echo(warehouse.url.masked)
        for number, title, applied in rows:
            typer.echo(f"{'applied' if applied else 'missing'}  {number}  {title}")
        if not all(applied for _, _, applied in rows):
            raise typer.Exit(FAILED)


@rejects_app.command("list", help="Show what is kept aside, by dataset and reason.")
def rejects_list(dataset_name: Annotated[str | None, typer.Argument(metavar="[DATASET]")] = None) -> None:
    from fisio_ayida.commands.syncing import show_rejects
    from fisio_ayida.warehouse.engine import open_warehouse

    with plain_errors():
        only = dataset(dataset_name) if dataset_name else None
        with open_warehouse(Settings.load(os.environ)) as warehouse:
            show_rejects(warehouse, only)


@rejects_app.command("replay", help="Try the records that are kept aside again.")
def rejects_replay(
    datasets: Annotated[list[str] | None, typer.Argument(metavar="[DATASET...]", help="Default: all")] = None,
) -> None:
    from fisio_ayida.commands.syncing import run_replay

    with plain_errors():
        settings = Settings.load(os.environ)
        chosen = named(datasets) if datasets else list(DATASETS.values())
        code = run_replay(terminal(settings), chosen)
    raise typer.Exit(code)


@app.command(help="Fill a database from a local stand-in of the BDNS, change the world, sync again, prove it.")
def demo(
    days: Annotated[int, typer.Option(min=1, max=60, help="Registration days to load")] = 14,
) -> None:
    from fisio_ayida.commands.demo import run_demo

    with plain_errors():
        settings = Settings.load(os.environ)
        raise typer.Exit(run_demo(settings, days=days, now=utc_now))


@app.command(help="Dagster's UI on the local data; with demo data, the stand-in runs beside it.")
def dev(port: Annotated[int, typer.Option(min=1, max=65535)] = 3000) -> None:
    from fisio_ayida.commands.dev import run_dev

    with plain_errors():
        raise typer.Exit(run_dev(Settings.load(os.environ), port=port, now=utc_now))


@app.command(help="Take events over HTTP: Inngest's event API, the batch routes, health. Ends at SIGTERM.")
def gateway(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8288,
) -> None:
    from fisio_ayida.gateway.server import run_gateway
    from fisio_ayida.messaging.sealing import SealError

    with plain_errors(SealError):
        run_gateway(Settings.load(os.environ), host=host, port=port)


def main() -> None:
    """The console script; Ctrl-C ends with 130 and no traceback."""
    try:
        app()
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("interrupted: what was committed stays, the next run resumes", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
