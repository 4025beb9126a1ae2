"""The command line of the simulators: `simulate_app`, with one command for each service.

Only options and their checks; what they mean is decided by each simulator.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from fisio_ayida.simulators.listening import Application

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


def read_shares(option: str, texts: list[str]) -> dict[str, float]:
    """Options of the form mode=share."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            refuse(f"{option} {text}: mode=share is allowed, as in number=0.1")
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

    # The only look at a clock: everything below takes today as an argument.
    day = datetime.now(ZoneInfo("Europe/Madrid")).date() if today is None else read_day("--today", today)
    starts = {}
    for text in first_day or []:
        name, _, value = text.partition("=")
        starts[name] = read_day(f"--first-day {name}", value)
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
    except SimulatorError as error:
        refuse(str(error))
    serve(app, host, port, ready_file, base_path="/bdnstrans/api")


@simulate_app.command("resend")
def resend(
    port: Annotated[int, typer.Option(help="Port on which to listen; 0 takes a free one.")] = 8090,
    host: Annotated[str, typer.Option(help="Address on which to listen.")] = "127.0.0.1",
    requests_per_second: Annotated[float, typer.Option(help="More get 429; 0: as many as come.", min=0)] = 0,
    latency_ms: Annotated[float, typer.Option(help="Time that each answer takes.", min=0)] = 0,
    webhook_url: Annotated[str | None, typer.Option(help="Told what becomes of each e-mail.")] = None,
    webhook_secret: Annotated[str | None, typer.Option(help="Signs that: whsec_ and base64.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the URLs to once listening.")] = None,
) -> None:
    """Serve a simulated Resend until interrupted; prints one line of JSON with its URLs."""
    from fisio_ayida.simulators.listening import SimulatorError
    from fisio_ayida.simulators.resend.app import ResendApp
    from fisio_ayida.simulators.resend.world import ResendConfig

    secret = {} if webhook_secret is None else {"webhook_secret": webhook_secret}
    try:
        config = ResendConfig(
            requests_per_second=requests_per_second, latency_ms=latency_ms, webhook_url=webhook_url, **secret
        )
    except SimulatorError as error:
        refuse(str(error))
    serve(ResendApp(config), host, port, ready_file)


@simulate_app.command("expo")
def expo(
    port: Annotated[int, typer.Option(help="Port on which to listen; 0 takes a free one.")] = 8093,
    host: Annotated[str, typer.Option(help="Address on which to listen.")] = "127.0.0.1",
    requests_per_second: Annotated[float, typer.Option(help="More get 429; 0: as many as come.", min=0)] = 0,
    latency_ms: Annotated[float, typer.Option(help="Time that each answer takes.", min=0)] = 0,
    receipts_after: Annotated[float, typer.Option(help="Seconds until a ticket has a receipt.", min=0)] = 900,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the URLs to once listening.")] = None,
) -> None:
    """Serve a simulated Expo push service until interrupted; prints one line of JSON with its URLs."""
    from fisio_ayida.simulators.expo.app import ExpoApp
    from fisio_ayida.simulators.expo.world import ExpoConfig

    config = ExpoConfig(
        requests_per_second=requests_per_second, latency_ms=latency_ms, receipts_after_seconds=receipts_after
    )
    serve(ExpoApp(config), host, port, ready_file)


@simulate_app.command("evolution")
def evolution(
    port: Annotated[int, typer.Option(help="Port on which to listen; 0 takes a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address on which to listen.")] = "127.0.0.1",
    instance: Annotated[list[str] | None, typer.Option(help="As fisioflow; repeatable.")] = None,
    cloud: Annotated[bool, typer.Option(help="Instances of Meta's kind instead of phones.")] = False,
    api_key: Annotated[str, typer.Option(help="The installation's key.")] = "evolution-key",
    latency_ms: Annotated[float, typer.Option(help="Time that each message takes.", min=0)] = 0,
    webhook_url: Annotated[str | None, typer.Option(help="Told what becomes of each message.")] = None,
    webhook_token: Annotated[str | None, typer.Option(help="Proves that, as x-webhook-token.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the URLs to once listening.")] = None,
) -> None:
    """Serve a simulated Evolution API until interrupted; prints one line of JSON with its URLs."""
    from fisio_ayida.simulators.evolution.app import EvolutionApp
    from fisio_ayida.simulators.evolution.world import EvolutionConfig

    config = EvolutionConfig(
        api_key=api_key,
        instances=tuple(instance or ["fisioflow"]),
        kind="cloud" if cloud else "baileys",
        latency_ms=latency_ms,
        webhook_url=webhook_url,
        webhook_token=webhook_token,
    )
    serve(EvolutionApp(config), host, port, ready_file)


