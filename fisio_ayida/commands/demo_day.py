"""The demo's clinic part: one scripted Monday of three made-up clinics, with a clock that is moved.

Here: walking through the day's moments: what happens, which jobs are due, what is sent. Not here: setting the
stage (``demo_day_clinics.py``), what must come of it (``simulators/fisioflow``), and how it is shown
(``demo_day_tables.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

from fisio_ayida.commands.demo_day_clinics import FORGET, SAO_PAULO, looked_before, set_up
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.fisioflow.clinics import world as made_up
from fisio_ayida.simulators.fisioflow.tables import happen
from fisio_ayida.simulators.fisioflow.world import Event, Say, World
from fisio_ayida.telemetry import get_logger

if TYPE_CHECKING:
    from rich.console import Console

    from fisio_ayida.clinic.model import Desk, Outcome
    from fisio_ayida.messaging.dispatcher import Dispatcher, Tally
    from fisio_ayida.warehouse.engine import Warehouse

Connection = psycopg.Connection[Any]

_DAY: Final = dt.timedelta(days=1)
#: The last tick of the integrity checks.
_LAST_LOOK: Final = dt.time(18)
_SENSOR_LOOKS: Final = dt.timedelta(seconds=80)
#: A clock that stands makes nothing due: whatever goes wrong, a dispatch ends.
_LONGEST_DISPATCH: Final = dt.timedelta(seconds=20)
_QUOTED: Final = """
select m.provider_id, m.provider, m.account from messaging.messages m
where m.patient_id = %s and m.channel = 'whatsapp' and m.accepted_at is not null
order by m.accepted_at desc, m.id desc limit 1
"""


@dataclass(slots=True)
class Clock:
    """The time of the scripted day."""

    moment: dt.datetime

    def now(self) -> dt.datetime:
        """What it shows."""
        return self.moment


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of the day: an event of the script, a run of a job, or a dispatch."""

    at: dt.datetime
    what: Event | Outcome | Tally


@dataclass(slots=True)
class Walk:
    """One way through the day. ``runs``: of jobs, silent ones included."""

    entries: list[Entry] = field(default_factory=list)
    runs: int = 0
    planned: int = 0
    sent: int = 0
    failures: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the day is played on."""

    world: World
    clock: Clock
    desk: Desk
    dispatcher: Dispatcher

    @property
    def conn(self) -> Connection:
        """To the one database that has both FisioFlow's tables and ours."""
        return self.desk.conn


@dataclass(frozen=True, slots=True)
class Day:
    """The day as it went, and the same day a second time."""

    world: World
    first: Walk
    again: Walk
    seconds: float


def show_day(console: Console, settings: Settings, warehouse: Warehouse) -> bool:
    """Play the day and prove it; True when everything came as it must."""
    from fisio_ayida.commands.demo import run_jobs
    from fisio_ayida.commands.demo_day_tables import prove

    try:
        day = play(settings, warehouse)
    except ImportError as error:
        console.print(f"{error}: pip install 'fisio_ayida[demo]'", style="bold red")
        return False
    with warehouse.connect(autocommit=True) as conn:
        is_proven = prove(console, conn, day)
    # The checks' results are in Dagster's UI, too.
    last = dt.datetime.combine(day.world.day, _LAST_LOOK, SAO_PAULO).isoformat()
    run_jobs(console, settings, {"data_integrity": {"ops": {"clinic__integrity": {"config": {"at": last}}}}})
    return is_proven


def play(settings: Settings, warehouse: Warehouse) -> Day:
    """Make the clinics, walk through their day, and a second time with the clock put back."""
    return asyncio.run(_play(settings, warehouse))


async def _play(settings: Settings, warehouse: Warehouse) -> Day:
    started = time.monotonic()
    world = made_up(secrets.token_hex(3))
    async with _stage(settings, warehouse, world) as stage:
        with looked_before(stage.conn):
            first = await _walk(stage, is_first=True)
            stage.conn.execute(FORGET)
            again = await _walk(stage, is_first=False)
    return Day(world, first, again, time.monotonic() - started)


@asynccontextmanager
async def _stage(settings: Settings, warehouse: Warehouse, world: World) -> AsyncIterator[Stage]:
    from fisio_ayida.clinic.service import open_desk
    from fisio_ayida.messaging.service import open_dispatcher

    clock = Clock(dt.datetime.combine(world.day, dt.time(), SAO_PAULO))
    with open_desk(settings, warehouse, log=get_logger("fisio_ayida.clinic")) as desk:
        set_up(desk.conn, world)
        async with open_dispatcher(
            settings, warehouse, run_id=f"demo-{world.mark}", now=clock.now, jitter=random.random,
            log=get_logger("fisio_ayida.messaging"),
        ) as dispatcher:  # fmt: skip
            yield Stage(world, clock, desk, dispatcher)


