"""``fisio-ayida dev``: Dagster's UI and the gateway on the local data, for whoever tries it out.

Not here: filling the data (``demo.py``); production, where each of these is a process of its own.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from rich.console import Console

from fisio_ayida.bdns.windows import yesterday
from fisio_ayida.commands.demo import prepare_dagster_home
from fisio_ayida.commands.demo_events import PROJECT, ChildEnded, end, gateway
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.bdns import SimulatorProcess

GATEWAY_PORT = 8288


def run_dev(settings: Settings, *, port: int, now: Callable[[], dt.datetime]) -> int:
    """Dagster's UI and the gateway; when the database holds demo data, with a stand-in, so that buttons work."""
    home = prepare_dagster_home(settings)
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "DAGSTER_HOME": str(home), "FISIO_AYIDA_HOME": str(settings.home)}
    console = Console(stderr=True)
    with ExitStack() as stack:
        if _holds_demo_data(settings):
            today = yesterday(now()) + dt.timedelta(days=1)
            sim = stack.enter_context(SimulatorProcess(["--today", today.isoformat()]))
            console.print(f"demo data: the stand-in of the BDNS answers at {sim.base_url}")
            environment |= {"BDNS_BASE_URL": sim.base_url, "BDNS_REQUESTS_PER_SECOND": "0"}
        # On loopback, for whoever tries it out; what the environment says wins.
        keys = {name: os.environ.get(name) or "local" for name in ("INNGEST_EVENT_KEY", "CRON_SECRET")}
        try:
            url = stack.enter_context(
                gateway(settings, {**keys, "DAGSTER_UI_URL": f"http://127.0.0.1:{port}"}, port=GATEWAY_PORT)
            )
            console.print(f"events: INNGEST_BASE_URL={url}, INNGEST_EVENT_KEY={_shown(keys['INNGEST_EVENT_KEY'])}")
        except ChildEnded as error:
            console.print(f"no gateway: {error}", style="yellow")
        return _run(command, environment)


def _shown(key: str) -> str:
    return key if key == "local" else "as in the environment"


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run to the end; whatever ends us (Ctrl-C, SIGTERM) ends Dagster's processes in good order."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with subprocess.Popen(command, env=environment, cwd=PROJECT, start_new_session=True) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            end(process)
            return 130


def _holds_demo_data(settings: Settings) -> bool:
    from fisio_ayida.bdns.service import filled_from_stand_in
    from fisio_ayida.warehouse.engine import open_warehouse

    with open_warehouse(settings) as warehouse, warehouse.connect(autocommit=True) as conn:
        return filled_from_stand_in(conn)
