"""Serving the gateway: uvicorn with our wire, our log and our limits, until it is told to end.

Not here: the app (``app.py``) and the command line.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import sys

import uvicorn
from fastapi import FastAPI

from fisio_ayida import telemetry
from fisio_ayida.gateway.access import place
from fisio_ayida.gateway.app import build_app
from fisio_ayida.gateway.door import Door
from fisio_ayida.gateway.limits import Limits
from fisio_ayida.gateway.protocol import protocol, raise_file_limit
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import open_warehouse

# Where the libraries below us say what happens to them.
_LIBRARIES = ("uvicorn.error", "asyncio", "psycopg")


def run_gateway(settings: Settings, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what was received by then is written and answered.

    A given database need not answer at the start: senders are told 503 until it does.

    Raises:
        EmbeddedServerError: the embedded server does not start.
        SystemExit: the address is taken.
    """
    # uvicorn ends in order and then raises the signal again; the end that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log = telemetry.configure(level=settings.log_level, style=settings.log_format)
    route_logs(log)
    raise_file_limit()
    with open_warehouse(settings, require_migrated=settings.database() is None) as warehouse:
        door = Door(
            settings=settings,
            connect=lambda: warehouse.connect(autocommit=True, application_name="fisio_ayida gateway"),
            now=lambda: dt.datetime.now(dt.UTC),
            chance=os.urandom,
            log=telemetry.get_logger("fisio_ayida.gateway"),
        )
        server(build_app(door), door.limits, host=host, port=port).run()


def server(app: FastAPI, limits: Limits, *, host: str, port: int) -> uvicorn.Server:
    """The server, not yet running."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(limits.idle.total_seconds()),
        timeout_graceful_shutdown=int(limits.goodbye.total_seconds()),
    )
    return uvicorn.Server(config)


def route_logs(log: logging.Logger) -> None:
    """Send the libraries' lines where ours go: masked, and of an error only what cannot quote a request."""
    for name in _LIBRARIES:
        library = telemetry.get_logger(name)
        library.handlers[:] = log.handlers
        library.propagate = False
        library.setLevel(max(log.level, logging.INFO))
        if not any(isinstance(each, _Plain) for each in library.filters):
            library.addFilter(_Plain())


class _Plain(logging.Filter):
    """Replaces an exception by its class and place; drops the copy of a message that is meant for a terminal."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            record.error, record.place = type(record.exc_info[1]).__name__, place(record.exc_info[1])
            record.exc_info = record.exc_text = None
        vars(record).pop("color_message", None)
        return True
