"""The sensor that starts a run of ``appointment_confirmations`` when a visit was booked and no run is under way.

Not here: what all such sensors do (``news.py``), and what is news (``clinic/confirmations.py``).
"""

import datetime as dt
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.defs.clinic.news import news_sensor

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Connection
    from fisio_ayida.warehouse.clinic import ClinicDoor

JOB = "appointment_confirmations"
#: A confirmation waits a minute for second thoughts anyway.
EVERY = dt.timedelta(seconds=20)
#: A run takes seconds.
LONGEST = dt.timedelta(minutes=10)


def bookings_sensor() -> dg.SensorDefinition:
    """The sensor over the job."""
    return news_sensor(
        "bookings_made", JOB, _has_news, every=EVERY, longest=LONGEST,
        description=(
            f"Starts one run of `{JOB}` when visits were booked that no run has looked at, and none is queued or "
            "under way."
        ),
        nothing="no visit was booked that no run has looked at",
    )  # fmt: skip


def _has_news(conn: "Connection", door: "ClinicDoor", now: dt.datetime) -> bool:
    from fisio_ayida.clinic.confirmations import has_news

    return has_news(conn, door, now=now)
