"""The clinic's jobs put together from the settings: the desk they work at.

Here: opening it. Not here: the jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fisio_ayida.clinic.model import Desk
from fisio_ayida.messaging.service import open_outbox
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.clinic import open_clinic
from fisio_ayida.warehouse.engine import Warehouse


@contextmanager
def open_desk(settings: Settings, warehouse: Warehouse, *, log: Log) -> Iterator[Desk]:
    """What the jobs work with, closed at the end.

    Raises:
        WarehouseError: CLINIC_DATABASE_URL does not answer.
        SealError: MESSAGING_KEY is malformed, or MESSAGING_HASH_KEY is another than it was.
    """
    with warehouse.connect(autocommit=True) as conn, open_clinic(settings, warehouse) as clinic:
        yield Desk(conn, clinic, open_outbox(conn, settings), log, settings.home / "outbox")
