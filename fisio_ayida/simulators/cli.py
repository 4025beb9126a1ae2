"""The command line of the simulators: `simulate_app`, with one command for each service.

Only options and their checks; what they mean is decided by each simulator.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

simulate_app = typer.Typer(help="Stand-ins for outside services, on this machine.", no_args_is_help=True)


@simulate_app.callback()
def simulate() -> None:
    """Stand-ins for outside services, on this machine."""


def refuse(message: str) -> NoReturn:
    """One clear line on standard error and exit code 2."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(2)


def read_quirk(text: str) -> tuple[str, object]:
    """A quirk flag: Q14, Q14=off or Q13:rate=0.2,max_days=7."""
    name, _, rest = text.partition(":")
    if not rest:
        name, _, value = text.partition("=")
        if value.lower() not in ("", "on", "off", "true", "false"):
            refuse(f"--quirk {text}: on or off is allowed after =")
        return name, value.lower() not in ("off", "false")
    numbers: dict[str, float] = {}
    for part in rest.split(","):
        key, _, value = part.partition("=")
        try:
            numbers[key] = float(value)
        except ValueError:
            refuse(f"--quirk {text}: a number is allowed after {key}=, as in Q13:rate=0.2")
    return name, numbers


def read_pairs(option: str, texts: list[str]) -> dict[str, int]:
    """Options of the form dataset=number."""
    found: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not value.isdigit():
            refuse(f"{option} {text}: dataset=whole number is allowed, as in concesiones=60000")
        found[name] = int(value)
    return found


def read_day(option: str, text: str) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(f"{option} {text}: an ISO date such as 2026-09-15 is allowed")


@simulate_app.command("bdns")
def bdns(
    port: Annotated[int, typer.Option(help="Port on which to listen; 0 takes a free one.")] = 8099,
    host: Annotated[str, typer.Option(help="Address on which to listen.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="Seed of the invented data.")] = 7,
    today: Annotated[str | None, typer.Option(help="Today, ISO; default this machine's date in Madrid.")] = None,
    rows_per_day: Annotated[list[str] | None, typer.Option(help="dataset=rows on a working day.")] = None,
    size: Annotated[list[str] | None, typer.Option(help="dataset=rows of a dataset without daily volume.")] = None,
    first_day: Annotated[
        list[str] | None, typer.Option(help="dataset=ISO date of the first registration.")
    ] = None,
    weekend_factor: Annotated[float, typer.Option(help="Share of a working day's rows at weekends.")] = 0.1,
    quirk: Annotated[list[str] | None, typer.Option(help="Q14, Q20=off or Q13:rate=0.2; repeatable.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="As unknown_detail_status=404; repeatable.")] = None,
    page_cache: Annotated[Path | None, typer.Option(help="Folder that keeps rendered pages.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the URLs to once listening.")] = None,
) -> None:
    """Serve a simulated BDNS until interrupted; prints one line of JSON with its URLs."""
    # Web server and invented world: a quarter of a second that other commands need not spend.
    from fisio_ayida.simulators.bdns.app import BdnsApp
    from fisio_ayida.simulators.bdns.config import Choices, SimulatorConfig, SimulatorError
    from fisio_ayida.simulators.bdns.server import bind, make_server

    # The only look at a clock: everything below takes today as an argument.
    day = datetime.now(ZoneInfo("Europe/Madrid")).date() if today is None else read_day("--today", today)
    starts = {}
    for text in first_day or []:
        name, _, value = text.partition("=")
        starts[name] = read_day(f"--first-day {name}", value)
    if not 0 <= port <= 65_535:
        refuse(f"--port {port}: 0 to 65535 is allowed")
    if page_cache is not None and page_cache.exists() and not page_cache.is_dir():
        refuse(f"--page-cache {page_cache}: a folder is allowed")
    try:
        config = SimulatorConfig(
            today=day,
            seed=seed,
            first_day=starts,
            rows_per_day=read_pairs("--rows-per-day", rows_per_day or []),
            sizes=read_pairs("--size", size or []),
            weekend_factor=weekend_factor,
            page_cache_dir=page_cache,
            quirks=dict(read_quirk(text) for text in quirk or []),
            choices=Choices.read({text.partition("=")[0]: text.partition("=")[2] for text in choice or []}),
        )
        app = BdnsApp(config)
        listener = bind(host, port)
    except SimulatorError as error:
        refuse(str(error))
    root = f"http://{host}:{listener.getsockname()[1]}"
    line = json.dumps({"root_url": root, "base_url": f"{root}/bdnstrans/api"})
    if ready_file is not None:
        ready_file.write_text(line + "\n", encoding="utf-8")
    print(line, flush=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(make_server(app, host).serve(sockets=[listener]))


def run_bdns() -> None:
    """Run the `bdns` command alone."""
    typer.run(bdns)
