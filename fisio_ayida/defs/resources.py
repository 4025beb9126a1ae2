"""What every step is handed: settings, the clock, chance, and the way to the database.

Decided here and nowhere below: what time it is and what jitter is. Opened here, lazily, once for each step;
what is done with it is the domain's.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import Log, Metrics

if TYPE_CHECKING:
    from fisio_ayida.bdns.mirror import Context, Observer
    from fisio_ayida.bdns.service import Caller
    from fisio_ayida.warehouse.engine import Warehouse

LOG = logging.getLogger("fisio_ayida.bdns")


def utc_now() -> dt.datetime:
    """The present moment, with its zone."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often a step is repeated after a transient failure, and how long it waits: doubling.

    The client has by then repeated its calls for minutes: the first pause is a long one.
    """

    most: int = 3
    first_pause: dt.timedelta = dt.timedelta(minutes=2)

    def pause(self, attempt: int, jitter: float) -> dt.timedelta:
        """The wait after try number ``attempt`` (0 is the first); ``jitter`` in [0, 1) adds up to a quarter."""
        return self.first_pause * float(2**attempt * (1 + jitter / 4))


@dataclass(frozen=True, slots=True)
class MirrorResource:
    """The door of the mirror's steps to everything outside Dagster."""

    settings: Settings
    now: Callable[[], dt.datetime] = utc_now
    jitter: Callable[[], float] = random.random
    retrying: Retrying = Retrying()

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """The database, open for one step."""
        from fisio_ayida.warehouse.engine import open_warehouse

        with open_warehouse(self.settings) as warehouse:
            yield warehouse

    @asynccontextmanager
    async def context(
        self,
        warehouse: Warehouse,
        caller: Caller,
        log: Log,
        *,
        observer: Observer | None = None,
        allow_removals: bool = False,
    ) -> AsyncIterator[Context]:
        """What the domain's functions are called with."""
        from fisio_ayida.bdns.service import open_context

        settings = self.settings
        metrics = Metrics(settings.statsd_host, settings.statsd_port, settings.statsd_prefix)
        try:
            async with open_context(
                settings,
                warehouse,
                now=self.now,
                jitter=self.jitter,
                log=log,
                caller=caller,
                observer=observer,
                allow_removals=allow_removals,
                metrics=metrics,
            ) as context:
                yield context
        finally:
            metrics.close()