async def _walk(stage: Stage, *, is_first: bool) -> Walk:
    """Through the moments of the day in order: what happens, what is due, what goes out."""
    walk, moments = Walk(), _moments(stage.world, is_first=is_first)
    midnight = dt.datetime.combine(stage.world.day + _DAY, dt.time(), SAO_PAULO)
    for moment, after in itertools.pairwise([*sorted(moments), midnight]):
        stage.clock.moment = moment
        for event in moments[moment].events:
            _happen(stage, event)
            walk.entries.append(Entry(moment, event))
        for job in (*moments[moment].jobs, *_asked_for(stage)):
            outcome = _run(stage, job)
            walk.runs += 1
            walk.planned += sum(outcome.planned.values())
            walk.failures += [(job, organization, error) for organization, error in outcome.failures]
            walk.entries.append(Entry(moment, outcome))
        async for tally in _dispatches(stage, after):
            walk.sent += tally.total("accepted")
            walk.entries.append(Entry(stage.clock.moment, tally))
    return walk


@dataclass(slots=True)
class _Moment:
    events: list[Event] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)


def _moments(world: World, *, is_first: bool) -> dict[dt.datetime, _Moment]:
    """What there is at each moment: the ticks of all schedules, and the script, which happens only once."""
    from fisio_ayida.clinic.registry import ROWS

    moments: dict[dt.datetime, _Moment] = defaultdict(_Moment)
    for job in ROWS:
        for tick in job.when.ticks(world.day) if job.plain else ():
            moments[tick.astimezone(dt.UTC)].jobs.append(job.name)
    for event in world.script:
        at = event.at.astimezone(dt.UTC)
        # The sensor looks a moment after the minute for second thoughts, too.
        moments[at + _SENSOR_LOOKS].events += []
        moments[at].events += [event] if is_first else []
    return moments


def _asked_for(stage: Stage) -> list[str]:
    """The jobs without a schedule for which their sensor would ask now."""
    from fisio_ayida.clinic import confirmations

    news = confirmations.has_news(stage.conn, stage.desk.clinic, now=stage.clock.moment)
    return [confirmations.JOB] if news else []


def _run(stage: Stage, job: str) -> Outcome:
    from fisio_ayida.clinic.model import Order
    from fisio_ayida.clinic.running import run

    moment = stage.clock.moment
    # A run's moment is in São Paulo's zone, as the schedules' are.
    return run(job, stage.desk, Order(nominal=moment.astimezone(SAO_PAULO), now=moment, run_id="demo"))


async def _dispatches(stage: Stage, until: dt.datetime) -> AsyncIterator[Tally]:
    """A dispatch whenever something is due before ``until``, as the sensor would ask for one."""
    from fisio_ayida.messaging import due
    from fisio_ayida.messaging.dispatch import dispatch

    last = None
    while True:
        now, soon = stage.clock.moment, until - dt.timedelta(seconds=1)
        at = due.next_at(stage.conn, stage.dispatcher.providers, now=now, horizon=soon)
        if at is None or max(at, now) == last:
            return
        last = stage.clock.moment = max(at, now)
        yield await dispatch(stage.dispatcher, most=_LONGEST_DISPATCH)


def _happen(stage: Stage, event: Event) -> None:
    if isinstance(event.act, Say):
        _say(stage, event.patient_id, event.act.text)
    else:
        happen(stage.conn, event.act)


def _say(stage: Stage, patient_id: str, text: str) -> None:
    """A patient answers the last message, as the webhook would store it."""
    from fisio_ayida.messaging import inbound
    from fisio_ayida.messaging.addresses import canonical
    from fisio_ayida.messaging.reports.reading import Inbound

    row = stage.conn.execute(_QUOTED, [patient_id]).fetchone()
    if row is None:
        raise LookupError(f"patient={patient_id!r} answers a message that never came")
    phone = next(p.phone for p in stage.world.patients if p.id == patient_id)
    letters = stage.dispatcher.outbox.letters
    reply = Inbound(
        provider=row[1], account=row[2], provider_id=f"answer-{patient_id}", quoted_id=row[0], text=text,
        sender=canonical("whatsapp", phone), sent_at=stage.clock.moment,
    )  # fmt: skip
    desk = inbound.Desk(letters.hasher, letters.sealer, {})
    with stage.conn.transaction():
        inbound.store(stage.conn, [reply], desk, now=stage.clock.moment)
