"""The third part of the demo: an app's own SDK sends events through the gateway, and Dagster's daemon turns them
into runs.

Everything is real: the gateway process, the SDK, the daemon, its sensor and its runs. Not here: the mirror's part
(``demo.py``).
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.table import Table

from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    from fisio_ayida.warehouse.engine import Warehouse

PROJECT = Path(__file__).resolve().parents[2]
CANARIES = 200
#: The longest that the daemon, the gateway or the last event may take, in seconds, on a slow machine.
PATIENCE = 120.0
ENDED = ("done", "dead", "skipped", "unmatched")


@dataclass(frozen=True, slots=True)
class Sent:
    """An event of the demo and the state in which it must end."""

    name: str
    data: Mapping[str, Any]
    wanted: str
    id: str | None = None


def show_events(console: Console, settings: Settings, warehouse: Warehouse) -> bool:
    """Send events with the SDK and watch them end; True when each ended as it must."""
    try:
        import inngest
    except ImportError:
        console.print("the SDK is not installed: pip install 'fisio_ayida[demo]'", style="bold red")
        return False
    key = secrets.token_urlsafe(12)
    daemon_words = ["-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
    with (
        _child(settings, daemon_words, {}) as daemon,
        gateway(settings, {"INNGEST_EVENT_KEY": key}) as url,
    ):
        _wait(lambda: _beats(warehouse), "the daemon's first look at the inbox", daemon)
        client = inngest.Inngest(app_id="demo", event_api_base_url=url, event_key=key, is_production=True)
        events = _events(warehouse)
        messages = [inngest.Event(name=e.name, data=dict(e.data), id=e.id or "") for e in events]
        started = time.monotonic()
        ids = client.send_sync(messages)
        again = client.send_sync(messages[0])
        took = time.monotonic() - started
        console.print(f"  {len(ids)} events in one call of the SDK, and the first one again: {took * 1000:.0f} ms")
        _wait(lambda: _ended(warehouse, ids, events), "the last event", daemon)
        seconds = time.monotonic() - started
    table, agreed = _table(warehouse, ids, events)
    console.print(table)
    echoes = _one(
        warehouse,
        "select count(*) = %s and count(distinct event_id) = %s from events.echoes where event_id = any(%s)",
        [CANARIES, CANARIES, list(ids)],
    )
    console.print(
        f"  all ended {seconds:.1f} s after they were sent; each of {CANARIES} canaries left one echo: {echoes}"
    )
    return agreed and bool(echoes) and again == [ids[0]]


@contextmanager
def gateway(settings: Settings, secrets_: Mapping[str, str], *, port: int = 0) -> Iterator[str]:
    """A gateway process on loopback; gives its address.

    Args:
        secrets_: INNGEST_EVENT_KEY and CRON_SECRET for it; what is left out stays closed.
        port: 0 takes a free one.

    Raises:
        ChildEnded: it did not start, as when the port is taken.
    """
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = ["-m", "fisio_ayida.cli", "gateway", "--port", str(port)]
    with _child(settings, words, secrets_) as process:
        _wait(lambda: httpx.get(f"{url}/healthz", trust_env=False).status_code == 200, "the gateway", process)
        yield url


class ChildEnded(RuntimeError):
    """A process of the demo ended, or said nothing, when it was needed."""


@contextmanager
def _child(
    settings: Settings, words: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours in a group of its own; its output goes to the demo's log, and it ends with the block."""
    with (settings.home / "demo.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *words], env={**os.environ, **environment}, cwd=PROJECT, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """Stop a process and its children, politely first."""
    # A shell may have told background commands to ignore the first of these.
    for number, seconds in ((2, 10.0), (15, 5.0), (9, 5.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _events(warehouse: Warehouse) -> list[Sent]:
    """Some of everything: many small ones, one that stands for a run, calls, a document, some that must fail."""
    mark = secrets.token_hex(4)
    code, document = _row(
        warehouse, "select codigo_bdns, id from bdns.convocatorias_documentos order by id desc limit 1"
    )
    return [
        *(Sent("fisio_ayida/canary", {"note": str(n)}, "done", f"canary-{mark}-{n}") for n in range(CANARIES)),
        Sent("regiones/sync.requested", {"runId": mark}, "done"),
        Sent("app/convocatorias.detail.requested", {"bdns": str(code)}, "done"),
        Sent("app/convocatorias.detail.requested", {"bdns": "999999999"}, "skipped"),
        Sent("documents/storage.requested", {"bdns": str(code), "documentId": str(document)}, "done"),
        Sent("nobody/knows.this", {}, "unmatched"),
        Sent("patient/created", {"organizationId": "clinic-1"}, "received"),
    ]


def _table(warehouse: Warehouse, ids: Sequence[str], events: Sequence[Sent]) -> tuple[Table, bool]:
    table = Table(title="From events.inbox, what became of each event")
    for name in ("event", "events", "state", "run", "seconds", "why, or what came of it"):
        table.add_column(name, justify="right" if name in ("events", "seconds") else "left", overflow="fold")
    wanted = dict(zip(ids, events, strict=True))
    agreed = True
    with warehouse.connect(autocommit=True) as conn:
        rows = conn.execute(
            """
            select min(id), name, count(*), state, left(coalesce(run_id, ''), 8),
                   extract(epoch from max(changed_at) - min(received_at))::float,
                   max(coalesce(reason, result::text, ''))
            from events.inbox where id = any(%s) group by name, state, run_id order by min(seq)
            """,
            [list(ids)],
        ).fetchall()
    for id_, name, count, state, run, seconds, words in rows:
        same = state == wanted[id_].wanted
        agreed &= same
        note = "waits until a release brings its handler" if state == "received" else words
        table.add_row(
            name, f"{count:,}", state, run, f"{seconds:.1f}", note[:60], style=None if same else "bold red"
        )
    return table, agreed


def _ended(warehouse: Warehouse, ids: Sequence[str], events: Sequence[Sent]) -> bool:
    expected = sum(event.wanted in ENDED for event in events)
    query = "select count(*) from events.inbox where id = any(%s) and state = any(%s)"
    return int(_one(warehouse, query, [list(ids), list(ENDED)])) >= expected


def _beats(warehouse: Warehouse) -> bool:
    return bool(
        _one(warehouse, "select exists (select 1 from events.beats where at > now() - interval '20 s')", [])
    )


def _one(warehouse: Warehouse, query: str, values: Sequence[Any]) -> Any:
    return _row(warehouse, query, values)[0]


def _row(warehouse: Warehouse, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
    with warehouse.connect(autocommit=True) as conn:
        row = conn.execute(query, list(values)).fetchone()
    if row is None:
        raise LookupError("the demo's first part has left no documents")
    return tuple(row)


def _wait(ready: Callable[[], bool], what: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx.TransportError):
            if ready():
                return
        time.sleep(0.2)
    state = "ended" if process.poll() is not None else f"did not come within {PATIENCE:.0f} s"
    raise ChildEnded(f"{what} {state}: see demo.log in FISIO_AYIDA_HOME")
