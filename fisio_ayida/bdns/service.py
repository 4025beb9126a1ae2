"""The mirror put together from settings: its client, its pacing, its plan for a run without orders.

The doors (Dagster, the command line) come in here; nothing below this module knows a setting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg

from fisio_ayida.bdns import evidence
from fisio_ayida.bdns.client import BdnsClient, Retries
from fisio_ayida.bdns.errors import BadRequest, UnusableBody
from fisio_ayida.bdns.load import Guard
from fisio_ayida.bdns.mirror import Context, Observer, Report, Silent, mirror
from fisio_ayida.bdns.registry import Dataset, Grain
from fisio_ayida.bdns.windows import default_days, parse_day, requested_days, static_partitions
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import Log, Metrics
from fisio_ayida.warehouse.clock import RequestClock
from fisio_ayida.warehouse.engine import Warehouse

VERSION = "0.1.0"
SERVICE = "bdns"
_LEASE_MARGIN = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator asks of one run; with nothing said, the default of the dataset."""

    date_from: dt.date | None = None
    date_to: dt.date | None = None
    partitions: tuple[str, ...] = ()
    allow_removals: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a run works, for logs and evidence."""

    run_id: str | None = None
    job_name: str | None = None


@asynccontextmanager
async def open_context(
    settings: Settings,
    warehouse: Warehouse,
    *,
    now: Callable[[], dt.datetime],
    jitter: Callable[[], float],
    log: Log,
    caller: Caller,
    observer: Observer | None = None,
    allow_removals: bool = False,
    metrics: Metrics | None = None,
) -> AsyncIterator[Context]:
    """A :class:`Context` whose client and request clock are closed at the end."""
    pacer = RequestClock(
        warehouse.url,
        SERVICE,
        spacing=settings.bdns_request_spacing,
        max_in_flight=settings.bdns_max_in_flight,
        lease=dt.timedelta(seconds=settings.bdns_page_timeout_seconds) + _LEASE_MARGIN,
    )
    async with (
        pacer,
        BdnsClient(
            settings.bdns_base_url,
            user_agent=f"fisio_ayida/{VERSION} ({settings.bdns_contact})",
            pacer=pacer,
            retries=Retries(
                settings.bdns_max_retries, settings.bdns_retry_base_seconds, settings.bdns_retry_max_seconds
            ),
            jitter=jitter,
            log=log,
            page_timeout=settings.bdns_page_timeout_seconds,
            detail_timeout=settings.bdns_detail_timeout_seconds,
            max_in_flight=settings.bdns_max_in_flight,
        ) as client,
    ):
        yield Context(
            connect=lambda: warehouse.connect(autocommit=True, application_name=_application(caller)),
            client=client,
            now=now,
            log=log,
            guard=Guard(settings.bdns_removal_guard_share, settings.bdns_removal_guard_rows, allow_removals),
            page_size=settings.bdns_page_size,
            lock_wait=dt.timedelta(seconds=settings.lock_wait_seconds),
            run_id=caller.run_id,
            job_name=caller.job_name,
            observer=observer or Silent(),
            metrics=metrics or Metrics(),
        )


def _application(caller: Caller) -> str:
    return f"fisio_ayida {caller.job_name or ''} {(caller.run_id or '')[:8]}".strip()


async def sync(dataset: Dataset, order: Order, context: Context) -> Report:
    """Load what ``order`` asks of ``dataset``; raises :class:`BadRequest` before anything is written."""
    check_source(context)
    return await mirror(dataset, await plan(dataset, order, context), context)


def check_source(context: Context) -> None:
    """Raise :class:`BadRequest` rather than mix the made-up rows of a stand-in with the State's."""
    with context.connect() as conn:
        source = _last_source(conn)
    if source is None or _is_local(source) == _is_local(context.client.base_url):
        return
    raise BadRequest(
        f"BDNS_BASE_URL={context.client.base_url} and this database was filled from {source}: real and made-up "
        "rows would mix. Name another database (DATABASE_URL) or another FISIO_AYIDA_HOME"
    )


def filled_from_stand_in(conn: psycopg.Connection[Any]) -> bool:
    """Whether the last load came from a server of this machine, and so is made up."""
    source = _last_source(conn)
    return source is not None and _is_local(source)


def _last_source(conn: psycopg.Connection[Any]) -> str | None:
    row = conn.execute("select source from ops.loads order by id desc limit 1").fetchone()
    return str(row[0]) if row else None


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1")


async def plan(dataset: Dataset, order: Order, context: Context) -> list[str]:
    """The partitions that ``order`` means.

    Without dates or partitions: for days, everything since the last complete one through yesterday (the
    last seven on an empty table); for years, those that the source lists; else all there are.
    """
    if order.date_from is not None or order.date_to is not None:
        return requested_days(dataset, order.date_from, order.date_to, context.now())
    if order.partitions:
        return await _known(dataset, order.partitions, context)
    if dataset.is_windowed:
        with context.connect() as conn:
            complete = evidence.complete_partitions(conn, dataset)
        return default_days(dataset, [dt.date.fromisoformat(p) for p in complete], context.now())
    if dataset.grain is Grain.YEAR:
        return await years(context.client)
    return static_partitions(dataset) or []


async def _known(dataset: Dataset, partitions: tuple[str, ...], context: Context) -> list[str]:
    if dataset.is_windowed:
        asked = [parse_day("partition", p) for p in partitions]
        return [requested_days(dataset, day, day, context.now())[0] for day in asked]
    known = await years(context.client) if dataset.grain is Grain.YEAR else static_partitions(dataset) or []
    unknown = sorted(set(partitions) - set(known))
    if unknown:
        raise BadRequest(f"{dataset.name} has no partition {', '.join(unknown)}; it has {', '.join(known)}")
    return list(partitions)


async def years(client: BdnsClient) -> list[str]:
    """The years of grandes_beneficiarios, as the source lists them now."""

    def accept(body: bytes, url: str) -> list[str]:
        answer = msgspec.json.decode(body) if body else []
        if not isinstance(answer, list) or not all(isinstance(y, dict) and y.get("id") for y in answer):
            raise UnusableBody(url, 200, "expected an array of years")
        return sorted(str(y["id"]) for y in answer)

    return await client.get(
        "/grandesbeneficiarios/anios", {}, allowed=(), decode=accept, timeout=client.detail_timeout
    )