@simulate_app.command("meta")
def meta(
    port: Annotated[int, typer.Option(help="Port on which to listen; 0 takes a free one.")] = 8091,
    host: Annotated[str, typer.Option(help="Address on which to listen.")] = "127.0.0.1",
    phone_number_id: Annotated[list[str] | None, typer.Option(help="Digits; repeatable.")] = None,
    access_token: Annotated[str, typer.Option(help="What senders must know.")] = "meta-token",  # noqa: S107  opens nothing
    app_secret: Annotated[str, typer.Option(help="Signs what the webhook is told.")] = "meta-app-secret",  # noqa: S107
    verify_token: Annotated[str, typer.Option(help="Said when the webhook is set up.")] = "meta-verify-token",  # noqa: S107
    latency_ms: Annotated[float, typer.Option(help="Time that each message takes.", min=0)] = 0,
    webhook_url: Annotated[str | None, typer.Option(help="Told what becomes of each message.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the URLs to once listening.")] = None,
) -> None:
    """Serve a simulated Meta Cloud API until interrupted; prints one line of JSON with its URLs."""
    from fisio_ayida.simulators.meta.app import MetaApp
    from fisio_ayida.simulators.meta.world import MetaConfig

    config = MetaConfig(
        access_token=access_token,
        phone_number_ids=tuple(phone_number_id or ["100000000000001"]),
        app_secret=app_secret,
        verify_token=verify_token,
        latency_ms=latency_ms,
        webhook_url=webhook_url,
    )
    serve(MetaApp(config), host, port, ready_file, base_path="/v25.0")


@simulate_app.command("llm")
def llm(
    port: Annotated[int, typer.Option(help="Port on which to listen; 0 takes a free one.")] = 8094,
    host: Annotated[str, typer.Option(help="Address on which to listen.")] = "127.0.0.1",
    api_key: Annotated[str | None, typer.Option(help="What a client must know; unset: nothing.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Models that there are; unset: any. Repeatable.")] = None,
    rate: Annotated[list[str] | None, typer.Option(help="mode=share, as number=0.1; repeatable.")] = None,
    latency_ms: Annotated[float, typer.Option(help="Time that each answer takes.", min=0)] = 0,
    requests_per_second: Annotated[float, typer.Option(help="More get 429; 0: as many as come.", min=0)] = 0,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the URLs to once listening.")] = None,
) -> None:
    """Serve a simulated OpenAI-compatible model until interrupted; prints one line of JSON with its URLs.

    A model's name chooses how it answers: NAME:truncated, or NAME:number,once for the first try alone.
    GET /v1/models lists the ways.
    """
    from fisio_ayida.simulators.listening import SimulatorError
    from fisio_ayida.simulators.llm.app import LlmApp
    from fisio_ayida.simulators.llm.world import LlmConfig

    try:
        config = LlmConfig(
            api_key=api_key,
            models=tuple(model or ()),
            rates=read_shares("--rate", rate or []),
            latency_ms=latency_ms,
            requests_per_second=requests_per_second,
        )
    except SimulatorError as error:
        refuse(str(error))
    serve(LlmApp(config), host, port, ready_file, base_path="/v1")


def serve(app: Application, host: str, port: int, ready_file: Path | None, base_path: str = "") -> None:
    """Listen, say where in one line of JSON, and serve until interrupted."""
    from fisio_ayida.simulators.listening import SimulatorError, bind, make_server

    if not 0 <= port <= 65_535:
        refuse(f"--port {port}: 0 to 65535 is allowed")
    try:
        listener = bind(host, port)
    except SimulatorError as error:
        refuse(str(error))
    root = f"http://{host}:{listener.getsockname()[1]}"
    line = json.dumps({"root_url": root, "base_url": f"{root}{base_path}"})
    if ready_file is not None:
        ready_file.write_text(line + "\n", encoding="utf-8")
    print(line, flush=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(make_server(app, host).serve(sockets=[listener]))


def run_bdns() -> None:
    """Run the `bdns` command alone."""
    typer.run(bdns)
