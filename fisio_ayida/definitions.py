"""The code location: everything that Dagster knows, composed from the registries.

``build_definitions`` is an ordinary function; tests call it with other settings and resources. No work, no
look-ups and no heavy imports happen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from fisio_ayida.defs.bdns.assets import mirror_assets
from fisio_ayida.defs.bdns.documents import documents_asset
from fisio_ayida.defs.bdns.jobs import jobs
from fisio_ayida.defs.bdns.schedules import schedules
from fisio_ayida.defs.clinic.assets import clinic_assets
from fisio_ayida.defs.clinic.external import table_specs
from fisio_ayida.defs.clinic.integrity import integrity_checks
from fisio_ayida.defs.clinic.jobs import clinic_jobs
from fisio_ayida.defs.clinic.schedules import clinic_schedules
from fisio_ayida.defs.clinic.sensor import bookings_sensor
from fisio_ayida.defs.events.inbox import inbox_asset, process_events
from fisio_ayida.defs.events.sensor import events_sensor
from fisio_ayida.defs.executors import executor
from fisio_ayida.defs.insights.asset import insights_asset
from fisio_ayida.defs.insights.sensor import sessions_sensor
from fisio_ayida.defs.messaging.outbox import dispatch_messages, messages_asset
from fisio_ayida.defs.messaging.sensor import messages_sensor
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.settings import Settings


def build_definitions(
    *, settings: Settings | None = None, resources: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """The definitions, with these settings (the environment's if left out) and these resources on top.

    Raises:
        SettingsError: a variable has a wrong value; one line for each.
    """
    settings = settings or Settings.load()
    all_jobs = [*jobs(), *clinic_jobs(), process_events(), dispatch_messages()]
    return dg.Definitions(
        assets=[
            *mirror_assets(), documents_asset(), inbox_asset(), messages_asset(), *table_specs(), *clinic_assets(),
            insights_asset(),
        ],
        asset_checks=[integrity_checks()],
        jobs=all_jobs,
        schedules=[*schedules(), *clinic_schedules()],
        sensors=[events_sensor(all_jobs), messages_sensor(), bookings_sensor(), sessions_sensor()],
        resources={"mirror": MirrorResource(settings), **(resources or {})},
        executor=executor(settings),
    )  # fmt: skip


defs = build_definitions()
