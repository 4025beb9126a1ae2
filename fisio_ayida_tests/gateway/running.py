"""A gateway as in production: uvicorn on a loopback socket, in a thread, over a real database.

Here: starting it, its log, short ways to ask it and to look into the database. Not here: what it must do.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg
import uvicorn

from fisio_ayida import telemetry
from fisio_ayida.events.dispatch import BEAT
from fisio_ayida.gateway.app import build_app
from fisio_ayida.gateway.door import Door
from fisio_ayida.gateway.limits import Limits
from fisio_ayida.gateway.server import route_logs, server
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse

KEY, SECRET = "key-of-the-tests", "secret-of-the-tests"
BEARER = {"authorization": f"Bearer {SECRET}"}
ENVIRONMENT = {"INNGEST_EVENT_KEY": KEY, "CRON_SECRET": SECRET}
#: As in production, but a database that is away is noticed sooner and an end comes soon.
LIMITS = replace(Limits(), linger=dt.timedelta(seconds=0.3), goodbye=dt.timedelta(seconds=5))
Connect = Callable[[], psycopg.Connection[Any]]


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Running:
    """A gateway that serves."""

    url: str
    warehouse: Warehouse
    door: Door
    client: httpx.Client
    log: io.StringIO

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def send(self, events: Any, *, key: str = KEY, **options: Any) -> httpx.Response:
        """Post to the event API: bytes as they are, anything else as JSON."""
        content = events if isinstance(events, bytes) else json.dumps(events).encode()
        return self.client.post(f"/e/{key}", content=content, **options)

    def batch(self, route: str, body: Any = None, key: str | None = None, **headers: str) -> httpx.Response:
        """Post to a batch route with the right secret."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {**BEARER, **headers, **({"idempotency-key": key} if key is not None else {})}
        return self.client.post(f"/api/batch/{route}", content=content, headers=headers)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in the database now."""
        with self.warehouse.connect(autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def beat(self, ago: dt.timedelta = dt.timedelta(0)) -> None:
        """The sensor was seen so long ago."""
        with self.warehouse.connect(autocommit=True) as connection:
            connection.execute(
                "insert into events.beats values (%s, %s) on conflict (name) do update set at = excluded.at",
                [BEAT, utc_now() - ago],
            )

    def count(self, table: str = "inbox") -> int:
        return int(self.rows(f"select count(*) from events.{table}")[0][0])

    def lines(self) -> list[dict[str, Any]]:
        """The log, line by line."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@contextmanager
def running(
    warehouse: Warehouse,
    *,
    limits: Limits = LIMITS,
    connect: Connect | None = None,
    now: Callable[[], dt.datetime] = utc_now,
    environment: Mapping[str, str] = ENVIRONMENT,
) -> Iterator[Running]:
    """Serve on a free port until the block ends."""
    with captured_log() as log:
        door = Door(
            settings=Settings.load(environment),
            connect=connect or (lambda: warehouse.connect(autocommit=True, application_name="gateway under test")),
            now=now,
            chance=os.urandom,
            log=telemetry.get_logger("fisio_ayida.gateway"),
            limits=limits,
        )
        serving = server(build_app(door), limits, host="127.0.0.1", port=0)
        thread = threading.Thread(target=serving.run, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{_port(serving)}"
            # httpx closes surplus idle connections under threads that were just given them: let there be none.
            keep = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=None)
            with httpx.Client(base_url=url, timeout=30, trust_env=False, limits=keep) as client:
                yield Running(url, warehouse, door, client, log)
        finally:
            serving.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the gateway did not end"


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """What the gateway and the libraries below it would write to standard error."""
    names = (telemetry.LOGGER_NAME, "uvicorn.error", "asyncio", "psycopg")
    loggers = [logging.getLogger(name) for name in names]
    before = [(each.handlers[:], each.level, each.propagate) for each in loggers]
    stream = io.StringIO()
    route_logs(telemetry.configure(level="DEBUG", stream=stream))
    try:
        yield stream
    finally:
        for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)


def until(condition: Callable[[], Any], what: str, within: float = 30) -> Any:
    """Wait for something that another process or thread brings about."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {within} s")


def _port(serving: uvicorn.Server) -> int:
    until(lambda: serving.started, "the gateway listens")
    return int(serving.servers[0].sockets[0].getsockname()[1])
